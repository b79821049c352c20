"""The embedded store: one SQLite file, and one process that writes it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Lock, local
from typing import cast
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from ledger.kernel.errors import LedgerError
from ledger.kernel.names import Position
from ledger.kernel.tallies import UNBOUNDED, Bounds, Tally, TallyOn
from ledger.store import schema as schemas
from ledger.store import sqlite_rows as stored
from ledger.store.commits import Answer, Commit, Kept, Outcome, Verdict, judge
from ledger.store.recorder import FLOORS, NotNext, Row, Store, streams_asked
from ledger.store.schema import EVENTS, SQLITE, Schema

BUSY_TIMEOUT_S = 10.0

VERSION_MAX = 2**62
"""A version that no stream reaches."""

_EVENTS = "SELECT position, originator_id, originator_version, topic, state FROM stored_events"


class AnotherWriter(LedgerError):
    """One process at a time writes a ledger that is kept in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"another process is writing {path}; stop it first, or use its API")


def is_being_written(path: Path) -> bool:
    """Say whether a process has the ledger at ``path`` open for writing."""
    try:
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


class SqliteStore(Store):
    """Events, tallies and answers in one file."""

    is_local = True
    rivalry = sqlite3.IntegrityError
    spoilt = (sqlite3.DataError, OverflowError, UnicodeError)

    def __init__(
        self,
        path: Path,
        *,
        writes: bool = True,
        schema: Schema = EVENTS,
        bounds: Bounds = UNBOUNDED,
    ) -> None:
        """Open the file at ``path``.

        Args:
            path: Where it is, or will be.
            writes: Commands may be stored; tables are created, or brought up to this version.
            schema: The tables that there ought to be.
            bounds: Of the tallies that commands change.

        """
        self.bounds = bounds
        self._path = path
        self._lock_file = self._lock_out_others() if writes else None
        self._writing = Lock()
        self._readers = local()
        self._opened: list[sqlite3.Connection] = []
        try:
            self._writer = self._connect()
            self.notices = self._prepare(schema, writes=writes)
        except BaseException:
            self.close()
            raise

    def _prepare(self, schema: Schema, *, writes: bool) -> list[str]:
        if not writes:
            schemas.check(self._writer.execute, SQLITE, schema)
            return []
        with self._transaction() as connection:
            return schemas.migrate(connection.execute, SQLITE, schema, upgrade=True)

    def _lock_out_others(self) -> int:
        """Hold a lock that the system lets go of when this process ends, however it ends."""
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise AnotherWriter(self._path) from None
        return lock

    def close(self) -> None:
        """Let go of the file, and of the right to write it."""
        for connection in self._opened:
            connection.close()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _write(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Store those of ``commits`` that stand."""
        with self._transaction() as connection:
            verdict = judge(commits, stored.kept(connection, commits), self.bounds)
            stored.insert(connection, verdict)
        return verdict.outcomes

    def append_exact(self, verdict: Verdict) -> None:
        """Store what another store held."""
        with self._transaction() as connection:
            if verdict.events:
                first, last = verdict.events[0][0], stored.last(connection)
                if first != last + 1:
                    raise NotNext(first, last)
            stored.insert(connection, verdict)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the process that writes, which the opener for writing is already."""
        if self._lock_file is not None:
            yield
            return
        lock = self._lock_out_others()
        try:
            yield
        finally:
            os.close(lock)

    def set_version(self, version: int) -> None:
        """Write down which version the tables have."""
        with self._transaction() as connection:
            schemas.set_version(connection.execute, SQLITE, version)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def answer(self, command: UUID) -> Answer | None:
        """Return what was answered to ``command``, if it was."""
        return stored.answers(self._reader(), [command]).get(command)

    def tallies(self, keys: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies."""
        return stored.tallies(self._reader(), keys)

    def all_tallies(self) -> Iterator[tuple[Tally, int]]:
        """Return every tally that is kept, in the order of their names."""
        query = "SELECT subject, name, value FROM tallies ORDER BY subject, name"
        for subject, name, value in self._reader().execute(query):
            yield Tally(subject, name), value

    def all_days(self) -> Iterator[tuple[TallyOn, int]]:
        """Return every value per day that is kept, in the order of names and days."""
        query = "SELECT subject, name, day, value FROM tallies_by_day ORDER BY subject, name, day"
        for subject, name, day, value in self._reader().execute(query):
            yield TallyOn(Tally(subject, name), date.fromisoformat(day)), value

    def floors(self) -> dict[Tally, int]:
        """Return how low each tally with a floor may go, as their rows say."""
        rows = self._reader().execute(FLOORS)
        return {Tally(subject, name): floor for subject, name, floor in rows}

    def kept(self, commits: Sequence[Commit]) -> Kept:
        """Return what is kept of what ``commits`` ask about."""
        return stored.kept(self._reader(), commits)

    def all_answers(self) -> Iterator[tuple[UUID, Answer]]:
        """Return every answer that is kept, in the order of the commands' ids."""
        query = f"{stored.ANSWERS} ORDER BY command"
        yield from map(stored.answer, self._reader().execute(query))

    def position_of(self, stream: UUID, version: int) -> Position:
        """Return where version ``version`` of ``stream`` stands."""
        (position,) = (
            self._reader()
            .execute(
                "SELECT position FROM stored_events"
                " WHERE originator_id = ? AND originator_version = ?",
                (stream.hex, version),
            )
            .fetchone()
        )
        return Position(position)

    def last_position(self) -> Position:
        """Return the place of the newest event; 0 before the first."""
        return Position(stored.last(self._reader()))

    def count(self, until: int) -> int:
        """Return how many events there are up to position ``until``."""
        query = "SELECT count(*) FROM stored_events WHERE position <= ?"
        (count,) = self._reader().execute(query, (until,)).fetchone()
        return int(count)

    def streams(self, ids: Sequence[UUID]) -> Iterator[StoredEvent]:
        """Return the events of many streams."""
        for some in stored.pieces([each.hex for each in ids]):
            condition = f"WHERE originator_id IN ({stored.marks(some)})"
            order = "ORDER BY originator_id, originator_version"
            for row in self._reader().execute(f"{_EVENTS} {condition} {order}", some):
                yield stored.notification(row)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the events of one stream, as the library's repository asks for them."""
        rows = self._reader().execute(
            f"{_EVENTS} WHERE originator_id = ?"
            " AND originator_version > ? AND originator_version <= ?"
            f" ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT ?",
            (
                cast("UUID", originator_id).hex,
                gt or 0,
                VERSION_MAX if lte is None else lte,
                -1 if limit is None else limit,
            ),
        )
        return [stored.notification(row) for row in rows]

    def history(
        self, after: int, limit: int, *, topic: str | None = None, stream: UUID | None = None
    ) -> list[Notification]:
        """Return up to ``limit`` events that follow position ``after``, all or some of them."""
        condition, values = "", [after]  # type: tuple[str, list[int | str]]
        if topic is not None:
            condition, values = condition + " AND topic = ?", [*values, topic]
        if stream is not None:
            condition, values = condition + " AND originator_id = ?", [*values, stream.hex]
        rows = self._reader().execute(
            f"{_EVENTS} WHERE position > ?{condition} ORDER BY position LIMIT ?", (*values, limit)
        )
        return [stored.notification(row) for row in rows]

    def streams_with(self, topic: str) -> list[UUID]:
        """Return the streams that have an event of this topic."""
        return [UUID(stream) for (stream,) in self._reader().execute(streams_asked(topic))]

    def raw(self, after: int, limit: int) -> Iterable[tuple[Position, str, bytes]]:
        """Return position, topic and state of up to ``limit`` events after ``after``."""
        return self._reader().execute(
            "SELECT position, topic, state FROM stored_events"
            " WHERE position > ? ORDER BY position LIMIT ?",
            (after, limit),
        )

    def rows(self, after: int, limit: int) -> Iterator[Row]:
        """Return up to ``limit`` events that follow position ``after``, as they are stored."""
        query = f"{_EVENTS} WHERE position > ? ORDER BY position LIMIT ?"
        for at, oid, version, topic, state in self._reader().execute(query, (after, limit)):
            text = f"{oid[:8]}-{oid[8:12]}-{oid[12:16]}-{oid[16:20]}-{oid[20:]}"
            yield Row(at, text, version, topic, state)

    def at(self, positions: Sequence[int]) -> list[Notification]:
        """Return the events at these positions, in order."""
        events = []
        for some in stored.pieces(positions):
            rows = self._reader().execute(
                f"{_EVENTS} WHERE position IN ({stored.marks(some)}) ORDER BY position", some
            )
            events += [stored.notification(row) for row in rows]
        return events

    def _reader(self) -> sqlite3.Connection:
        """Return this thread's own connection for reading."""
        if not hasattr(self._readers, "connection"):
            self._readers.connection = self._connect()
        return cast("sqlite3.Connection", self._readers.connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        self._opened.append(connection)
        return connection
