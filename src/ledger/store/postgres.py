"""The store on PostgreSQL: one database, and as many processes as one likes.

Writers take turns by an advisory lock that lasts as long as their transaction. So positions are
visible in their order, and a reader that follows them never passes one that is still to come.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import Notification, StoredEvent
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

from ledger.errors import Conflict
from ledger.names import Position
from ledger.store.commits import Answer, Commit, Outcome, Receipt, Verdict, judge
from ledger.store.recorder import Store
from ledger.tallies import Tally

CREATE = """
    CREATE TABLE IF NOT EXISTS stored_events (
        position           bigint PRIMARY KEY,
        originator_id      uuid NOT NULL,
        originator_version bigint NOT NULL,
        topic              text NOT NULL,
        state              bytea NOT NULL,
        UNIQUE (originator_id, originator_version)
    );
    CREATE TABLE IF NOT EXISTS tallies (
        subject text NOT NULL,
        name    text NOT NULL,
        value   bigint NOT NULL,
        PRIMARY KEY (subject, name),
        CHECK (value >= 0 OR NOT (name = 'available' OR name LIKE 'unsold %'))
    );
    CREATE TABLE IF NOT EXISTS answers (
        command     uuid PRIMARY KEY,
        fingerprint jsonb NOT NULL,
        receipt     jsonb NOT NULL
    );
