"""Counts of refused attempts, for auditors: who, what, on which day, how often.

They are no events: nothing happened, and whoever is refused a thousand times a second must not be
able to write a thousand events. They are counted, a row for each day, kind, person, route and
thing, and a person has only so many rows a day; what is beyond is counted in one row of its kind.
Nothing of what was sent is kept, and of a path only what is known to be there.

What is counted is written by a thread of its own, a second later at most, so that nobody waits for
it: not who is refused, and least of all who is not.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from ledger.kernel.names import PersonId
from ledger.people.schema import PEOPLE
from ledger.people.tables import REFUSALS
from ledger.store.commits import StoreFailed
from ledger.store.engine import ALONE, engine_at, prepare

ROWS_A_DAY = 100
"""Rows of one person and day that say what the refusal was about."""

WAITING_MAX = 1_000
"""Kinds of attempts that wait to be written; more are counted without what they were about."""

WRITTEN_EVERY_S = 1.0

By = Literal["kind", "rule", "person", "day"]
"""What refusals can be counted by."""

_log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """One attempt, as it is counted.

    Attributes:
        day: The business day of it.
        kind: The name of the problem, such as ``same-person``.
        rule: The rule behind it, such as ``own-approval``.
        person: Who tried; an opaque id.
        route: What they asked for, without its ids.
        about: The id of what it was about, where that is known to be there; else nothing.

    """

    day: date
    kind: str
    rule: str
    person: PersonId
    route: str
    about: str

    def without_thing(self) -> Refusal:
        """Return what is counted of it when there is no room for more."""
        return self._replace(route="", about="")


class Refusals:
    """Counts refused attempts, and keeps the counts in the register's database."""

    def __init__(self, where: Path | str, *, every_s: float = WRITTEN_EVERY_S) -> None:
        """Open the counts that are kept at ``where``, in which the register of people is."""
        self._engine = engine_at(where, schema="people", durable=True)
        try:
            prepare(self._engine, PEOPLE)
        except BaseException:
            self._engine.dispose()
            raise
        self._every_s = every_s
        self._lock, self._writing = Lock(), Lock()
        self._waiting: Counter[Refusal] = Counter()
        self._news, self._closing = Event(), Event()
        self._thread = Thread(target=self._go_on_writing, name="refusals", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits, then let go of the database."""
        self._closing.set()
        self._news.set()
        self._thread.join()
        with suppress(StoreFailed):
            self.write()
        self._engine.dispose()

    @property
    def waiting(self) -> int:
        """How many kinds of attempts wait to be written."""
        return len(self._waiting)

    def note(self, refusal: Refusal) -> None:
        """Count an attempt."""
        with self._lock:
            if refusal not in self._waiting and len(self._waiting) >= WAITING_MAX:
                refusal = refusal.without_thing()
            self._waiting[refusal] += 1
        self._news.set()

    def _go_on_writing(self) -> None:
        while not self._closing.is_set():
            self._news.wait()
            self._closing.wait(self._every_s)
            self._news.clear()
            try:
                self.write()
            except StoreFailed as error:
                self._news.set()  # What was counted still waits.
                _log.warning("refusals cannot be counted at the moment: %s", error)

    def write(self) -> None:
        """Write what waits, all in one transaction."""
        with self._writing:
            with self._lock:
                waiting = Counter(self._waiting)
            if not waiting:
                return
            with (
                _store_failures(),
                self._engine.execution_options(**{ALONE: True}).begin() as connection,
            ):
                for refusal, times in waiting.items():
                    _add(connection, refusal, times)
            with self._lock:
                self._waiting -= waiting

    def rows(  # noqa: PLR0913  # What a reader may ask for.
        self,
        *,
        after: int = 0,
        limit: int = 100,
        kind: str | None = None,
        person: str | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> list[dict[str, Any]]:
        """Return up to ``limit`` counts whose number follows ``after``, in that order."""
        self.write()
        query = select(REFUSALS).where(
            REFUSALS.c.number > after, *_within(kind, person, first, last)
        )
        with _store_failures(), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(REFUSALS.c.number).limit(limit)).mappings()
            return [dict(row) for row in rows]

    def counts(
        self,
        by: By,
        *,
        kind: str | None = None,
        person: str | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> dict[str, int]:
        """Return how many attempts there were, by kind, rule, person or day."""
        self.write()
        column = REFUSALS.c[by]
        query = select(column, func.sum(REFUSALS.c.times)).where(
            *_within(kind, person, first, last)
        )
        with _store_failures(), self._engine.connect() as connection:
            rows = connection.execute(query.group_by(column).order_by(column))
            return {str(value): int(times) for value, times in rows}


@contextmanager
def _store_failures() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreFailed(error.orig or error) from error


def _add(connection: Connection, refusal: Refusal, times: int) -> None:
    """Add to the row of this refusal, or begin one if its person still may have one today."""
    if _added(connection, refusal, times):
        return
    whose = (REFUSALS.c.day == refusal.day, REFUSALS.c.person == refusal.person)
    rows = connection.execute(select(func.count()).select_from(REFUSALS).where(*whose)).scalar_one()
    if rows >= ROWS_A_DAY:
        refusal = refusal.without_thing()
        if _added(connection, refusal, times):
            return
    adding = _INSERTS[connection.dialect.name](REFUSALS).values(**refusal._asdict(), times=times)
    more = {"times": REFUSALS.c.times + times}  # Another process may just have begun it.
    connection.execute(adding.on_conflict_do_update(index_elements=Refusal._fields, set_=more))


_INSERTS: Mapping[str, Callable[[Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def _added(connection: Connection, refusal: Refusal, times: int) -> bool:
    same = (REFUSALS.c[name] == value for name, value in refusal._asdict().items())
    changed = connection.execute(
        REFUSALS.update().where(*same).values(times=REFUSALS.c.times + times)
    )
    return bool(changed.rowcount)


def _within(
    kind: str | None, person: str | None, first: date | None, last: date | None
) -> Sequence[Any]:
    conditions = []
    if kind is not None:
        conditions.append(REFUSALS.c.kind == kind)
    if person is not None:
        conditions.append(REFUSALS.c.person == person)
    if first is not None:
        conditions.append(REFUSALS.c.day >= first)
    if last is not None:
        conditions.append(REFUSALS.c.day <= last)
    return conditions
