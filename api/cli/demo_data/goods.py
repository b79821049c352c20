"""The goods that a made-up charity sells: one sale after the other, settled and remitted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from api.cli.demo_data.bulk import Bulk
from api.cli.demo_data.randomness import Luck
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.orders import GoodsReturn, Order, OrderLine, ReturnLine, SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.books.tallies import Expectation, of_sale
from ledger.commands.command import Decision
from ledger.commands.sales import end_sale, open_sale, plan_sale, remit, settle_sale
from ledger.kernel.errors import Conflict
from ledger.kernel.money import Fen
from ledger.kernel.names import FundCode, SaleId
from ledger.kernel.terms import UNITS_MAX, SaleTerms

RETURN_DAYS = 7

ORDERS_MAX = 500
"""Orders that are remembered for what may come back."""

ITEMS = tuple(Item(f"L{n}", "义卖品", UNITS_MAX, Fen(n * 12_00)) for n in range(1, 21))

PARTNER, CLERK, TREASURER, CASHIER = (
    f"person-{name}" for name in ("partner", "clerk", "treasurer", "cashier")
)


class Selling:
    """The sales of one charity: one takes orders, while the one before it waits to be settled."""

    def __init__(self, ledger: Bulk, luck: Luck, funds: Sequence[FundCode], *, days: int) -> None:
        """Prepare to sell.

        Args:
            ledger: Where it is recorded.
            luck: What happens, and when.
            funds: Which the sales are for, in turn.
            days: How long each takes orders.

        """
        self._ledger = ledger
        self._luck = luck
        self._funds = funds
        self._days = days
        self._sales = 0
        self._open: SaleTerms | None = None
        self._ends_on = luck.today
        self._ended: SaleId | None = None
        self._orders: list[SaleOrder] = []
        self._numbered = 0

    def order(self) -> None:
        """Sell something."""
        sale, luck = self._open or self._begin(), self._luck
        item = luck.choice(ITEMS)
        line = OrderLine(item.sku, luck.choice((1, 1, 1, 2, 3)), item.unit_price)
        self._numbered += 1
        placed_at = datetime.combine(luck.today, time(12, luck.randrange(60)), UTC)
        order = Order(f"JLG-{self._numbered:09}", placed_at, (line,))
        act = luck.act(PARTNER, "partner")
        placed = SaleOrder.place(act, sale=sale, order=order)
        self._ledger.take(Decision(placed, _unsettled(sale.sale)), act)
        self._ledger.forget(placed.id)
        luck.keep(self._orders, placed, ORDERS_MAX)

    def goods_back(self) -> None:
        """Take back what one of the latest orders was for."""
        sale, order = self._open, self._luck.draw(self._orders)
        if sale is None or order is None:
            return
        (line,) = order.lines
        back = GoodsReturn(
            order.order_no,
            f"R-{order.order_no}",
            self._luck.today,
            (ReturnLine(line.sku, line.quantity),),
            Fen(line.quantity * line.unit_price),
        )
        act = self._luck.act(PARTNER, "partner")
        order.take_back(act, sale=sale, back=back)
        self._ledger.take(Decision(order, _unsettled(sale.sale)), act)
        self._ledger.forget(order.id)

    def new_day(self) -> None:
        """Settle and end what is due."""
        if self._ended is not None and self._luck.today > self._last_return(self._ended):
            self._settle(self._ended)
        if self._open is not None and self._luck.today > self._ends_on:
            self._end(self._open.sale)

    def _last_return(self, sale: SaleId) -> date:
        return self._ledger.get(CharitySale, sale).last_return_day

    def _begin(self) -> SaleTerms:
        today = self._luck.today
        self._ends_on = today + timedelta(self._days)
        planned = self._ledger.now(
            plan_sale,
            self._luck.act(TREASURER, "treasurer"),
            name="义卖(演示)",
            fund=self._funds[self._sales % len(self._funds)],
            partner="嘉丽购",
            starts_on=today,
            ends_on=self._ends_on,
            return_days=RETURN_DAYS,
            partner_fee_bp=150,
            channel_fee_bp=60,
            items=ITEMS,
        )
        self._sales += 1
        sale = SaleId(planned)
        self._ledger.now(open_sale, self._luck.act(TREASURER, "treasurer"), sale, on=today)
        self._open = self._ledger.get(CharitySale, sale).terms
        return self._open

    def _end(self, sale: SaleId) -> None:
        act = self._luck.act(TREASURER, "treasurer")
        self._ledger.now(end_sale, act, sale, on=self._ends_on)
        self._open, self._ended = None, sale
        self._orders.clear()

    def _settle(self, sale: SaleId) -> None:
        """Agree with the partner, who pays in two parts."""
        ledger, today = self._ledger, self._luck.today
        ledger.flush()  # What was sold is read from the store.
        gross, refunds = of_sale(sale, "gross"), of_sale(sale, "refunds")
        sold = ledger.store.tallies([gross, refunds])
        agreed = ledger.get(CharitySale, sale).statement(
            gross=sold.get(gross, 0), refunds=sold.get(refunds, 0)
        )
        act = self._luck.act(TREASURER, "treasurer")
        ledger.now(settle_sale, act, sale, agreed, agreed_on=today)
        first = agreed.net_proceeds // 2
        for amount in (first, agreed.net_proceeds - first):
            if amount:
                ledger.now(
                    remit,
                    self._luck.act(CASHIER, "cashier"),
                    sale,
                    amount=amount,
                    external_ref=self._luck.reference("SALE"),
                    received_on=today,
                )
        ledger.forget(sale)
        self._ended = None


def _unsettled(sale: SaleId) -> tuple[Expectation, ...]:
    return (Expectation(of_sale(sale, "settled"), 0, lambda _: Conflict("just settled")),)