"""

WRITERS = 0x1EF6
"""The advisory lock that writers take turns by; any number that nobody else uses here."""

POOL_MAX = 12
"""Connections of one process: its readers, and the one that writes."""

CONNECTION = {
    "autocommit": True,
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "target_session_attrs": "read-write",
    "options": (
        "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
    ),
}
"""A server that went away is noticed in seconds, and a primary found among several hosts."""

OUTAGE_MAX_S = 20.0
"""How long a write waits for a server that restarts before it gives up."""

RETRY_S = 0.1

_EVENTS = "SELECT position, originator_id, originator_version, topic, state FROM stored_events"


class PostgresStore(Store):
    """Events, tallies and answers in one database."""

    is_local = False

    def __init__(self, url: str, *, writes: bool = True) -> None:
        self._pool: ConnectionPool[Any] = ConnectionPool(
            url,
            kwargs=CONNECTION,
            min_size=1,
            max_size=POOL_MAX,
            timeout=5.0,
            reconnect_timeout=3.0,
            check=ConnectionPool.check_connection,
            open=True,
        )
        if writes:
            with self._writing() as connection:
                connection.execute(CREATE)

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    # Writing.

    def write(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Store those of ``commits`` that stand."""
        try:
            return self._write_surely(commits)
        except psycopg.IntegrityError:
            if len(commits) == 1:
                return [Conflict("somebody else changed this meanwhile")]
            return [outcome for each in commits for outcome in self.write([each])]

    def _write_surely(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Write, and after a lost connection look first whether it was written.

        What the server did last before it went away is unknown. The verdict that was being
        stored tells: its first row is there with the same bytes, or the transaction never was.
        """
        give_up = time.monotonic() + OUTAGE_MAX_S
        attempt = _Attempt()
        while True:
            try:
                if attempt.verdict is not None and self._landed(attempt.verdict):
                    return attempt.verdict.outcomes
                return self._write(commits, attempt)
            except psycopg.OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(RETRY_S)

    def _write(self, commits: Sequence[Commit], attempt: _Attempt) -> list[Outcome]:
        attempt.verdict = None
        with self._writing() as connection:
            asked = {tally for commit in commits for tally in commit.tallies()}
            commands = [each.command for each in commits if each.fingerprint is not None]
            verdict = judge(
                commits,
                tallies=_tallies(connection, asked),
                answers=_answers(connection, commands),
                last=_last(connection),
            )
            _insert(connection, verdict)
            attempt.verdict = verdict
        return verdict.outcomes

    def _landed(self, verdict: Verdict) -> bool:
        with self._pool.connection() as connection:
            if verdict.events:
                position, stored = verdict.events[0]
                row = connection.execute(
                    "SELECT state FROM stored_events WHERE position = %s", (position,)
                ).fetchone()
                return row is not None and bytes(row[0]) == stored.state
            return bool(_answers(connection, verdict.answers)) or not verdict.answers

    @contextmanager
    def _writing(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a transaction that no other writer is in."""
        with self._pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
            yield connection

    # Reading.

    def answer(self, command: UUID) -> Answer | None:
        """Return what was answered to ``command``, if it was."""
        with self._pool.connection() as connection:
            return _answers(connection, [command]).get(command)

    def tallies(self, asked: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies."""
        with self._pool.connection() as connection:
            return _tallies(connection, asked)

    def all_tallies(self) -> Iterator[tuple[Tally, int]]:
        """Return every tally that is kept."""
        for subject, name, value in self._rows("SELECT subject, name, value FROM tallies"):
            yield Tally(subject, name), value

    def position_of(self, stream: UUID, version: int) -> Position:
        """Return where version ``version`` of ``stream`` stands."""
        ((position,),) = self._rows(
            "SELECT position FROM stored_events"
            " WHERE originator_id = %s AND originator_version = %s",
            (stream, version),
        )
        return Position(position)

    def last_position(self) -> Position:
        """Return the place of the newest event; 0 before the first."""
        with self._pool.connection() as connection:
            return Position(_last(connection))

    def streams(self, ids: Sequence[UUID]) -> Iterator[StoredEvent]:
        """Return the events of many streams."""
        order = "ORDER BY originator_id, originator_version"
        rows = self._rows(f"{_EVENTS} WHERE originator_id = ANY(%s) {order}", (list(ids),))
        return map(_notification, rows)

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
        rows = self._rows(
            f"{_EVENTS} WHERE originator_id = %s"
            " AND originator_version > %s AND (%s::bigint IS NULL OR originator_version <= %s)"
            f" ORDER BY originator_version {'DESC' if desc else 'ASC'} LIMIT %s",
            (originator_id, gt or 0, lte, lte, limit),
        )
        return [_notification(row) for row in rows]

    def history(
        self, after: int, limit: int, *, topic: str | None = None, stream: UUID | None = None
    ) -> list[Notification]:
        """Return up to ``limit`` events that follow position ``after``, all or some of them."""
        asked, values = "", [after]  # type: tuple[str, list[Any]]
        if topic is not None:
            asked, values = asked + " AND topic = %s", [*values, topic]
        if stream is not None:
            asked, values = asked + " AND originator_id = %s", [*values, stream]
        rows = self._rows(
            f"{_EVENTS} WHERE position > %s{asked} ORDER BY position LIMIT %s", (*values, limit)
        )
        return [_notification(row) for row in rows]

    def at(self, positions: Sequence[int]) -> list[Notification]:
        """Return the events at these positions, in order."""
        rows = self._rows(
            f"{_EVENTS} WHERE position = ANY(%s) ORDER BY position", (list(positions),)
        )
        return [_notification(row) for row in rows]

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._pool.connection() as connection:
            found = connection.execute(cast("Any", query), values, binary=True).fetchall()
        return cast("list[tuple[Any, ...]]", found)


class _Attempt:
    """What was being stored when the connection was lost, if it came to that."""

    verdict: Verdict | None = None


def _insert(connection: psycopg.Connection[Any], verdict: Verdict) -> None:
    if verdict.events:
        events = [stored for _, stored in verdict.events]
        connection.execute(
            "INSERT INTO stored_events SELECT * FROM"
            " unnest(%b::bigint[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[])",
            (
                [at for at, _ in verdict.events],
                [each.originator_id for each in events],
                [each.originator_version for each in events],
                [each.topic for each in events],
                [each.state for each in events],
            ),
        )
    if verdict.tallies:
        connection.execute(
            "INSERT INTO tallies SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])"
            " ON CONFLICT (subject, name) DO UPDATE SET value = excluded.value",
            (
                [tally.subject for tally in verdict.tallies],
                [tally.name for tally in verdict.tallies],
                list(verdict.tallies.values()),
            ),
        )
    if verdict.answers:
        connection.execute(
            "INSERT INTO answers SELECT * FROM unnest(%s::uuid[], %s::jsonb[], %s::jsonb[])",
            (
                list(verdict.answers),
                [Jsonb(each.fingerprint) for each in verdict.answers.values()],
                [Jsonb(msgspec.to_builtins(each.receipt)) for each in verdict.answers.values()],
            ),
        )


def _last(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT max(position) FROM stored_events").fetchone()
    return (row[0] if row else None) or 0


def _notification(row: tuple[Any, ...]) -> Notification:
    position, stream, version, topic, state = row
    return Notification(stream, version, topic, bytes(state), position)


def _tallies(connection: psycopg.Connection[Any], asked: Iterable[Tally]) -> dict[Tally, int]:
    asked = list(asked)
    if not asked:
        return {}
    rows = connection.execute(
        "SELECT subject, name, value FROM tallies"
        " JOIN unnest(%s::text[], %s::text[]) AS asked (subject, name) USING (subject, name)",
        ([each.subject for each in asked], [each.name for each in asked]),
    )
    return {Tally(subject, name): value for subject, name, value in rows}


def _answers(connection: psycopg.Connection[Any], commands: Iterable[UUID]) -> dict[UUID, Answer]:
    commands = list(commands)
    if not commands:
        return {}
    rows = connection.execute(
        "SELECT command, fingerprint, receipt FROM answers WHERE command = ANY(%s)", (commands,)
    )
    return {
        command: Answer(fingerprint, msgspec.convert(receipt, Receipt))
        for command, fingerprint, receipt in rows
    }
