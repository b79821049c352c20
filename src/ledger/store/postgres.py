"""The store on PostgreSQL: one database, and as many processes as one likes.

Writers take turns by an advisory lock that lasts as long as their transaction. So positions are
visible in their order, and a reader that follows them never passes one that is still to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from threading import local
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import Notification, StoredEvent

from ledger.kernel.names import Position
from ledger.kernel.tallies import UNBOUNDED, Bounds, Tally, TallyOn
from ledger.store import postgres_rows as stored
from ledger.store import schema as schemas
from ledger.store.commits import (
    Answer,
    Commit,
    Kept,
    Outcome,
    OutcomeUnknown,
    Receipt,
    StoreFailed,
    Verdict,
    judge,
)
from ledger.store.outage import OUTAGE_MAX_S, Connections, refuse_functions
from ledger.store.recorder import FLOORS, NotNext, Row, Store, WouldWait, streams_asked
from ledger.store.schema import EVENTS, POSTGRESQL, Schema

T = TypeVar("T")

WRITERS = 0x1EF6
"""The advisory lock that writers take turns by; any number that nobody else uses here."""

PAGE = 5_000
"""Rows of a long list that are read at a time."""


_EVENTS = "SELECT position, originator_id, originator_version, topic, state FROM stored_events"


class PostgresStore(Store):
    """Events, tallies and answers in one database."""

    is_local = False
    rivalry = psycopg.IntegrityError
    spoilt = (psycopg.DataError, OverflowError, UnicodeError)

    def __init__(  # noqa: PLR0913  # Where, what for, what tables and bounds, how patiently.
        self,
        url: str,
        *,
        writes: bool = True,
        upgrade: bool = False,
        schema: Schema = EVENTS,
        bounds: Bounds = UNBOUNDED,
        outage_max_s: float = OUTAGE_MAX_S,
    ) -> None:
        """Open the database at ``url``.

        Args:
            url: As libpq takes it.
            writes: Commands may be stored; tables are created if there are none.
            upgrade: Tables of an earlier version are brought up, and not refused.
            schema: The tables that there ought to be.
            bounds: Of the tallies that commands change.
            outage_max_s: How long to wait for a server that went away.

        """
        refuse_functions()
        self.bounds = bounds
        self._alone: psycopg.Connection[Any] | None = None
        self._connections = Connections(url, outage_max_s=outage_max_s)
        try:
            self.notices = self._prepare(schema, writes=writes, upgrade=upgrade)
        except BaseException:
            self.close()
            raise

    def _prepare(self, schema: Schema, *, writes: bool, upgrade: bool) -> list[str]:
        if not writes and not upgrade:
            with self._connections.one() as connection:
                schemas.check(connection.execute, POSTGRESQL, schema)
            return []
        with self._writing() as connection:
            return schemas.migrate(connection.execute, POSTGRESQL, schema, upgrade=upgrade)

    def close(self) -> None:
        """Let go of every connection."""
        self._connections.close()

    # Writing.

    def _write(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Write, and after a lost connection look first whether it was written.

        What the server did last before it went away is unknown, and it may still be doing it. The
        verdict that was being stored tells, to whoever has the write lock: it is there with the
        same bytes, or its transaction never was.
        """
        attempt = _Attempt()
        try:
            return self._connections.patiently(lambda: self._attempt(commits, attempt))
        except StoreFailed as error:
            if attempt.verdict is not None:
                raise OutcomeUnknown(error) from error
            raise

    def _attempt(self, commits: Sequence[Commit], attempt: _Attempt) -> list[Outcome]:
        with self._writing() as connection:
            if attempt.verdict is not None and stored.landed(connection, attempt.verdict):
                return attempt.verdict.outcomes
            attempt.verdict = None
            verdict = judge(commits, stored.kept(connection, commits), self.bounds)
            stored.insert(connection, verdict)
            attempt.verdict = verdict
        return verdict.outcomes

    def append_exact(self, verdict: Verdict) -> None:
        """Store what another store held."""
        with self._writing() as connection:
            if verdict.events:
                first, last = verdict.events[0][0], stored.last(connection)
                if first != last + 1:
                    raise NotNext(first, last)
            stored.insert(connection, verdict)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the writers' lock until done."""
        with self._connections.one() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (WRITERS,))
            self._alone = connection
            try:
                yield
            finally:
                self._alone = None
                connection.execute("SELECT pg_advisory_unlock(%s)", (WRITERS,))

    def set_version(self, version: int) -> None:
        """Write down which version the tables have."""
        with self._writing() as connection:
            schemas.set_version(connection.execute, POSTGRESQL, version)

    @contextmanager
    def _writing(self) -> Iterator[psycopg.Connection[Any]]:
        """Open a transaction that no other writer is in."""
        if self._alone is not None:
            with self._alone.transaction():
                yield self._alone
            return
        with self._connections.one() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
            yield connection

    # Reading.

    def answer(self, command: UUID) -> Answer | None:
        """Return what was answered to ``command``, if it was."""
        return self._reading(lambda connection: stored.answers(connection, [command])).get(command)

    def tallies(self, keys: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies."""
        keys = list(keys)
        return self._reading(lambda connection: stored.tallies(connection, keys))

    def all_tallies(self) -> Iterator[tuple[Tally, int]]:
        """Return every tally that is kept, in the order of their names."""
        after, rows = ("", ""), [()]  # type: tuple[str, str], list[tuple[Any, ...]]
        while rows:
            rows = self._rows(
                "SELECT subject, name, value FROM tallies WHERE (subject, name) > (%s, %s)"
                " ORDER BY subject, name LIMIT %s",
                (*after, PAGE),
            )
            for subject, name, value in rows:
                after = (subject, name)
                yield Tally(subject, name), value

    def all_days(self) -> Iterator[tuple[TallyOn, int]]:
        """Return every value per day that is kept, in the order of names and days."""
        after: tuple[Any, ...] = ("", "", date.min)
        rows: list[tuple[Any, ...]] = [()]
        while rows:
            rows = self._rows(
                "SELECT subject, name, day, value FROM tallies_by_day"
                " WHERE (subject, name, day) > (%s, %s, %s)"
                " ORDER BY subject, name, day LIMIT %s",
                (*after, PAGE),
            )
            for subject, name, day, value in rows:
                after = (subject, name, day)
                yield TallyOn(Tally(subject, name), day), value

    def floors(self) -> dict[Tally, int]:
        """Return how low each tally with a floor may go, as their rows say."""
        rows = self._rows(FLOORS)
        return {Tally(subject, name): floor for subject, name, floor in rows}

    def kept(self, commits: Sequence[Commit]) -> Kept:
        """Return what is kept of what ``commits`` ask about."""
        return self._reading(lambda connection: stored.kept(connection, commits))

    def all_answers(self) -> Iterator[tuple[UUID, Answer]]:
        """Return every answer that is kept, in the order of the commands' ids."""
        after, rows = UUID(int=0), [()]  # type: UUID, list[tuple[Any, ...]]
        while rows:
            rows = self._rows(
                "SELECT command, fingerprint, receipt FROM answers WHERE command > %s"
                " ORDER BY command LIMIT %s",
                (after, PAGE),
            )
            for command, fingerprint, receipt in rows:
                after = command
                yield command, Answer(fingerprint, msgspec.convert(receipt, Receipt))

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
        return Position(self._reading(stored.last))

    def count(self, until: int) -> int:
        """Return how many events there are up to position ``until``."""
        rows = self._rows("SELECT count(*) FROM stored_events WHERE position <= %s", (until,))
        return int(rows[0][0])

    def streams(self, ids: Sequence[UUID]) -> Iterator[StoredEvent]:
        """Return the events of many streams."""
        order = "ORDER BY originator_id, originator_version"
        rows = self._rows(f"{_EVENTS} WHERE originator_id = ANY(%s) {order}", (list(ids),))
        return map(stored.notification, rows)

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
        return [stored.notification(row) for row in rows]

    def history(
        self, after: int, limit: int, *, topic: str | None = None, stream: UUID | None = None
    ) -> list[Notification]:
        """Return up to ``limit`` events that follow position ``after``, all or some of them."""
        condition, values = "", [after]  # type: tuple[str, list[Any]]
        if topic is not None:
            condition, values = condition + " AND topic = %s", [*values, topic]
        if stream is not None:
            condition, values = condition + " AND originator_id = %s", [*values, stream]
        rows = self._rows(
            f"{_EVENTS} WHERE position > %s{condition} ORDER BY position LIMIT %s", (*values, limit)
        )
        return [stored.notification(row) for row in rows]

    def streams_with(self, topic: str) -> list[UUID]:
        """Return the streams that have an event of this topic."""
        return [stream for (stream,) in self._rows(streams_asked(topic))]

    def raw(self, after: int, limit: int) -> Iterable[tuple[Position, str, bytes]]:
        """Return position, topic and state of up to ``limit`` events after ``after``."""
        return cast(
            "list[tuple[Position, str, bytes]]",
            self._rows(
                "SELECT position, topic, state FROM stored_events"
                " WHERE position > %s ORDER BY position LIMIT %s",
                (after, limit),
            ),
        )

    def rows(self, after: int, limit: int) -> Iterator[Row]:
        """Return up to ``limit`` events that follow position ``after``, as they are stored."""
        stored_rows = self._rows(
            "SELECT position, originator_id::text, originator_version, topic, state"
            " FROM stored_events WHERE position > %s ORDER BY position LIMIT %s",
            (after, limit),
        )
        return (Row(*row) for row in stored_rows)

    def at(self, positions: Sequence[int]) -> list[Notification]:
        """Return the events at these positions, in order."""
        rows = self._rows(
            f"{_EVENTS} WHERE position = ANY(%s) ORDER BY position", (list(positions),)
        )
        return [stored.notification(row) for row in rows]

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        def ask(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
            return connection.execute(cast("Any", query), values, binary=True).fetchall()

        return self._reading(ask)

    def at_once(self, work: Callable[[], T]) -> T:
        """Return what comes of ``work``, unless it has to ask the server for something."""
        _hurry.on = True
        try:
            return work()
        finally:
            _hurry.on = False

    def _reading(self, ask: Callable[[psycopg.Connection[Any]], T]) -> T:
        """Ask for something, waiting for a server that restarts."""
        if _hurry.on:
            raise WouldWait

        def step() -> T:
            with self._connections.one() as connection:
                return ask(connection)

        return self._connections.patiently(step)


class _Hurry(local):
    """Whether this thread must not block on the database."""

    on = False


_hurry = _Hurry()


class _Attempt:
    """What was being stored when the connection was lost, if it came to that."""

    verdict: Verdict | None = None
