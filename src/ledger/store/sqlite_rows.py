"""Rows of the SQLite store: how they are written, and read back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from eventsourcing.persistence import Notification

from ledger.kernel.tallies import Tally
from ledger.store.commits import Answer, Commit, Kept, Receipt, Verdict, asked_about, remembered

IN_ONE_LIST = 500
"""Values in one IN list; SQLite allows many more, and its plans stay cached."""

ROWS_AT_ONCE = (1_000, 100)
"""Rows of one INSERT: a thousand, else a hundred, else what is left. So most rows are written by
two statements, which stay prepared.
"""

_TALLIES = "SELECT subject, name, value FROM"
_DAYS = "SELECT subject, name, day, value FROM"
ANSWERS = "SELECT command, fingerprint, receipt FROM answers"

T = TypeVar("T")

_encode = msgspec.json.encode
_fingerprint = msgspec.json.Decoder(dict[str, str]).decode
_receipt = msgspec.json.Decoder(Receipt).decode


def insert(connection: sqlite3.Connection, verdict: Verdict) -> None:
    """Write what stands, many rows with one statement."""
    floors = verdict.floors
    _put(
        connection,
        "INSERT INTO stored_events VALUES",
        [
            (at, cast("UUID", e.originator_id).hex, e.originator_version, e.topic, e.state)
            for at, e in verdict.events
        ],
    )
    _put(
        connection,
        "INSERT OR REPLACE INTO tallies VALUES",
        [(*tally, value, floors.get(tally)) for tally, value in verdict.tallies.items()],
    )
    _put(
        connection,
        "INSERT OR REPLACE INTO tallies_by_day VALUES",
        [
            (*tally, day.isoformat(), value, floors.get(tally))
            for (tally, day), value in verdict.days.items()
        ],
    )
    _put(
        connection,
        "INSERT INTO answers VALUES",
        [
            (command.bytes, _encode(each.fingerprint), _encode(each.receipt))
            for command, each in verdict.answers.items()
        ],
    )


def _put(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert ``rows``, many with one statement.

    Python lets other threads run at each step of a statement, and a busy server would make the
    committer wait for its turn once a row.
    """
    for some in _blocks(rows):
        row = f"({marks(some[0])})"
        values = [value for each in some for value in each]
        connection.execute(f"{into} {','.join([row] * len(some))}", values)


def _blocks(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    start = 0
    for size in ROWS_AT_ONCE:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size
    if start < len(rows):
        yield rows[start:]


def kept(connection: sqlite3.Connection, commits: Sequence[Commit]) -> Kept:
    """Return what is kept of what ``commits`` ask about."""
    keys, since = asked_about(commits)
    return Kept(
        tallies=tallies(connection, keys),
        days=days(connection, since),
        answers=answers(connection, remembered(commits)),
        last=last(connection),
    )


def last(connection: sqlite3.Connection) -> int:
    """Return the place of the newest event; 0 before the first."""
    (position,) = connection.execute("SELECT max(position) FROM stored_events").fetchone()
    return position or 0


def marks(values: Sequence[object]) -> str:
    """Return a placeholder for each of ``values``."""
    return ",".join("?" * len(values))


def notification(row: tuple[int, str, int, str, bytes]) -> Notification:
    """Return an event from its row."""
    position, stream, version, topic, state = row
    return Notification(UUID(stream), version, topic, state, position)


def tallies_asked(count: int) -> str:
    """Return the statement that looks ``count`` tallies up, each by its key.

    With ``(subject, name) IN (VALUES …)`` SQLite reads the whole table, a row a payment, each time.
    """
    pairs = ",".join(["(?,?)"] * count)
    return f"{_TALLIES} (VALUES {pairs}) CROSS JOIN tallies ON subject = column1 AND name = column2"


def tallies(connection: sqlite3.Connection, keys: Iterable[Tally]) -> dict[Tally, int]:
    """Return the current values of those tallies that were ever changed."""
    values: dict[Tally, int] = {}
    for some in pieces(list(keys)):
        parts = [part for tally in some for part in tally]
        rows = connection.execute(tallies_asked(len(some)), parts)
        values.update({Tally(subject, name): value for subject, name, value in rows})
    return values


def days_asked(count: int) -> str:
    """Return the statement that looks up ``count`` tallies since a day each, by their keys.

    What each came to before that day is its last entry until then, which is looked up as well.
    """
    triples = ",".join(["(?,?,?)"] * count)
    last = "SELECT max(day) FROM tallies_by_day WHERE (subject, name) = (column1, column2)"
    since = f"coalesce(({last} AND day <= column3), column3)"
    return (
        f"{_DAYS} (VALUES {triples}) CROSS JOIN tallies_by_day"
        f" ON subject = column1 AND name = column2 AND day >= {since}"
    )


def days(
    connection: sqlite3.Connection, since: Mapping[Tally, date]
) -> dict[Tally, dict[date, int]]:
    """Return the values per day of those tallies, since the last entry until that day."""
    values: dict[Tally, dict[date, int]] = {}
    for some in pieces(list(since.items())):
        parts = [part for tally, day in some for part in (*tally, day.isoformat())]
        for subject, name, day, value in connection.execute(days_asked(len(some)), parts):
            values.setdefault(Tally(subject, name), {})[date.fromisoformat(day)] = value
    return values


def answers(connection: sqlite3.Connection, commands: Iterable[UUID]) -> dict[UUID, Answer]:
    """Return what was answered to those commands that were."""
    by_command: dict[UUID, Answer] = {}
    for some in pieces(list(commands)):
        rows = connection.execute(
            f"{ANSWERS} WHERE command IN ({marks(some)})", [each.bytes for each in some]
        )
        by_command.update(map(answer, rows))
    return by_command


def answer(row: tuple[bytes, bytes, bytes]) -> tuple[UUID, Answer]:
    """Return the id of a command and what was answered to it."""
    command, fingerprint, receipt = row
    return UUID(bytes=command), Answer(_fingerprint(fingerprint), _receipt(receipt))


def pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut ``values`` into lists that one statement can ask for."""
    for start in range(0, len(values), IN_ONE_LIST):
        yield values[start : start + IN_ONE_LIST]
