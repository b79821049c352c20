"""A fund's statement (收支明细): what came and went, a line for each day and kind of event.

It is kept by day and kind, so a statement of any period reads few rows however many gifts there
were. A line knows where its events stand, and opens into them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    String,
    Table,
    func,
    not_,
    select,
    tuple_,
)

from ledger.aggregate import Fact
from ledger.disbursements import Disbursement
from ledger.movements import Movement, movements
from ledger.names import FundCode, Position
from projections.journal import LINES as ENTRIES
from projections.views import METADATA, Batch, View, add_up, insert_all, run_all

LINES = Table(
    "statement_lines",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("on", Date, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("events", BigInteger, nullable=False),
    Column("came", BigInteger, nullable=False),
    Column("went", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
)
"""What each kind of event brought a fund in money, and took, on each business day, in fen.

``kind`` is the name that such events are stored under, without its version; ``first`` and ``last``
are the positions between which they stand.
"""

AIMS = Table(
    "statement_aims",
    METADATA,
    Column("disbursement", String, primary_key=True),
    Column("purpose", String, nullable=False),
)
"""What each disbursement is for, as far as everybody may know it."""

PURPOSES = Table(
    "statement_purposes",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("on", Date, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("paid", BigInteger, nullable=False),
)
"""What was paid out of a fund for each purpose, net of what came back, in fen."""

KINDS = Table(
    "statement_kinds",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("came", BigInteger, nullable=False),
    Column("went", BigInteger, nullable=False),
)
"""What the lines of each kind add up to since the first event, which is asked for most."""

PAID = Table(
    "statement_paid",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("paid", BigInteger, nullable=False),
)
"""What was paid for each purpose since the first event."""

TO_PERSONS = ""
"""The purpose of what persons are paid: what somebody needed is nobody else's business."""

_ADD_LINE = """
    INSERT INTO statement_lines (fund, "on", kind, events, came, went, first, last)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (fund, "on", kind) DO UPDATE SET
      events = statement_lines.events + excluded.events,
      came = statement_lines.came + excluded.came,
      went = statement_lines.went + excluded.went,
      last = excluded.last
"""

_ADD_PURPOSE = """
    INSERT INTO statement_purposes (fund, "on", purpose, paid) VALUES (?, ?, ?, ?)
    ON CONFLICT (fund, "on", purpose) DO UPDATE SET paid = statement_purposes.paid + excluded.paid
"""


