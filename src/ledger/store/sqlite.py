"""The embedded store: one SQLite file, one process that writes.

The library's recorder keeps the events and reads them; the write is ours, because events, tallies
and the answer to the caller belong in one transaction. Positions are given out here, without gaps.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, local
from typing import cast
from uuid import UUID

import msgspec
from eventsourcing.persistence import Notification, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore

from ledger.errors import Conflict
from ledger.names import Position
from ledger.store.commits import Answer, Commit, Outcome, Receipt, judge
from ledger.tallies import Tally

CREATE = (
    """
    CREATE TABLE IF NOT EXISTS tallies (
        subject TEXT NOT NULL,
        name    TEXT NOT NULL,
        value   INTEGER NOT NULL,
        PRIMARY KEY (subject, name),
        CHECK (value >= 0 OR NOT (name = 'available' OR name LIKE 'unsold %'))
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS answers (
        command     BLOB PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        receipt     BLOB NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

CHUNK = 500
"""Values in one IN list; SQLite allows many more, and its plans stay cached."""

BUSY_TIMEOUT_S = 10.0

_encode = msgspec.json.encode
_fingerprint = msgspec.json.Decoder(dict[str, str]).decode
_receipt = msgspec.json.Decoder(Receipt).decode


class SqliteStore(SQLiteApplicationRecorder):
    """Events, tallies and answers in one file."""

    def __init__(self, datastore: SQLiteDatastore) -> None:
        super().__init__(datastore)
        self._path = datastore.pool.db_name
        self._writing = Lock()
        self._writer: sqlite3.Connection | None = None
        self._readers = local()

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's table and ours."""
        return [*super().construct_create_table_statements(), *CREATE]

    def write(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Store those of ``commits`` that stand, in one transaction; say how each fared.

        If two rivals added to one stream, each is tried again alone, so that only the one that
        came second is told of a conflict.
        """
        with self._writing:
            try:
                return self._write(commits)
            except sqlite3.IntegrityError:
                if len(commits) > 1:
                    return [outcome for each in commits for outcome in self._write_alone(each)]
                return [Conflict("somebody else changed this meanwhile")]

    def _write_alone(self, commit: Commit) -> list[Outcome]:
        try:
            return self._write([commit])
        except sqlite3.IntegrityError:
            return [Conflict("somebody else changed this meanwhile")]

    def _write(self, commits: Sequence[Commit]) -> list[Outcome]:
        with self._transaction() as connection:
            (last,) = connection.execute("SELECT max(rowid) FROM stored_events").fetchone()
            asked = {tally for commit in commits for tally in commit.tallies()}
            commands = [each.command for each in commits if each.fingerprint is not None]
            verdict = judge(
                commits,
                tallies=_tallies(connection, asked),
                answers=_answers(connection, commands),
                last=last or 0,
            )
            connection.executemany(
                "INSERT INTO stored_events"
                " (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)",
                [
                    (at, cast("UUID", e.originator_id).hex, e.originator_version, e.topic, e.state)
                    for at, e in verdict.events
                ],
            )
            connection.executemany(
                "INSERT INTO tallies VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET value = excluded.value",
                [(*tally, value) for tally, value in verdict.tallies.items()],
            )
            connection.executemany(
                "INSERT INTO answers VALUES (?, ?, ?)",
                [
                    (command.bytes, _encode(each.fingerprint), _encode(each.receipt))
                    for command, each in verdict.answers.items()
                ],
            )
        return verdict.outcomes

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        if self._writer is None:
            self._writer = self._connect()
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
        return _answers(self._reader(), [command]).get(command)

    def tallies(self, asked: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies; one that was never changed is zero."""
        return _tallies(self._reader(), asked)

    def all_tallies(self) -> Iterator[tuple[Tally, int]]:
        """Return every tally that is kept."""
        for subject, name, value in self._reader().execute("SELECT * FROM tallies"):
            yield Tally(subject, name), value

    def position_of(self, stream: UUID, version: int) -> Position:
        """Return where version ``version`` of ``stream`` stands in the whole ledger."""
        (position,) = (
            self._reader()
            .execute(
                "SELECT rowid FROM stored_events"
                " WHERE originator_id = ? AND originator_version = ?",
                (stream.hex, version),
            )
            .fetchone()
        )
        return Position(position)

    def last_position(self) -> Position:
        """Return the place of the newest event; 0 before the first."""
        (position,) = self._reader().execute("SELECT max(rowid) FROM stored_events").fetchone()
        return Position(position or 0)

    def streams(self, ids: Sequence[UUID]) -> Iterator[StoredEvent]:
        """Return the events of many streams, each stream's together and in order."""
        for start in range(0, len(ids), CHUNK):
            some = [each.hex for each in ids[start : start + CHUNK]]
            marks = ",".join("?" * len(some))
            for stream, version, topic, state in self._reader().execute(
                "SELECT originator_id, originator_version, topic, state FROM stored_events"  # noqa: S608  # Marks only.
                f" WHERE originator_id IN ({marks}) ORDER BY originator_id, originator_version",
                some,
            ):
                yield StoredEvent(UUID(stream), version, topic, state)

    def history(
        self, after: int, limit: int, *, topic: str | None = None, stream: UUID | None = None
    ) -> list[Notification]:
        """Return up to ``limit`` events that follow position ``after``, all or some of them."""
        asked, values = "", [after]  # type: tuple[str, list[int | str]]
        if topic is not None:
            asked, values = asked + " AND topic = ?", [*values, topic]
        if stream is not None:
            asked, values = asked + " AND originator_id = ?", [*values, stream.hex]
        rows = self._reader().execute(
            f"{_HISTORY} WHERE rowid > ?{asked} ORDER BY rowid LIMIT ?", (*values, limit)
        )
        return [_notification(row) for row in rows]

    def at(self, positions: Sequence[int]) -> list[Notification]:
        """Return the events at these positions, in order."""
        found = []
        for start in range(0, len(positions), CHUNK):
            some = positions[start : start + CHUNK]
            marks = ",".join("?" * len(some))
            rows = self._reader().execute(
                f"{_HISTORY} WHERE rowid IN ({marks}) ORDER BY rowid", some
            )
            found += [_notification(row) for row in rows]
        return found

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
        return connection


_HISTORY = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"


def _notification(row: tuple[int, str, int, str, bytes]) -> Notification:
    position, stream, version, topic, state = row
    return Notification(UUID(stream), version, topic, state, position)


def _tallies(connection: sqlite3.Connection, asked: Iterable[Tally]) -> dict[Tally, int]:
    found = {}
    for tally in asked:
        row = connection.execute(
            "SELECT value FROM tallies WHERE subject = ? AND name = ?", tally
        ).fetchone()
        if row is not None:
            found[tally] = row[0]
    return found


def _answers(connection: sqlite3.Connection, commands: Iterable[UUID]) -> dict[UUID, Answer]:
    found = {}
    for command in commands:
        row = connection.execute(
            "SELECT fingerprint, receipt FROM answers WHERE command = ?", (command.bytes,)
        ).fetchone()
        if row is not None:
            found[command] = Answer(_fingerprint(row[0]), _receipt(row[1]))
    return found
