"""What each fund has, now and at any earlier moment, on both axes of time.

``as_of`` is a business day: what had happened by then. ``known_at`` is a position: what had been
written down by then. Together they answer what one could have known of a day.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    String,
    Table,
    func,
    select,
)

from ledger.funds import Fund, FundState
from ledger.movements import COLUMNS, movements
from ledger.names import FundCode, Position
from projections.views import METADATA, Batch, View, add_up, insert_all

FUNDS = Table(
    "funds",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("restriction", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("state", String, nullable=False),
)


def _figures() -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False, default=0) for name in COLUMNS]


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
    Index("fund_movements_by_day", "fund", "on", "position"),
)
"""What each event added, for looking back by position."""


class FundBalance(Struct, frozen=True):
    """What a fund has. All figures in fen; ``ledger.movements`` says what each means."""

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
        moved: list[dict[str, Any]] = []
        for position, fact in batch:
            for movement in movements(fact):
                figures = {name: getattr(movement, name) for name in COLUMNS}
                if any(figures.values()):
                    row = {"fund": movement.fund, "position": position, "on": fact.on}
                    moved.append(row | figures)
        insert_all(connection, MOVEMENTS, moved)
        add_up(connection, DAYS, _sum(moved, "fund", "on"))
        add_up(connection, BALANCES, _sum(moved, "fund"))

    def _write_funds(self, connection: Connection, batch: Batch) -> None:
        for _, fact in batch:
            match fact:
                case Fund.Opened():
                    row = {
                        "fund": fact.fund,
                        "name": fact.name,
                        "purpose": fact.purpose,
                        "restriction": fact.restriction,
                        "currency": fact.currency,
                        "state": FundState.OPEN,
                    }
                    connection.execute(FUNDS.insert(), row)
                    connection.execute(BALANCES.insert(), {"fund": fact.fund})
                case Fund.Frozen():
                    _now(connection, fact.fund, FundState.FROZEN)
                case Fund.Thawed():
                    _now(connection, fact.fund, FundState.OPEN)
                case Fund.Closed():
                    _now(connection, fact.fund, FundState.CLOSED)


def _now(connection: Connection, fund: FundCode, state: FundState) -> None:
    connection.execute(FUNDS.update().where(FUNDS.c.fund == fund).values(state=state))


def _sum(moved: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    totals: defaultdict[tuple[Any, ...], dict[str, int]]
    totals = defaultdict(lambda: dict.fromkeys(COLUMNS, 0))
    for row in moved:
        total = totals[tuple(row[key] for key in keys)]
        for name in COLUMNS:
            total[name] += row[name]
    return [dict(zip(keys, key, strict=True)) | total for key, total in totals.items()]


def fund_rows(connection: Connection) -> list[dict[str, Any]]:
    """Return every fund, by code."""
    return [
        dict(row) for row in connection.execute(select(FUNDS).order_by(FUNDS.c.fund)).mappings()
    ]


def fund_row(connection: Connection, fund: str) -> dict[str, Any] | None:
    """Return a fund, if there is one of this code."""
    row = connection.execute(select(FUNDS).where(FUNDS.c.fund == fund)).mappings().first()
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
    figures = connection.execute(_asked(fund, as_of, known_at)).mappings().first()
    return FundBalance(
        fund=FundCode(fund),
        currency=row["currency"],
        position=position if known_at is None else min(position, known_at),
        as_of=as_of,
        **{name: int(figures[name] or 0) if figures else 0 for name in COLUMNS},
    )


def _asked(fund: str, as_of: date | None, known_at: Position | None) -> Any:
    if as_of is None and known_at is None:
        return select(BALANCES).where(BALANCES.c.fund == fund)
    if known_at is None:
        return _total(DAYS).where(DAYS.c.fund == fund, DAYS.c.on <= as_of)
    asked = _total(MOVEMENTS).where(MOVEMENTS.c.fund == fund, MOVEMENTS.c.position <= known_at)
    return asked if as_of is None else asked.where(MOVEMENTS.c.on <= as_of)


def _total(table: Table) -> Any:
    sums: list[ColumnElement[int]] = [func.sum(table.c[name]).label(name) for name in COLUMNS]
    return select(*sums)
