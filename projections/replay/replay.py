"""Replay: compares every served row with the history, from event 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Engine, Row, Table, create_engine, select

from ledger.books.tallies import COUNTED, TallyOn
from ledger.commands.records import Records
from ledger.kernel.names import Position
from ledger.store.engine import in_order
from projections.kernel.follow import Follower, Progress, silent
from projections.kernel.history import PAGE
from projections.kernel.view import View, as_of_now
from projections.replay.fold import Books, fold
from projections.views.fund_balances import FundBalance, FundBalances, fund_balance, fund_rows
from projections.views.opening import prepare_unread

TRIES = 20
"""Times that the tallies are read again because the ledger went on meanwhile."""

KEPT_MAX, SHOWN_MAX = 10_000, 20
"""Differences that are kept, and that people are shown; the others are counted. After so many the
view is simply to be rebuilt."""


class Difference(Struct, frozen=True):
    """A row that is not what the history says.

    Attributes:
        table: Where it is.
        row: The key by which it is found there.
        served: What stands there; nothing if the row is missing.
        replayed: What ought to; nothing if the row ought not to be.

    """

    table: str
    row: dict[str, Any]
    served: dict[str, Any] | None
    replayed: dict[str, Any] | None

    def __str__(self) -> str:
        """Say it in one line."""
        key = ", ".join(f"{name} {value}" for name, value in self.row.items())
        served, replayed = _columns(self.served), _columns(self.replayed)
        return f"{self.table} ({key}): served {served}, replayed {replayed}"


class Replayed(Struct, frozen=True):
    """The result of a replay.

    Attributes:
        position: The last event that was replayed.
        balances: What every fund has by then.
        different: How many rows and tallies are not what they ought to be.
        differences: The first of them.
        served: How far each of the served views has read; it was compared at that point.
        tallies_compared: False if only a part was replayed, or the ledger never held still.

    """

    position: Position
    balances: list[FundBalance]
    different: int
    differences: list[Difference]
    served: dict[str, Position]
    tallies_compared: bool


def replay(  # noqa: PLR0913  # What, up to where, and how much is told of it.
    ledger: Records,
    served: Engine,
    views: Sequence[View],
    *,
    until: Position | None = None,
    progress: Progress = silent,
    keep: int = KEPT_MAX,
) -> Replayed:
    """Recompute every view from event 1 and compare it with what is served.

    Args:
        ledger: Whose history is replayed.
        served: The views that readers see. They are only read.
        views: All of them.
        until: Stop after this event, and compare the balances that were known then.
        progress: Told now and then how far it is.
        keep: How many differences are told apart; all are counted.

    """
    fresh = _scratch()
    follower = Follower(ledger, fresh, views)
    last = ledger.store.last_position()
    goal = last if until is None else min(last, until)
    with served.connect() as connection:
        slowest = min(view.reached(connection) for view in views)
    follower.catch_up(progress=progress, until=min(goal, slowest))
    with as_of_now(served) as connection:
        levels = {view.name: view.reached(connection) for view in views}
        differences = _Differences(keep)
        for view in sorted(views, key=lambda view: levels[view.name]):
            differences.note(
                _compared(view, follower, fresh, connection, min(goal, levels[view.name]))
            )
    follower.catch_up(FundBalances.name, progress=progress, until=goal)
    wrong = _tallies(ledger, progress, keep) if goal == last else None
    if wrong is not None:
        differences.add(wrong)
    return Replayed(
        position=goal,
        balances=_balances(fresh, goal),
        different=differences.amount,
        differences=differences.first,
        served=levels,
        tallies_compared=wrong is not None,
    )


class _Differences:
    """Differences: all are counted and the first kept, so that memory is bounded."""

    def __init__(self, keep: int) -> None:
        self.amount = 0
        self.first: list[Difference] = []
        self._keep = keep

    def note(self, differences: Iterable[Difference]) -> None:
        for each in differences:
            self.amount += 1
            if len(self.first) < self._keep:
                self.first.append(each)

    def add(self, other: _Differences) -> None:
        self.amount += other.amount
        self.first += other.first[: self._keep - len(self.first)]


def _compared(
    view: View, follower: Follower, fresh: Engine, served: Connection, goal: Position
) -> Iterator[Difference]:
    """Compare a view, row by row where it is; of an earlier moment it knows only balances."""
    follower.catch_up(view.name, until=goal)
    if view.reached(served) == goal:
        with fresh.connect() as replayed:
            for table in view.tables:
                yield from _rows_between(table, replayed, served)
    elif view.name == FundBalances.name:
        yield from _against(_balances(fresh, goal), served)


def _scratch() -> Engine:
    """Open a database of nobody else's that spills to disk when it outgrows its cache."""
    engine = create_engine("sqlite://", creator=_private)
    prepare_unread(engine)
    return engine


def _private() -> sqlite3.Connection:
    return sqlite3.connect("", check_same_thread=False)


