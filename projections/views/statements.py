"""A fund's statement (收支明细): what came and went, a line for each day and kind of event.

It is kept by day and kind, so a statement of any period reads few rows however many gifts there
were. A line knows where its events stand, and opens into them.
"""

from __future__ import annotations

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

from ledger.books.movements import Movement, movements
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import FundCode, Position
from projections.kernel.periods import ALWAYS, Period, within
from projections.kernel.view import METADATA, Batch, View, add_up, run_all
from projections.views.journal import LINES as ENTRIES
from projections.views.purposes import AIMS, PAID, PURPOSES, write_purposes

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

KINDS = Table(
    "statement_kinds",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("came", BigInteger, nullable=False),
    Column("went", BigInteger, nullable=False),
)
"""What the lines of each kind add up to since the first event, which is asked for most."""

_ADD_LINE = """
    INSERT INTO statement_lines (fund, "on", kind, events, came, went, first, last)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (fund, "on", kind) DO UPDATE SET
      events = statement_lines.events + excluded.events,
      came = statement_lines.came + excluded.came,
      went = statement_lines.went + excluded.went,
      last = excluded.last
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
        write_purposes(connection, batch)


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
    """A fund's statement: opening balance, income, spending, closing balance. All figures in fen.

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
        """The closing balance of the fund."""
        return self.opening + self.came - self.went


class Place(NamedTuple):
    """Which line of a fund: one for each day and kind."""

    on: date
    kind: str


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
    inside = within(LINES, period)
    whole = _sum(connection, fund, *inside) if inside else _whole(connection, fund)
    seen = [] if after is None else [tuple_(LINES.c.on, LINES.c.kind) <= tuple_(*after)]
    carried = opening.net + (_sum(connection, fund, *inside, *seen).net if seen else 0)
    query = select(LINES).where(LINES.c.fund == fund, *inside, *(not_(each) for each in seen))
    rows = connection.execute(query.order_by(LINES.c.on, LINES.c.kind).limit(limit + 1)).all()
    lines = tuple(_with_balances(carried, (row._mapping for row in rows[:limit])))  # noqa: SLF001  # SQLAlchemy's own name for it.
    return Statement(opening.net, whole.came, whole.went, carried, lines, more=len(rows) > limit)


class _Sum(NamedTuple):
    came: int
    went: int

    @property
    def net(self) -> int:
        return self.came - self.went


def _sum(connection: Connection, fund: str, *where: ColumnElement[bool]) -> _Sum:
    query = select(func.sum(LINES.c.came), func.sum(LINES.c.went))
    came, went = connection.execute(query.where(LINES.c.fund == fund, *where)).one()
    return _Sum(int(came or 0), int(went or 0))


def _whole(connection: Connection, fund: str) -> _Sum:
    kinds = came_from(connection, fund=fund).values()
    return _Sum(sum(came for came, _ in kinds), sum(went for _, went in kinds))


def _with_balances(balance: int, rows: Iterable[Mapping[Any, Any]]) -> Iterable[Line]:
    for row in rows:
        balance += row["came"] - row["went"]
        yield Line(row["on"], row["kind"], row["events"], row["came"], row["went"], balance)


def came_from(
    connection: Connection, period: Period = ALWAYS, *, fund: str | None = None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return what each kind of event brought each fund, or one, in a period, and took."""
    table = KINDS if period == ALWAYS else LINES
    query = select(table.c.fund, table.c.kind, func.sum(table.c.came), func.sum(table.c.went))
    where = within(table, period) + ([] if fund is None else [table.c.fund == fund])
    rows = connection.execute(query.where(*where).group_by(table.c.fund, table.c.kind))
    return {(code, kind): (int(came), int(went)) for code, kind, came, went in rows}


def openings(connection: Connection, day: date, *, fund: str | None = None) -> dict[str, int]:
    """Return what each fund, or one, had when a business day began."""
    query = select(LINES.c.fund, func.sum(LINES.c.came - LINES.c.went)).where(LINES.c.on < day)
    if fund is not None:
        query = query.where(LINES.c.fund == fund)
    return {code: int(had) for code, had in connection.execute(query.group_by(LINES.c.fund))}


class Span(NamedTuple):
    """The first and last position of a line's events."""

    first: Position
    last: Position


def span(connection: Connection, fund: str, line: Place) -> Span | None:
    """Return where the events of one line stand, if there is such a line."""
    query = select(LINES.c.first, LINES.c.last).where(
        LINES.c.fund == fund, LINES.c.on == line.on, LINES.c.kind == line.kind
    )
    row = connection.execute(query).first()
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
    query = (
        select(place)
        .distinct()
        .where(ENTRIES.c.fund == fund, place.between(*where), ENTRIES.c.on == line.on)
        .where(ENTRIES.c.type.startswith(f"{line.kind}.", autoescape=True))
        .order_by(place)
        .limit(limit)
    )
    return [Position(position) for position in connection.execute(query).scalars()]
