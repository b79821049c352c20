"""Charity sales: what each sold, took back, owes and has paid over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    or_,
    select,
)

from ledger.aggregates.sales.orders import SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.sales.states import SaleState
from ledger.kernel.aggregate import Fact
from ledger.kernel.money import fee, yuan
from ledger.kernel.names import SaleId
from projections.kernel.finding import Criteria, Row, contained, is_id, rows_of
from projections.kernel.sentences import Sentence, Sentences, private, public, shortened
from projections.kernel.view import METADATA, Batch, View, insert_all, run_all

SALES = Table(
    "sales",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sale", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("fund", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("partner", String, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("return_days", Integer, nullable=False),
    Column("partner_fee_bp", Integer, nullable=False),
    Column("channel_fee_bp", Integer, nullable=False),
    Column("plan_filing", String),
    Column("state", String, nullable=False),
    Column("orders", BigInteger, nullable=False, default=0),
    Column("gross", BigInteger, nullable=False, default=0),
    Column("refunds", BigInteger, nullable=False, default=0),
    Column("remitted", BigInteger, nullable=False, default=0),
    Column("confirmed", BigInteger, nullable=False, default=0),
    Column("version", BigInteger, nullable=False, default=1),
)
"""``number`` is the position of the plan, which orders the list and never changes."""

ITEMS = Table(
    "sale_items",
    METADATA,
    Column("sale", String, primary_key=True),
    Column("sku", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("consigned", BigInteger, nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("sold", BigInteger, nullable=False, default=0),
    Column("returned", BigInteger, nullable=False, default=0),
)

_ADD = (
    "UPDATE sales SET orders = orders + ?, gross = gross + ?, refunds = refunds + ? WHERE sale = ?"
)

_ADD_ITEM = (
    "UPDATE sale_items SET sold = sold + ?, returned = returned + ? WHERE sale = ? AND sku = ?"
)

_STATES: Mapping[type[Fact], SaleState] = {
    CharitySale.Opened: SaleState.OPEN,
    CharitySale.Ended: SaleState.ENDED,
    CharitySale.Settled: SaleState.SETTLED,
}


class Sales(View):
    """Keeps sales, their items and their running totals."""

    name = "sales"
    tables = (SALES, ITEMS)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Note each step of a sale, and add up its orders and returns."""
        sold = _Sold()
        for position, fact in batch:
            match fact:
                case CharitySale.Planned():
                    _plan(connection, position, fact)
                case CharitySale.Opened() | CharitySale.Ended() | CharitySale.Settled():
                    _step(connection, fact, state=_STATES[type(fact)])
                case CharitySale.Remitted():
                    _step(connection, fact, remitted=SALES.c.remitted + fact.amount)
                case CharitySale.RemittanceConfirmed():
                    _step(connection, fact, confirmed=SALES.c.confirmed + fact.amount)
                case SaleOrder.Placed():
                    sold.order(fact)
                case SaleOrder.GoodsReturned():
                    sold.come_back(fact)
        sold.write(connection)