def _balances(engine: Engine, position: Position) -> list[FundBalance]:
    with engine.connect() as connection:
        balances = (
            fund_balance(connection, row["fund"], position) for row in fund_rows(connection)
        )
        return [each for each in balances if each is not None]


def _against(balances: Sequence[FundBalance], served: Connection) -> Iterator[Difference]:
    """Compare with what was known at an earlier position."""
    for ours in balances:
        theirs = fund_balance(served, ours.fund, ours.position, known_at=ours.position)
        if theirs != ours:
            served_figures = None if theirs is None else _figures(theirs)
            key = {"fund": ours.fund, "position": ours.position}
            yield Difference("fund_movements", key, served_figures, _figures(ours))


def _figures(balance: FundBalance) -> dict[str, Any]:
    return {name: getattr(balance, name) for name in balance.__struct_fields__[4:]}


def _rows_between(table: Table, fresh: Connection, served: Connection) -> Iterator[Difference]:
    """Walk both tables side by side in the order of their keys, holding one row of each."""
    key = [str(column.name) for column in table.primary_key]
    ours, theirs = _rows(table, fresh), _rows(table, served)
    ought, stands = next(ours, None), next(theirs, None)
    while ought is not None or stands is not None:
        if ought == stands:  # As nearly all do; where a row belongs costs more to ask.
            ought, stands = next(ours, None), next(theirs, None)
            continue
        place = min(_place(row, key) for row in (ought, stands) if row is not None)
        here_ought = ought if ought is not None and _place(ought, key) == place else None
        here_stands = stands if stands is not None and _place(stands, key) == place else None
        if here_ought != here_stands:
            yield _difference(table, key, here_stands, here_ought)
        if here_ought is not None:
            ought = next(ours, None)
        if here_stands is not None:
            stands = next(theirs, None)


def _rows(table: Table, connection: Connection) -> Iterator[Row[Any]]:
    query = select(table).order_by(*in_order(table, connection.dialect.name))
    return iter(connection.execute(query.execution_options(yield_per=PAGE)))


def _place(row: Row[Any], key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row._mapping[name] for name in key)  # noqa: SLF001  # SQLAlchemy's public name.


def _difference(
    table: Table, key: Sequence[str], served: Row[Any] | None, replayed: Row[Any] | None
) -> Difference:
    """Name the row, and of its columns those that differ."""
    there = dict(served._mapping) if served is not None else None  # noqa: SLF001  # Public.
    ought = dict(replayed._mapping) if replayed is not None else None  # noqa: SLF001  # Public.
    either = there or ought or {}
    if there is not None and ought is not None:
        differing = [name for name in ought if there[name] != ought[name]]
        there = {name: there[name] for name in differing}
        ought = {name: ought[name] for name in differing}
    return Difference(str(table.name), {name: either[name] for name in key}, there, ought)


def _tallies(ledger: Records, progress: Progress, keep: int) -> _Differences | None:
    """Compare the tallies that guard the funds with a recount.

    They belong to the newest event, so if more was recorded while they were read, they are read
    again after counting on; nothing is returned if that never ends.
    """
    books = Books()
    for _ in range(TRIES):
        fold(ledger, progress=progress, books=books)
        differences = _Differences(keep)
        differences.note(_tallies_against(books, ledger))
        differences.note(_days_against(books, ledger))
        if ledger.store.last_position() == books.position:
            return differences
    return None


def _tallies_against(books: Books, ledger: Records) -> Iterator[Difference]:
    counted, payments = books.all_tallies(), 0
    for tally, value in ledger.store.all_tallies():
        if tally.name == COUNTED:
            payments += 1
            ought = 1
        else:
            ought = counted.pop(tally, 0)
        if value != ought:
            yield Difference("tallies", tally._asdict(), {"value": value}, {"value": ought})
    for tally, ought in sorted(counted.items()):
        if ought:
            yield Difference("tallies", tally._asdict(), None, {"value": ought})
    if payments != books.payments:
        rows, events = {"rows": payments}, {"rows": books.payments}
        yield Difference("tallies", {"name": COUNTED}, rows, events)


def _days_against(books: Books, ledger: Records) -> Iterator[Difference]:
    ought = dict(books.all_days())
    for tally_on, value in ledger.store.all_days():
        replayed = ought.pop(tally_on, None)
        if value != replayed:
            yield _day_difference(tally_on, value, replayed)
    for tally_on, replayed in ought.items():
        yield _day_difference(tally_on, None, replayed)


def _day_difference(tally_on: TallyOn, served: int | None, replayed: int | None) -> Difference:
    row = {**tally_on.tally._asdict(), "day": tally_on.day}
    there, ought = (None if each is None else {"value": each} for each in (served, replayed))
    return Difference("tallies_by_day", row, there, ought)


def _columns(values: dict[str, Any] | None) -> str:
    if values is None:
        return "no such row"
    return ", ".join(f"{name} {value}" for name, value in values.items())
