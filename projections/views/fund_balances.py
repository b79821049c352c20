"""Figures of each fund, now and at any earlier moment, on both axes of time.

``as_of`` is a business day: what had happened by then. ``known_at`` is a position: what had been
written down by then. Together they answer what one could have known of a day.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, astuple
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    Select,
    String,
    Table,
    and_,
    func,
    select,
)

from ledger.aggregates.funds import Fund, FundState
from ledger.books.movements import COLUMNS, Figures, Movement, movements
from ledger.kernel.names import FundCode, Position
from projections.kernel.finding import Criteria, Row, contained, rows_of
from projections.kernel.sentences import Sentence, Sentences, public, shortened
from projections.kernel.view import METADATA, Batch, View, insert_all, put_all

FUNDS = Table(
    "funds",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("restriction", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("state", String, nullable=False),
    Column("position", BigInteger, nullable=False, unique=True),
)
"""The funds; ``position`` is of the event that opened each."""

_DESCRIBED = [each for each in FUNDS.c if each is not FUNDS.c.position]


def _figures(prefix: str = "") -> list[Column[int]]:
    return [Column(f"{prefix}{name}", BigInteger, nullable=False, default=0) for name in COLUMNS]


BALANCES = Table("fund_balances", METADATA, Column("fund", String, primary_key=True), *_figures())
"""Now."""

DAYS = Table(
    "fund_days",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("on", Date, primary_key=True),
    *_figures(),
)
"""What each business day added, for looking back by day."""

MOVEMENTS = Table(
    "fund_movements",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("on", Date, nullable=False),
    *_figures(),
    *_figures("day_"),
    Index("fund_movements_by_day", "fund", "on", "position"),
)
"""What each event left: of the fund, and of what its business day added to the fund.

So what was known at a position is one row, and what was known then of the time up to a day is one
row a day.
"""


class FundBalance(Struct, frozen=True):
    """What a fund has. All figures in fen; ``ledger.books.movements`` says what each means."""

    fund: FundCode
    currency: str
    position: Position
    as_of: date | None
    received: int
    reserved: int
    paid: int
    acknowledged: int
    pledged: int
    suspense: int
    receivable: int

    @property
    def balance(self) -> int:
        """What is there: received and not paid out."""
        return self.received - self.paid

    @property
    def available(self) -> int:
        """What is there and not set aside."""
        return self.balance - self.reserved


class FundBalances(View):
    """Keeps the funds and their figures."""

    name = "fund_balances"
    tables = (FUNDS, BALANCES, DAYS, MOVEMENTS)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Add up what each event moved."""
        self._write_funds(connection, batch)
        moved = [
            (position, fact.on, movement)
            for position, fact in batch
            for movement in movements(fact)
        ]
        if not moved:
            return
        running = _Running(connection, moved)
        insert_all(connection, MOVEMENTS, [running.add(*each) for each in moved])
        running.write(connection)

    def _write_funds(self, connection: Connection, batch: Batch) -> None:
        for position, fact in batch:
            match fact:
                case Fund.Opened():
                    row = {
                        "fund": fact.fund,
                        "name": fact.name,
                        "purpose": fact.purpose,
                        "restriction": fact.restriction,
                        "currency": fact.currency,
                        "state": FundState.OPEN,
                        "position": position,
                    }
                    connection.execute(FUNDS.insert(), row)
                    connection.execute(BALANCES.insert(), {"fund": fact.fund})
                case Fund.Frozen():
                    _now(connection, fact.fund, FundState.FROZEN)
                case Fund.Thawed():
                    _now(connection, fact.fund, FundState.OPEN)
                case Fund.Closed():
                    _now(connection, fact.fund, FundState.CLOSED)


_Moved = tuple[Position, date, Movement]


def days_of(funds: Collection[str], days: Collection[date]) -> Select[Any]:
    """Return the query of the changes on these business days in these funds.

    Asked for as pairs, SQLite would read every day there ever was.
    """
    return select(DAYS).where(DAYS.c.fund.in_(funds), DAYS.c.on.in_(days))