class _Sold:
    """The changes that a batch of orders and returns makes to each sale and item."""

    def __init__(self) -> None:
        self._totals: defaultdict[SaleId, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._items: defaultdict[tuple[SaleId, str], list[int]] = defaultdict(lambda: [0, 0])

    def order(self, fact: SaleOrder.Placed) -> None:
        total = self._totals[fact.sale]
        total[0] += 1
        total[1] += fact.amount
        for line in fact.lines:
            self._items[fact.sale, line.sku][0] += line.quantity

    def come_back(self, fact: SaleOrder.GoodsReturned) -> None:
        self._totals[fact.sale][2] += fact.refund
        for line in fact.lines:
            self._items[fact.sale, line.sku][1] += line.quantity

    def write(self, connection: Connection) -> None:
        totals = [(*new, str(sale)) for sale, new in self._totals.items()]
        items = [(*new, str(sale), sku) for (sale, sku), new in self._items.items()]
        run_all(connection, _ADD, totals)
        run_all(connection, _ADD_ITEM, items)


def _plan(connection: Connection, position: int, fact: CharitySale.Planned) -> None:
    sale = str(fact.originator_id)
    connection.execute(
        SALES.insert(),
        {
            "number": position,
            "sale": sale,
            "name": fact.name,
            "fund": fact.fund,
            "currency": fact.currency,
            "partner": fact.partner,
            "starts_on": fact.starts_on,
            "ends_on": fact.ends_on,
            "return_days": fact.return_days,
            "partner_fee_bp": fact.partner_fee_bp,
            "channel_fee_bp": fact.channel_fee_bp,
            "plan_filing": fact.plan_filing,
            "state": SaleState.PLANNED,
        },
    )
    insert_all(
        connection,
        ITEMS,
        [(sale, item.sku, item.name, item.consigned, item.unit_price, 0, 0) for item in fact.items],
    )


def _step(connection: Connection, fact: Fact, **values: Any) -> None:
    connection.execute(
        SALES.update()
        .where(SALES.c.sale == str(fact.originator_id))
        .values(version=fact.originator_version, **values)
    )


def sales(connection: Connection, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
    """Return up to ``limit`` sales planned after position ``after``, oldest first."""
    query = select(SALES).where(SALES.c.number > after).order_by(SALES.c.number).limit(limit)
    return [_shown(connection, row) for row in connection.execute(query).mappings().all()]


def sales_of_late(
    connection: Connection, *, before: int | None = None, limit: int = 100
) -> list[dict[str, Any]]:
    """Return up to ``limit`` sales planned before position ``before``, or any, newest first.

    Without their items, which a list has no room for.
    """
    query = every_sale().order_by(SALES.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(SALES.c.number < before)
    return with_fees(connection.execute(query).mappings())


def every_sale() -> Select[Any]:
    """Return the query of all sales, in no order."""
    return select(SALES)


def with_fees(rows: Iterable[RowMapping]) -> list[dict[str, Any]]:
    """Return rows of ``every_sale`` with the fees of the moment, without items."""
    return [{**row, **_fees(row), "id": row["sale"], "position": row["number"]} for row in rows]


def sale(connection: Connection, sale_id: str) -> dict[str, Any] | None:
    """Return one sale with its running total."""
    row = connection.execute(select(SALES).where(SALES.c.sale == sale_id)).mappings().first()
    return None if row is None else _shown(connection, row)


class RunningTotal(Struct, frozen=True):
    """The running total of a sale. Figures in fen; fees are those of the moment."""

    sale: str
    state: str
    orders: int
    gross: int
    refunds: int
    net_sales: int
    partner_fee: int
    channel_fee: int
    net_proceeds: int
    remitted: int

    @property
    def outstanding(self) -> int:
        """What the partner owes and has not paid over."""
        return self.net_proceeds - self.remitted


def running_totals(connection: Connection, sales: Collection[str]) -> list[RunningTotal]:
    """Return the running total of each of these sales that there is."""
    rows = connection.execute(select(SALES).where(SALES.c.sale.in_(sales))).mappings()
    return [RunningTotal(**{name: row[name] for name in _COUNTED}, **_fees(row)) for row in rows]


_COUNTED = ("sale", "state", "orders", "gross", "refunds", "remitted")


def _fees(row: RowMapping) -> dict[str, Any]:
    """Work out the fees of the moment, as the settlement will."""
    net_sales = row["gross"] - row["refunds"]
    partner_fee = fee(net_sales, row["partner_fee_bp"])
    channel_fee = fee(net_sales, row["channel_fee_bp"])
    return {
        "net_sales": net_sales,
        "partner_fee": partner_fee,
        "channel_fee": channel_fee,
        "net_proceeds": net_sales - partner_fee - channel_fee,
    }


def _shown(connection: Connection, row: RowMapping) -> dict[str, Any]:
    """Return a sale as people read it, with its items and what is outstanding."""
    rows = connection.execute(
        select(ITEMS).where(ITEMS.c.sale == row["sale"]).order_by(ITEMS.c.sku)
    ).mappings()
    items = [{name: each[name] for name in each if name != "sale"} for each in rows]
    fees = _fees(row)
    plan = {name: row[name] for name in _PLAN}
    return plan | {
        "id": row["sale"],
        "position": row["number"],
        "units": sum(each["sold"] for each in items),
        "units_returned": sum(each["returned"] for each in items),
        **fees,
        "outstanding": fees["net_proceeds"] - row["remitted"],
        "items": items,
    }


_PLAN = tuple(column.name for column in SALES.columns if column.name not in {"number", "sale"})


def find_sales(connection: Connection, criteria: Criteria, *, sale: str | None = None) -> list[Row]:
    """Return sales by name, partner and fund; one alone, if it is named."""
    columns = (SALES.c.name, SALES.c.partner, SALES.c.fund)
    query = select(SALES).where(
        *(or_(contained(word, columns), is_id(word, SALES.c.sale)) for word in criteria.words)
    )
    if sale is not None:
        query = query.where(SALES.c.sale == sale)
    newest = query.order_by(SALES.c.number.desc())
    return rows_of(connection, newest, criteria, SALES.c.sale, SALES.c.state)


def _units(fact: SaleOrder.Placed | SaleOrder.GoodsReturned) -> Sentence:
    units = sum(line.quantity for line in fact.lines)
    return Sentence(f"{units}件", "1 piece" if units == 1 else f"{units} pieces")


SENTENCES = Sentences(
    {
        CharitySale.Planned: public(
            "与{partner}约定义卖「{name}」，{starts_on}至{ends_on}，所得归{fund}",
            "The sale “{name}” was planned with {partner}, {starts_on}"
            " to {ends_on}, for fund {fund}",
        ),
        CharitySale.Opened: public("义卖开始（{fund}）", "The sale for fund {fund} opened"),
        CharitySale.Ended: public(
            "义卖结束，进入退货期（{fund}）",
            "The sale for fund {fund} ended; goods may still be returned",
        ),
        CharitySale.Settled: public(
            "义卖结算：总额{gross}元，退货{refunds}元，费用{fees}元，净额{net_proceeds}元归{fund}",
            "The sale was settled: {gross} less {refunds} back, {fees}"
            " fees: {net_proceeds} for {fund}",
        ),
        CharitySale.Remitted: shortened(
            (
                "合作方向{fund}汇来义卖款{amount}元（凭证{external_ref}）",
                "The partner remitted {amount} to fund {fund} (ref. {external_ref})",
            ),
            ("合作方向{fund}汇来义卖款{amount}元", "The partner remitted {amount} to fund {fund}"),
        ),
        CharitySale.RemittanceConfirmed: private(
            "{fund}收到的义卖款{amount}元（凭证{external_ref}）已与对账单{statement_ref}核对",
            "{amount} remitted to {fund} (ref. {external_ref}) was found"
            " on statement {statement_ref}",
        ),
        SaleOrder.Placed: shortened(
            (
                "订单{order_no}：售出{units}，{amount}元（{fund}）",
                "Order {order_no}: {units} sold for {amount}, for fund {fund}",
            ),
            (
                "一笔订单：售出{units}，{amount}元（{fund}）",
                "An order: {units} sold for {amount}, for fund {fund}",
            ),
        ),
        SaleOrder.GoodsReturned: shortened(
            (
                "退货{return_no}：退回{units}，{refund}元（{fund}）",
                "Return {return_no}: {units} came back for {refund}, from fund {fund}",
            ),
            (
                "一笔退货：退回{units}，{refund}元（{fund}）",
                "Goods returned: {units} came back for {refund}, from fund {fund}",
            ),
        ),
    },
    {
        "units": _units,
        "fees": lambda fact: yuan(fact.partner_fee + fact.channel_fee),
    },
)
"""What its events say."""
