"""A partner's feed: one order or one return a line, taken in a chunk at a time.

Good lines stand, a bad line is named and changes nothing, a repeated line is counted and skipped.
Only the chunk at hand is in memory, whatever the length of the feed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ledger.accounts import REGIME_START
from ledger.aggregate import BUSINESS_ZONE, Act
from ledger.application import BeforeTheRegime
from ledger.commands import Ledger
from ledger.errors import Conflict, Invalid
from ledger.names import SaleId, order_stream
from ledger.orders import (
    ORDER_LINES_MAX,
    AmountInvalid,
    GoodsReturn,
    LineMalformed,
    LineRefused,
    Order,
    OrderLine,
    OrderUnknown,
    Oversold,
    QuantityInvalid,
    ReturnLine,
    SaleOrder,
)
from ledger.sales import CharitySale, SaleState
from ledger.store.commits import Commit, Receipt
from ledger.tallies import UNSOLD, Expectation, Tally, changes, of_sale
from ledger.terms import UNITS_MAX, SaleTerms
from ledger.wording import printable

CHUNK_LINES = 1_000
"""Lines that are taken in together, in one transaction."""

REJECTED_MAX = 10_000
"""Rejected lines that are named. After so many, the file is wrong and not its lines."""

TRIES = 5


class Rejected(NamedTuple):
    """A line that was not taken in, counting from 1, and why."""

    line: int
    code: str
    detail: str


class _Chunk(NamedTuple):
    """What a chunk came to, before it is stored."""

    touched: list[SaleOrder]
    duplicates: int
    rejected: list[Rejected]


class Feed(ABC):
    """Takes in the lines of one feed of one sale.

    Attributes:
        lines: Lines read so far.
        accepted: Lines that were recorded.
        duplicates: Lines that were recorded before, and are the same.
        rejected: Lines that were not recorded.

    """

    def __init__(self, ledger: Ledger, act: Act, sale_id: SaleId) -> None:
        self._ledger = ledger
        self._act = msgspec.structs.replace(act, fingerprint=None)
        self._sale_id = sale_id
        self.lines = 0
        self.accepted = 0
        self.duplicates = 0
        self.rejected: list[Rejected] = []
        self._sale().must_be(self.step, SaleState.OPEN, SaleState.ENDED, SaleState.SETTLED)

    step: str
    """What taking in such a feed is called, for saying when it is not possible."""

    def take_in(self, lines: Sequence[bytes]) -> None:
        """Record the next lines, at most ``CHUNK_LINES``, in one transaction."""
        for _ in range(TRIES):
            chunk = self._decide(lines)
            facts = [fact for order in chunk.touched for fact in order.collect_events()]
            outcome = self._ledger.committer.commit(
                Commit(
                    command=self._act.command,
                    about=str(self._sale_id),
                    version=0,
                    events=self._ledger.written(facts),
                    changes=changes(facts),
                    expects=[_still_sold(self._sale_id)] if facts else (),
                )
            )
            if isinstance(outcome, Receipt):
                self.lines += len(lines)
                self.accepted += len(facts)
                self.duplicates += chunk.duplicates
                self.rejected += chunk.rejected
                return
            if not isinstance(outcome, Conflict | LineRefused):
                assert isinstance(outcome, Exception)  # noqa: S101  # No answer is asked for.
                raise outcome
        raise Conflict("others kept feeding the same sale; feed it again")

    def finish(self, act: Act) -> Receipt:
        """Answer with what came of the feed, and remember the answer for a repeat."""
        summary = {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [each._asdict() for each in self.rejected[:REJECTED_MAX]],
        }
        return self._ledger.remember(act, self._sale(), summary)

    @abstractmethod
    def _decide(self, lines: Sequence[bytes]) -> _Chunk:
        """Say what ``lines`` come to, given what is recorded now."""

    def _sale(self) -> CharitySale:
        return self._ledger.sale(self._sale_id)

    def _must_be_selling(self, sale: CharitySale) -> None:
        """Refuse anything new once the sale is settled; repeats are still known as repeats."""
        sale.must_be(self.step, SaleState.OPEN, SaleState.ENDED)

    def _known(self, order_nos: Iterable[str]) -> dict[UUID, SaleOrder]:
        return self._ledger.orders(
            [order_stream(self._sale_id, order_no) for order_no in set(order_nos)]
        )

    def _reject(self, line: int, refusal: LineRefused | Invalid) -> Rejected:
        code = refusal.code if isinstance(refusal, LineRefused) else LineMalformed.code
        return Rejected(self.lines + line, code, str(refusal))


class OrderFeed(Feed):
    """A feed of orders."""

    step = "orders"

    def _decide(self, lines: Sequence[bytes]) -> _Chunk:
        chunk = _Chunk([], 0, [])
        sale = self._sale()
        terms = sale.terms
        read = list(_read_all(lines, read_order))
        known = self._known(each.order_no for _, each in read if isinstance(each, Order))
        unsold = _Unsold(self._ledger, terms)
        duplicates = 0
        for line, order in read:
            try:
                if isinstance(order, LineRefused):
                    raise order
                stream = order_stream(terms.sale, order.order_no)
                if stream in known:
                    duplicates += known[stream].repeats(order)
                    continue
                _check_day(order.placed_at.astimezone(BUSINESS_ZONE).date())
                placed = SaleOrder.place(self._act, sale=terms, order=order)
                unsold.take(order)
                self._must_be_selling(sale)
                known[stream] = placed
                chunk.touched.append(placed)
            except (LineRefused, Invalid) as refusal:
                chunk.rejected.append(self._reject(line, refusal))
        return chunk._replace(duplicates=duplicates)


class ReturnFeed(Feed):
    """A feed of returned goods."""

    step = "returns"

    def _decide(self, lines: Sequence[bytes]) -> _Chunk:
        chunk = _Chunk([], 0, [])
        sale = self._sale()
        terms = sale.terms
        read = list(_read_all(lines, read_return))
        known = self._known(each.order_no for _, each in read if isinstance(each, GoodsReturn))
        duplicates = 0
        touched: dict[UUID, SaleOrder] = {}
        for line, back in read:
            try:
                if isinstance(back, LineRefused):
                    raise back
                order = known.get(order_stream(terms.sale, back.order_no))
                if order is None:
                    raise OrderUnknown(f"there is no order {back.order_no}")
                _check_day(back.returned_on)
                if order.take_back(self._act, sale=terms, back=back):
                    self._must_be_selling(sale)
                    touched[order.id] = order
                else:
                    duplicates += 1
            except (LineRefused, Invalid) as refusal:
                chunk.rejected.append(self._reject(line, refusal))
        return chunk._replace(touched=list(touched.values()), duplicates=duplicates)


class _Unsold:
    """What is left to sell, as the chunk goes on. The store has the last word."""

    def __init__(self, ledger: Ledger, sale: SaleTerms) -> None:
        tallies = [of_sale(sale.sale, UNSOLD + sku) for sku in sale.prices]
        self._left: dict[Tally, int] = ledger.store.tallies(tallies)
        self._sale = sale.sale

    def take(self, order: Order) -> None:
        wanted: dict[Tally, int] = {}
        for line in order.lines:
            tally = of_sale(self._sale, UNSOLD + line.sku)
            wanted[tally] = wanted.get(tally, 0) + line.quantity
            if wanted[tally] > self._left[tally]:
                raise Oversold(f"only {self._left[tally]} {line.sku} are left to sell")
        for tally, quantity in wanted.items():
            self._left[tally] -= quantity


def _still_sold(sale_id: SaleId) -> Expectation:
    """Expect that the sale was not settled meanwhile; if it was, look again and be refused."""
    return Expectation(of_sale(sale_id, "settled"), 0, lambda _: Conflict("just settled"))


def _read_all(lines: Sequence[bytes], read: Any) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, read(line)
        except LineRefused as refusal:
            yield number, refusal


_NOT_READ = (msgspec.MsgspecError, UnicodeError, RecursionError)

_order = msgspec.json.Decoder(Order).decode
_return = msgspec.json.Decoder(GoodsReturn).decode
_anything = msgspec.json.Decoder().decode


def read_order(line: bytes) -> Order:
    """Return the order that a feed line spells; raise ``LineRefused`` by the first fault."""
    try:
        order = _order(line)
    except _NOT_READ as error:
        raise _fault(line, error, money="unit_price") from None
    _check_words(order.order_no)
    _check_instant(order.placed_at)
    _check_lines(order.lines)
    if any(each.unit_price <= 0 for each in order.lines):
        raise AmountInvalid("unit_price must be above zero")
    return order


def read_return(line: bytes) -> GoodsReturn:
    """Return the return that a feed line spells; raise ``LineRefused`` by the first fault."""
    try:
        back = _return(line)
    except _NOT_READ as error:
        raise _fault(line, error, money="refund") from None
    _check_words(back.order_no, back.return_no)
    _check_lines(back.lines)
    if back.refund <= 0:
        raise AmountInvalid("refund must be above zero")
    return back


def _fault(line: bytes, error: Exception, *, money: str) -> LineRefused:
    """Name what is wrong with a line that the strict reader turned down."""
    try:
        said = _anything(line)
    except _NOT_READ:
        return LineMalformed("is not JSON")
    for found in _figures(said, money):
        if not isinstance(found, int) or isinstance(found, bool):
            return AmountInvalid(f"{money} must be a whole number of fen")
    for found in _figures(said, "quantity"):
        if not isinstance(found, int) or isinstance(found, bool):
            return QuantityInvalid("quantity must be a whole number")
    return LineMalformed(str(error))


def _figures(said: Any, name: str) -> Iterator[Any]:
    if isinstance(said, dict):
        lines = said.get("lines")
        for each in (said, *(lines if isinstance(lines, list) else ())):
            if isinstance(each, dict) and name in each:
                yield each[name]


def _check_words(*words: str) -> None:
    for word in words:
        try:
            printable(word, "order_no")
        except Invalid as fault:
            raise LineMalformed(str(fault)) from None


def _check_instant(instant: datetime) -> None:
    if instant.tzinfo is None:
        raise LineMalformed("placed_at must say its offset from UTC")
    try:
        instant.astimezone(BUSINESS_ZONE)
    except OverflowError:
        raise LineMalformed("placed_at is beyond the calendar") from None


def _check_day(on: date) -> None:
    """Refuse the line alone, before it spoils its chunk."""
    if on < REGIME_START:
        raise BeforeTheRegime(on)


def _check_lines(lines: Sequence[OrderLine] | Sequence[ReturnLine]) -> None:
    if not 1 <= len(lines) <= ORDER_LINES_MAX:
        raise LineMalformed(f"lines must be from 1 to {ORDER_LINES_MAX}")
    if any(not 1 <= each.quantity <= UNITS_MAX for each in lines):
        raise QuantityInvalid(f"quantity must be from 1 to {UNITS_MAX}")