class _Running:
    """The figures of the funds and days that a batch touches, as it goes on."""

    def __init__(self, connection: Connection, moved: list[_Moved]) -> None:
        funds = {movement.fund for _, _, movement in moved}
        days = {(movement.fund, on) for _, on, movement in moved}
        query = select(BALANCES).where(BALANCES.c.fund.in_(funds))
        self._funds = {row[0]: Figures(*row[1:]) for row in connection.execute(query)}
        self._days = {
            (row[0], row[1]): Figures(*row[2:])
            for row in connection.execute(
                days_of({fund for fund, _ in days}, {on for _, on in days})
            )
            if (row[0], row[1]) in days
        }

    def add(self, position: Position, on: date, movement: Movement) -> tuple[Any, ...]:
        """Add a movement; return the row of what it left."""
        fund = self._funds[movement.fund]
        day = self._days.setdefault((movement.fund, on), Figures())
        fund.add(movement)
        day.add(movement)
        return movement.fund, position, on, *astuple(fund), *astuple(day)

    def write(self, connection: Connection) -> None:
        """Write down where the figures stand."""
        funds = [{"fund": fund} | asdict(figures) for fund, figures in self._funds.items()]
        days = [
            {"fund": fund, "on": on} | asdict(figures) for (fund, on), figures in self._days.items()
        ]
        put_all(connection, BALANCES, funds)
        put_all(connection, DAYS, days)


def _now(connection: Connection, fund: FundCode, state: FundState) -> None:
    connection.execute(FUNDS.update().where(FUNDS.c.fund == fund).values(state=state))


def fund_rows(connection: Connection) -> list[dict[str, Any]]:
    """Return every fund, by code."""
    query = select(*_DESCRIBED).order_by(FUNDS.c.fund)
    return [dict(row) for row in connection.execute(query).mappings()]


def fund_row(connection: Connection, fund: str) -> dict[str, Any] | None:
    """Return a fund, if there is one of this code."""
    query = select(*_DESCRIBED).where(FUNDS.c.fund == fund)
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def fund_balance(
    connection: Connection,
    fund: str,
    position: Position,
    *,
    as_of: date | None = None,
    known_at: Position | None = None,
) -> FundBalance | None:
    """Return what ``fund`` has, or had; nothing if there is no such fund.

    Args:
        connection: To views that have reached ``position``.
        fund: The fund's code.
        position: What the answer is as good as.
        as_of: Only what happened by this business day.
        known_at: Only what was written down by this position.

    """
    row = fund_row(connection, fund)
    if row is None:
        return None
    figures = connection.execute(_query(fund, as_of, known_at)).mappings().first()
    return FundBalance(
        fund=FundCode(fund),
        currency=row["currency"],
        position=position if known_at is None else min(position, known_at),
        as_of=as_of,
        **{name: int(figures[name] or 0) if figures else 0 for name in COLUMNS},
    )


class FundSummary(Struct, frozen=True):
    """A fund and where its figures stand."""

    fund: FundCode
    name: str
    purpose: str
    restriction: str
    state: str
    figures: Figures

    @property
    def balance(self) -> int:
        """What is there: received and not paid out."""
        return self.figures.received - self.figures.paid

    @property
    def available(self) -> int:
        """What is there and not set aside."""
        return self.balance - self.figures.reserved


def fund_summaries(connection: Connection) -> list[FundSummary]:
    """Return every fund with its figures of now, by code."""
    query = select(FUNDS, *(BALANCES.c[name] for name in COLUMNS)).join(
        BALANCES, BALANCES.c.fund == FUNDS.c.fund
    )
    return [
        FundSummary(
            FundCode(row["fund"]),
            row["name"],
            row["purpose"],
            row["restriction"],
            row["state"],
            Figures(*(row[name] for name in COLUMNS)),
        )
        for row in connection.execute(query.order_by(FUNDS.c.fund)).mappings()
    ]


