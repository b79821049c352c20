"""Orders of a charity sale, each a small stream of its own, and the goods that come back.

The stream's id follows from the sale and the partner's order number. So a repeated line meets the
stream it repeats, with no table of what was seen, and a televised sale has no hot stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Self

from msgspec import Struct

from ledger.kernel.aggregate import Act, Aggregate, Fact, business_day, event
from ledger.kernel.lines import AmountInvalid, LineRefused
from ledger.kernel.money import AMOUNT_MAX, Currency, Fen
from ledger.kernel.names import FundCode, SaleId, order_stream
from ledger.kernel.terms import Restriction, SaleTerms

ORDER_LINES_MAX = 100
"""Lines of one order. A viewer's call has a handful."""


class OrderConflict(LineRefused):
    """An order or a return, once recorded, does not change."""

    code = "order.conflict"


class OrderUnknown(LineRefused):
    """Only what was ordered can come back."""

    code = "order.unknown"


class SkuUnknown(LineRefused):
    """Only goods of the sale's catalogue are sold."""

    code = "sku.unknown"


class QuantityInvalid(LineRefused):
    """Goods are counted in whole pieces, at least one."""

    code = "quantity.invalid"


class PriceMismatch(LineRefused):
    """Goods are sold, and refunded, at the listed price."""

    code = "price.mismatch"


class ReturnExceedsSold(LineRefused):
    """No more comes back than was sold."""

    code = "return.exceeds-sold"


class ReturnWindowClosed(LineRefused):
    """Goods come back within the agreed days."""

    code = "return.window-closed"


class Oversold(LineRefused):
    """No more is sold than was put with the partner."""

    code = "oversold"


class OrderLine(Struct, frozen=True, forbid_unknown_fields=True):
    """So many pieces of one item, at this price each."""

    sku: str
    quantity: int
    unit_price: Fen


class ReturnLine(Struct, frozen=True, forbid_unknown_fields=True):
    """So many pieces of one item."""

    sku: str
    quantity: int


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the partner's order feed."""

    order_no: str
    placed_at: datetime
    lines: tuple[OrderLine, ...]


class GoodsReturn(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the partner's feed of returns."""

    order_no: str
    return_no: str
    returned_on: date
    lines: tuple[ReturnLine, ...]
    refund: Fen


class SaleOrder(Aggregate):
    """One viewer's order, and its returns."""

    TOPIC = "sale-order"

    class Placed(Fact, frozen=True):
        """Goods were sold. The partner holds the money and owes it to the charity."""

        TOPIC = "sale-order.placed.1"
        sale: SaleId
        fund: FundCode
        restriction: Restriction
        currency: Currency
        order_no: str
        placed_at: datetime
        lines: tuple[OrderLine, ...]
        amount: Fen

    class GoodsReturned(Fact, frozen=True):
        """Goods came back (退货) and the partner repaid the viewer."""

        TOPIC = "sale-order.goods-returned.1"
        sale: SaleId
        fund: FundCode
        restriction: Restriction
        currency: Currency
        return_no: str
        lines: tuple[ReturnLine, ...]
        refund: Fen

    @classmethod
    def place(cls, act: Act, *, sale: SaleTerms, order: Order) -> Self:
        """Record an order that the partner took."""
        placed = cls(order_stream(sale.sale, order.order_no))
        placed._record(
            cls.Placed,
            act,
            on=business_day(order.placed_at),
            sale=sale.sale,
            fund=sale.fund.fund,
            restriction=sale.fund.restriction,
            currency=sale.fund.currency,
            order_no=order.order_no,
            placed_at=order.placed_at,
            lines=order.lines,
            amount=_price(order.lines, sale),
        )
        return placed

    def repeats(self, order: Order) -> bool:
        """Say whether ``order`` is this one again; refuse it if it is another of its number."""
        if (order.placed_at, order.lines) != (self.placed_at, self.lines):
            raise OrderConflict(
                "order {order} is already recorded with other goods", order=order.order_no
            )
        return True

    def take_back(self, act: Act, *, sale: SaleTerms, back: GoodsReturn) -> bool:
        """Record a return; say ``False`` if it is one that is already recorded."""
        if back.return_no in self.returns:
            if self.returns[back.return_no] != back:
                raise OrderConflict(
                    "return {return_no} is already recorded with other goods",
                    return_no=back.return_no,
                )
            return False
        if back.returned_on > sale.last_return_day:
            raise ReturnWindowClosed(
                "goods could be returned until {last}", last=sale.last_return_day
            )
        self._can_come_back(back)
        self._record(
            self.GoodsReturned,
            act,
            on=back.returned_on,
            sale=self.sale,
            fund=sale.fund.fund,
            restriction=sale.fund.restriction,
            currency=sale.fund.currency,
            return_no=back.return_no,
            lines=back.lines,
            refund=back.refund,
        )
        return True

    def _can_come_back(self, back: GoodsReturn) -> None:
        due = 0
        left = dict(self.held)
        for line in back.lines:
            if line.sku not in left:
                raise SkuUnknown("order {order} has no such sku", order=back.order_no)
            left[line.sku] -= line.quantity
            if left[line.sku] < 0:
                raise ReturnExceedsSold(
                    "order {order} has only {left} {sku} to return",
                    order=back.order_no,
                    left=self.held[line.sku],
                    sku=line.sku,
                )
            due += line.quantity * self.prices[line.sku]
        if back.refund != due:
            raise PriceMismatch(
                "the goods cost {due} fen, not {refund}", due=due, refund=back.refund
            )

    @event(Placed)
    def _placed(self, fact: Placed) -> None:
        self.sale = fact.sale
        self.order_no = fact.order_no
        self.placed_at = fact.placed_at
        self.lines = fact.lines
        self.held: dict[str, int] = {}
        self.prices: dict[str, int] = {}
        self.returns: dict[str, GoodsReturn] = {}
        for line in fact.lines:
            self.held[line.sku] = self.held.get(line.sku, 0) + line.quantity
            self.prices[line.sku] = line.unit_price

    @event(GoodsReturned)
    def _goods_returned(self, fact: GoodsReturned) -> None:
        for line in fact.lines:
            self.held[line.sku] -= line.quantity
        self.returns[fact.return_no] = GoodsReturn(
            self.order_no, fact.return_no, fact.on, fact.lines, fact.refund
        )


def _price(lines: Sequence[OrderLine], sale: SaleTerms) -> Fen:
    """Return what ``lines`` cost; refuse a line that is not the catalogue's."""
    total = 0
    for line in lines:
        if line.sku not in sale.prices:
            raise SkuUnknown("the sale has no such sku")
        if line.unit_price != sale.prices[line.sku]:
            raise PriceMismatch(
                "{sku} costs {price} fen, not {unit_price}",
                sku=line.sku,
                price=sale.prices[line.sku],
                unit_price=line.unit_price,
            )
        total += line.quantity * line.unit_price
    if total > AMOUNT_MAX:
        raise AmountInvalid("an order is at most {most} fen", most=AMOUNT_MAX)
    return Fen(total)
