"""A partner's feeds of one sale: orders, and goods that came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar, TypeVar, cast
from uuid import UUID

from ledger.aggregates.sales.orders import (
    ORDER_LINES_MAX,
    GoodsReturn,
    Order,
    OrderLine,
    OrderUnknown,
    Oversold,
    QuantityInvalid,
    ReturnLine,
    SaleOrder,
)
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.sales.states import SaleState
from ledger.books.tallies import UNSOLD, Expectation, Tally, of_sale
from ledger.commands import Ledger
from ledger.feeds.chunk_store import ChunkStore
from ledger.feeds.feed import Feed, Intake, Taken, check_day
from ledger.kernel.aggregate import Act, business_day
from ledger.kernel.errors import Conflict, Invalid, NotFound
from ledger.kernel.lines import AmountInvalid, LineMalformed, Suspect, reader
from ledger.kernel.names import SaleId, order_stream
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Sentence
from ledger.kernel.terms import UNITS_MAX, SaleTerms
from ledger.kernel.wording import code

S = TypeVar("S", Order, GoodsReturn)


class SaleFeed(Feed[S]):
    """A feed of one sale, which takes part in it from its opening to its settlement."""

    by: ClassVar[tuple[Role, ...]] = (Role.TREASURER, Role.PARTNER)

    step: ClassVar[str]
    """What taking in such a feed is called, for saying when it is not possible."""

    def __init__(self, ledger: Ledger, act: Act, sale_id: SaleId) -> None:
        super().__init__(ledger, act, about=str(sale_id))
        if act.role == Role.PARTNER and act.own != sale_id:
            raise NotFound(CharitySale.TOPIC, sale_id)
        self.sale_id = sale_id
        sale = ledger.get(CharitySale, sale_id)
        sale.must_be(self.step, SaleState.OPEN, SaleState.ENDED, SaleState.SETTLED)


class OrderFeed(SaleFeed[Order]):
    """A feed of orders."""

    step = "orders"

    def _read(self, line: bytes) -> Order:
        return read_order(line)

    def _intake(self, lines: Sequence[Order]) -> Intake[Order]:
        return _Orders(self, lines)


class ReturnFeed(SaleFeed[GoodsReturn]):
    """A feed of returned goods."""

    step = "returns"

    def _read(self, line: bytes) -> GoodsReturn:
        return read_return(line)

    def _intake(self, lines: Sequence[GoodsReturn]) -> Intake[GoodsReturn]:
        return _Returns(self, lines)


class _OfSale(Intake[S]):
    """Decides lines that are about orders of a sale."""

    def __init__(self, feed: SaleFeed[S], lines: Sequence[S]) -> None:
        self._act = feed.act
        self._step = feed.step
        self._sale = feed.ledger.get(CharitySale, feed.sale_id)
        self._terms = self._sale.terms
        self._look_at_stock(feed.store)
        order_nos = {each.order_no for each in lines}
        streams = [order_stream(self._terms.sale, each) for each in order_nos]
        self._known = {each.order_no: each for each in _recorded(feed, streams)}

    def _look_at_stock(self, store: ChunkStore) -> None:
        """Read the unsold stock, if it matters, before the orders are read (see ``Intake``)."""

    def expects(self) -> Sequence[Expectation]:
        """Expect that the sale was not settled meanwhile."""
        settled = of_sale(self._terms.sale, "settled")
        return (Expectation(settled, 0, lambda _: Conflict("just settled")),)

    def check_open(self) -> None:
        """Refuse anything new before the sale is opened and once it is settled."""
        self._sale.must_be(self._step, SaleState.OPEN, SaleState.ENDED)


class _Orders(_OfSale[Order]):
    """Decides orders."""

    def _look_at_stock(self, store: ChunkStore) -> None:
        self._unsold = _Unsold(store, self._terms)

    def take(self, order: Order) -> Taken:
        """Place an order, unless it is placed."""
        known = self._known.get(order.order_no)
        if known is not None and known.repeats(order):
            return Taken(known.id)
        check_day(business_day(order.placed_at))
        placed = SaleOrder.place(self._act, sale=self._terms, order=order)
        self._unsold.take(order)
        self._known[order.order_no] = placed
        return Taken(placed.id, placed.collect_events())


class _Returns(_OfSale[GoodsReturn]):
    """Decides returns."""

    def take(self, goods: GoodsReturn) -> Taken:
        """Take goods back, unless they are back."""
        order = self._known.get(goods.order_no)
        if order is None:
            raise OrderUnknown("there is no order {order}", order=goods.order_no)
        check_day(goods.returned_on)
        order.take_back(self._act, sale=self._terms, back=goods)
        return Taken(order.id, order.collect_events())


class _Unsold:
    """The unsold stock as the chunk goes on. The store has the last word."""

    def __init__(self, store: ChunkStore, sale: SaleTerms) -> None:
        tallies = [of_sale(sale.sale, UNSOLD + sku) for sku in sale.prices]
        self._left: dict[Tally, int] = store.tallies(tallies)
        self._sale = sale.sale

    def take(self, order: Order) -> None:
        quantities: dict[Tally, int] = {}
        for line in order.lines:
            tally = of_sale(self._sale, UNSOLD + line.sku)
            quantities[tally] = quantities.get(tally, 0) + line.quantity
            if quantities[tally] > self._left[tally]:
                raise Oversold(
                    "only {left} {sku} are left to sell", left=self._left[tally], sku=line.sku
                )
        for tally, quantity in quantities.items():
            self._left[tally] -= quantity


# What a line says.

_WHOLE_QUANTITY = Suspect("quantity", int, QuantityInvalid, Sentence("must be a whole number"))


def _money(field: str) -> Suspect:
    return Suspect(field, int, AmountInvalid, Sentence("must be a whole number of fen"))


_order = reader(Order, _money("unit_price"), _WHOLE_QUANTITY)
_return = reader(GoodsReturn, _money("refund"), _WHOLE_QUANTITY)


def read_order(line: bytes) -> Order:
    """Return the order that a feed line spells; raise ``LineRefused`` by the first fault."""
    order = _order(line)
    _check_codes(order_no=order.order_no)
    _check_instant(order.placed_at)
    _check_lines(order.lines)
    if any(each.unit_price <= 0 for each in order.lines):
        raise AmountInvalid("unit_price must be above zero")
    return order


def read_return(line: bytes) -> GoodsReturn:
    """Return the return that a feed line spells; raise ``LineRefused`` by the first fault."""
    back = _return(line)
    _check_codes(order_no=back.order_no, return_no=back.return_no)
    _check_lines(back.lines)
    if back.refund <= 0:
        raise AmountInvalid("refund must be above zero")
    return back


def _check_codes(**fields: str) -> None:
    for field, each in fields.items():
        try:
            code(each, field)
        except Invalid as fault:
            raise LineMalformed(fault.says, **fault.facts) from None


def _check_instant(instant: datetime) -> None:
    if instant.tzinfo is None:
        raise LineMalformed("placed_at must say its offset from UTC")
    try:
        business_day(instant)
    except OverflowError:
        raise LineMalformed("placed_at is beyond the calendar") from None


def _check_lines(lines: Sequence[OrderLine] | Sequence[ReturnLine]) -> None:
    if not 1 <= len(lines) <= ORDER_LINES_MAX:
        raise LineMalformed("lines must be from 1 to {most}", most=ORDER_LINES_MAX)
    if any(not 1 <= each.quantity <= UNITS_MAX for each in lines):
        raise QuantityInvalid("quantity must be from 1 to {most}", most=UNITS_MAX)


def _recorded(feed: SaleFeed[S], streams: Sequence[UUID]) -> Iterable[SaleOrder]:
    """Return the orders that are already recorded."""
    orders: dict[UUID, SaleOrder] = {}
    for stored in feed.store.streams(streams):
        stream = cast("UUID", stored.originator_id)
        orders.setdefault(stream, SaleOrder(stream)).apply(feed.ledger.form.to_domain_event(stored))
    return orders.values()