def funds_with_money(state: str | None) -> Select[Any]:
    """Return the query of all funds, or those in ``state``, with what each has, in no order."""
    balance = BALANCES.c.received - BALANCES.c.paid
    query = select(
        FUNDS,
        balance.label("balance"),
        (balance - BALANCES.c.reserved).label("available"),
    ).join(BALANCES, BALANCES.c.fund == FUNDS.c.fund)
    return query if state is None else query.where(FUNDS.c.state == state)


def _query(fund: str, as_of: date | None, known_at: Position | None) -> Any:
    if known_at is None:
        if as_of is None:
            return select(BALANCES).where(BALANCES.c.fund == fund)
        return select(*_sums(DAYS)).where(DAYS.c.fund == fund, DAYS.c.on <= as_of)
    if as_of is None:
        return (
            select(MOVEMENTS)
            .where(MOVEMENTS.c.fund == fund, MOVEMENTS.c.position <= known_at)
            .order_by(MOVEMENTS.c.position.desc())
            .limit(1)
        )
    return _known_of_days(fund, as_of, known_at)


def _known_of_days(fund: str, as_of: date, known_at: Position) -> Any:
    """Add up, over the days to ``as_of``, what each had added by ``known_at``."""
    last = MOVEMENTS.alias()
    position = (
        select(func.max(last.c.position))
        .where(last.c.fund == fund, last.c.on == DAYS.c.on, last.c.position <= known_at)
        .scalar_subquery()
    )
    return (
        select(*_sums(MOVEMENTS, "day_"))
        .select_from(DAYS)
        .join(MOVEMENTS, and_(MOVEMENTS.c.fund == fund, MOVEMENTS.c.position == position))
        .where(DAYS.c.fund == fund, DAYS.c.on <= as_of)
    )


def _sums(table: Table, prefix: str = "") -> list[ColumnElement[int]]:
    return [func.sum(table.c[f"{prefix}{name}"]).label(name) for name in COLUMNS]


def find_funds(connection: Connection, criteria: Criteria) -> list[Row]:
    """Return funds by code, name and purpose."""
    columns = (FUNDS.c.fund, FUNDS.c.name, FUNDS.c.purpose)
    query = select(FUNDS).where(*(contained(word, columns) for word in criteria.words))
    return rows_of(connection, query.order_by(FUNDS.c.fund), criteria, FUNDS.c.fund, FUNDS.c.state)


_RESTRICTIONS: Mapping[str, Sentence] = {
    "restricted": Sentence("限定性", "restricted"),
    "unrestricted": Sentence("非限定性", "unrestricted"),
}


def _basis(fact: Fund.Transferred) -> Sentence:
    if not fact.basis:
        return Sentence("", "")
    return Sentence(f"，依据：{fact.basis}", f", on the basis of: {fact.basis}")


SENTENCES = Sentences(
    {
        Fund.Opened: public(
            "设立{restriction}专项资金{fund}「{name}」，用途：{purpose}",
            "Fund {fund} “{name}” was opened, {restriction}, for: {purpose}",
        ),
        Fund.Frozen: shortened(
            ("冻结{fund}：{reason}", "Fund {fund} was frozen: {reason}"),
            ("冻结{fund}", "Fund {fund} was frozen"),
        ),
        Fund.Thawed: shortened(
            ("解冻{fund}：{reason}", "Fund {fund} was thawed: {reason}"),
            ("解冻{fund}", "Fund {fund} was thawed"),
        ),
        Fund.Transferred: shortened(
            ("{fund}向{to}调拨{amount}元{basis}", "{amount} moved from fund {fund} to {to}{basis}"),
            ("{fund}向{to}调拨{amount}元", "{amount} moved from fund {fund} to {to}"),
        ),
        Fund.Closed: shortened(
            ("关闭{fund}：{reason}", "Fund {fund} was closed: {reason}"),
            ("关闭{fund}", "Fund {fund} was closed"),
        ),
    },
    {"restriction": lambda fact: _RESTRICTIONS[fact.restriction], "basis": _basis},
)
"""What its events say."""