class Statements(View):
    """Keeps the lines of statements, and what money was paid for."""

    name = "statements"
    tables = (LINES, AIMS, PURPOSES, KINDS, PAID)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Add up the money that each event moved."""
        lines: dict[tuple[FundCode, date, str], _Line] = {}
        for position, fact in batch:
            for movement in movements(fact):
                money = _money(movement)
                if money:
                    key = movement.fund, fact.on, kind_of(fact)
                    lines.setdefault(key, _Line(position)).add(position, money)
        run_all(
            connection,
            _ADD_LINE,
            [
                (fund, on.isoformat(), kind, row.events, row.came, row.went, row.first, row.last)
                for (fund, on, kind), row in lines.items()
            ],
        )
        add_up(
            connection,
            KINDS,
            [
                {"fund": fund, "kind": kind, "came": row.came, "went": row.went}
                for (fund, _, kind), row in lines.items()
            ],
        )
        self._write_purposes(connection, batch)

    def _write_purposes(self, connection: Connection, batch: Batch) -> None:
        asked = [fact for _, fact in batch if isinstance(fact, Disbursement.Requested)]
        insert_all(connection, AIMS, [(str(each.originator_id), _aim(each)) for each in asked])
        moved = [fact for _, fact in batch if isinstance(fact, _MOVED_BY_PAYEES)]
        aims = _aims(connection, {str(fact.originator_id) for fact in moved})
        paid: defaultdict[tuple[FundCode, date, str], int] = defaultdict(int)
        for fact in moved:
            for movement in movements(fact):
                paid[movement.fund, fact.on, aims[str(fact.originator_id)]] += movement.paid
        rows = [(fund, on.isoformat(), aim, amount) for (fund, on, aim), amount in paid.items()]
        run_all(connection, _ADD_PURPOSE, rows)
        add_up(
            connection,
            PAID,
            [
                {"fund": fund, "purpose": aim, "paid": amount}
                for (fund, _, aim), amount in paid.items()
            ],
        )


_MOVED_BY_PAYEES = (Disbursement.Paid, Disbursement.Bounced, Disbursement.Returned)


class _Line(Struct):
    """A line as it grows."""

    first: Position
    last: Position = Position(0)
    events: int = 0
    came: int = 0
    went: int = 0

    def add(self, position: Position, money: int) -> None:
        self.last = position
        self.events += 1
        self.came += max(money, 0)
        self.went += max(-money, 0)


def _money(movement: Movement) -> int:
    return movement.received - movement.paid


def kind_of(fact: Fact) -> str:
    """Return the name that such events are stored under, without its version."""
    return fact.TOPIC.rpartition(".")[0]


def _aim(fact: Disbursement.Requested) -> str:
    return TO_PERSONS if fact.payee_kind == "person" else fact.purpose


def _aims(connection: Connection, disbursements: set[str]) -> dict[str, str]:
    if not disbursements:
        return {}
    asked = select(AIMS).where(AIMS.c.disbursement.in_(disbursements))
    return {row.disbursement: row.purpose for row in connection.execute(asked)}


class Line(Struct, frozen=True):
    """One line of a statement, in fen.

    Attributes:
        on: The business day.
        kind: What kind of event.
        events: How many.
        came: What they brought.
        went: What they took.
        balance: What the fund had after this line.

    """

    on: date
    kind: str
    events: int
    came: int
    went: int
    balance: int


class Statement(Struct, frozen=True):
    """What a fund had, what came and went, and what it had then. All figures in fen.

    Attributes:
        opening: What it had when the period began.
        came: All that came in the period.
        went: All that went in it.
        carried: What it had before the first of ``lines``.
        lines: Those asked for, in order.
        more: There are lines of the period after these.

    """

    opening: int
    came: int
    went: int
    carried: int
    lines: tuple[Line, ...]
    more: bool

    @property
    def closing(self) -> int:
        """What the fund had at the end."""
        return self.opening + self.came - self.went


class Place(NamedTuple):
    """Which line of a fund: one for each day and kind."""

    on: date
    kind: str


class Period(NamedTuple):
    """From one business day to another, both included; from the first event, or to the last."""

    first: date | None = None
    last: date | None = None


ALWAYS = Period()


def statement(
    connection: Connection,
    fund: str,
    period: Period = ALWAYS,
    *,
    after: Place | None = None,
    limit: int = 100,
) -> Statement:
    """Return the statement of ``fund`` over a period, and up to ``limit`` of its lines.

    Args:
        connection: To views that are level.
        fund: The fund's code; of an unknown one, all is nothing.
        period: From when to when.
        after: The last line already seen.
        limit: How many lines.

    """
    before = [] if period.first is None else [LINES.c.on < period.first]
    opening = _sum(connection, fund, *before) if before else _Sum(0, 0)
    within = _within(LINES, period)
    whole = _sum(connection, fund, *within) if within else _whole(connection, fund)
    seen = [] if after is None else [tuple_(LINES.c.on, LINES.c.kind) <= tuple_(*after)]
    carried = opening.net + (_sum(connection, fund, *within, *seen).net if seen else 0)
    asked = select(LINES).where(LINES.c.fund == fund, *within, *(not_(each) for each in seen))
    rows = connection.execute(asked.order_by(LINES.c.on, LINES.c.kind).limit(limit + 1)).all()
    lines = tuple(_with_balances(carried, (row._mapping for row in rows[:limit])))  # noqa: SLF001  # SQLAlchemy's own name for it.
    return Statement(opening.net, whole.came, whole.went, carried, lines, more=len(rows) > limit)


class _Sum(NamedTuple):
    came: int
    went: int

    @property
    def net(self) -> int:
        return self.came - self.went


def _sum(connection: Connection, fund: str, *where: ColumnElement[bool]) -> _Sum:
    asked = select(func.sum(LINES.c.came), func.sum(LINES.c.went))
    came, went = connection.execute(asked.where(LINES.c.fund == fund, *where)).one()
    return _Sum(int(came or 0), int(went or 0))


def _whole(connection: Connection, fund: str) -> _Sum:
    kinds = came_from(connection, fund=fund).values()
    return _Sum(sum(came for came, _ in kinds), sum(went for _, went in kinds))


def _with_balances(balance: int, rows: Iterable[Mapping[Any, Any]]) -> Iterable[Line]:
    for row in rows:
        balance += row["came"] - row["went"]
        yield Line(row["on"], row["kind"], row["events"], row["came"], row["went"], balance)


def _within(table: Table, period: Period) -> list[ColumnElement[bool]]:
    found = []
    if period.first is not None:
        found.append(table.c.on >= period.first)
    if period.last is not None:
        found.append(table.c.on <= period.last)
    return found


def came_from(
    connection: Connection, period: Period = ALWAYS, *, fund: str | None = None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return what each kind of event brought each fund, or one, in a period, and took."""
    table = KINDS if period == ALWAYS else LINES
    asked = select(table.c.fund, table.c.kind, func.sum(table.c.came), func.sum(table.c.went))
    where = _within(table, period) + ([] if fund is None else [table.c.fund == fund])
    rows = connection.execute(asked.where(*where).group_by(table.c.fund, table.c.kind))
    return {(code, kind): (int(came), int(went)) for code, kind, came, went in rows}


def paid_for(
    connection: Connection, period: Period = ALWAYS, *, fund: str | None = None
) -> dict[tuple[str, str], int]:
    """Return what each fund, or one, paid for each purpose in a period, net of what came back."""
    table = PAID if period == ALWAYS else PURPOSES
    asked = select(table.c.fund, table.c.purpose, func.sum(table.c.paid))
    where = _within(table, period) + ([] if fund is None else [table.c.fund == fund])
    rows = connection.execute(asked.where(*where).group_by(table.c.fund, table.c.purpose))
    return {(code, purpose): int(paid) for code, purpose, paid in rows}


def openings(connection: Connection, day: date, *, fund: str | None = None) -> dict[str, int]:
    """Return what each fund, or one, had when a business day began."""
    asked = select(LINES.c.fund, func.sum(LINES.c.came - LINES.c.went)).where(LINES.c.on < day)
    if fund is not None:
        asked = asked.where(LINES.c.fund == fund)
    return {code: int(had) for code, had in connection.execute(asked.group_by(LINES.c.fund))}


class Span(NamedTuple):
    """Where the events of a line stand: none before ``first``, none after ``last``."""

    first: Position
    last: Position


def span(connection: Connection, fund: str, line: Place) -> Span | None:
    """Return where the events of one line stand, if there is such a line."""
    asked = select(LINES.c.first, LINES.c.last).where(
        LINES.c.fund == fund, LINES.c.on == line.on, LINES.c.kind == line.kind
    )
    row = connection.execute(asked).first()
    return None if row is None else Span(*row)


def events_within(
    connection: Connection, where: Span, fund: str, line: Place, *, limit: int = 100
) -> list[Position]:
    """Return the positions of up to ``limit`` events of one line that stand in ``where``, in order.

    Args:
        connection: To a journal that has reached the end of it.
        where: Among which entries to look.
        fund: Whose statement it is.
        line: Which line of it.
        limit: How many to return.

    """
    place = ENTRIES.c.position
    asked = (
        select(place)
        .distinct()
        .where(ENTRIES.c.fund == fund, place.between(*where), ENTRIES.c.on == line.on)
        .where(ENTRIES.c.type.startswith(f"{line.kind}.", autoescape=True))
        .order_by(place)
        .limit(limit)
    )
    return [Position(position) for position in connection.execute(asked).scalars()]
