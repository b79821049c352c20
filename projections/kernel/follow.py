"""Keeps views level with the ledger.

Following, rebuilding and auditing are the same loop, started from different places: where we left
off, the beginning, and the beginning with fresh memory to write to.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from ledger.commands.records import Records
from ledger.kernel.errors import Confidential, LedgerError
from ledger.kernel.names import Position
from ledger.store.engine import ALONE, discard
from projections.kernel.tables import prepare_views
from projections.kernel.view import Batch, View, as_of_now

LOG = logging.getLogger(__name__)

BATCH = 1_000
"""Events read at a time; bounds memory, not correctness."""

RETRY_S = 1.0
"""Seconds until the background looks again, after trouble with the database of views."""

ROUND_S = 0.2
"""Seconds between two rounds in the background: under load a round then takes many events, each
at a tenth of what it costs alone. Nobody waits for it: a reader brings its view level itself.
"""

PATIENCE_S = 1.0
"""Seconds for which a view may stand still before whoever stands by takes a step with it."""

Progress = Callable[[Position, Position], None]
"""Told now and then how far a long run is, and how far it goes."""


def silent(_: Position, __: Position) -> None:
    """Tell nobody."""


class ViewStopped(LedgerError):
    """A view that met an event it cannot take in stops there, rather than skip it."""

    says = "{view} stopped before event {position}; the others go on"

    def __init__(self, view: str, position: int) -> None:
        super().__init__(view=view, position=position)


class ViewsAway(Confidential):
    """What is shown can be lost and is made again from the history; ask a little later."""

    says = "the views cannot be read at the moment"

    def __init__(self, cause: object = None, /, **facts: object) -> None:
        super().__init__("" if cause is None else f"{self.says}: {cause}", **facts)


TAKEN_AWAY = {
    "3F000",  # invalid_schema_name
    "42P01",  # undefined_table
}
"""What PostgreSQL says where the schema of views was dropped."""


def _is_lost(error: BaseException) -> bool:
    """Say whether the error means that the views were removed, truncated or overwritten."""
    if isinstance(error, ProgrammingError):
        return getattr(error.orig, "sqlstate", None) in TAKEN_AWAY
    return type(error) is DatabaseError


def _is_its_own(error: BaseException) -> bool:
    """Say whether the error is the database's own, and not caused by the statement."""
    return isinstance(error, OperationalError | InterfaceError) or _is_lost(error)


class _Following:
    """A view's progress, and what stopped it, if anything."""

    def __init__(self, view: View, engine: Engine) -> None:
        self.view = view
        self._engine = engine.execution_options(**{ALONE: True})
        self._one_at_a_time = Lock()
        self.reached = Position(0)
        self.stopped: Exception | None = None

    def begin(self) -> None:
        """Make a place for how far the view is, if it is new, and read it."""
        with self._engine.begin() as connection:
            self.view.begin(connection)
            reached = self.view.reached(connection)
        self.reached = reached

    def look(self, connection: Connection) -> None:
        """Read again how far the view is: another process may have brought it further."""
        self.reached = self.view.reached(connection)

    def take_in(self, batch: Batch) -> None:
        """Take in the next events; if one cannot be taken in, those before it are."""
        with self._one_at_a_time:
            if self.stopped is not None or not batch or batch[-1][0] <= self.reached:
                return
            try:
                self._advance(batch)
            except Exception as error:
                if _is_its_own(error):
                    raise
                self._one_by_one(batch)  # Whatever it is, it is found and told there.

    def _advance(self, batch: Batch) -> None:
        with self._engine.begin() as connection:
            reached = self.view.advance(connection, batch)
        self.reached = reached  # Only now can everybody see the rows.

    def _one_by_one(self, batch: Batch) -> None:
        for position, fact in batch:
            try:
                self._advance([(position, fact)])
            except Exception as error:
                if _is_its_own(error):
                    raise
                self.stop(position, error)  # Told, and asked about by every reader.
                return

    def stop(self, position: int, error: Exception) -> None:
        """Go no further than ``position``, and say so."""
        self.stopped = error
        LOG.error("view %s stopped at event %s", self.view.name, position, exc_info=error)


class Follower:
    """Feeds one ledger's events, in order and once each, to some views."""

    def __init__(self, ledger: Records, engine: Engine, views: Sequence[View]) -> None:
        self._ledger = ledger
        self._engine = engine
        self._views = {view.name: _Following(view, engine) for view in views}
        self.look()
        self._seen = dict.fromkeys(self._views, Position(-1))
        self._round_s = ROUND_S
        self._news = Event()
        self._closed = Event()
        self._trouble: tuple[int, Exception] | None = None
        self._begun = 1
        self._thread: Thread | None = None

    @property
    def reached(self) -> Position:
        """The position up to which every view has read."""
        return min(self.positions.values())

    @property
    def positions(self) -> dict[str, Position]:
        """The position of each view, or the last known one while that cannot be read."""
        with suppress(DBAPIError):
            self._look_again(self._views.values())
        return {name: each.reached for name, each in self._views.items()}

    @property
    def stopped(self) -> dict[str, str]:
        """The views that met an event they cannot take in, and what was wrong with it."""
        return {name: str(each.stopped) for name, each in self._views.items() if each.stopped}

    def look(self) -> None:
        """Read again how far the views are; make the tables that are not there."""
        prepare_views(self._engine)
        for each in self._views.values():
            each.begin()

    def _look_again(self, views: Iterable[_Following]) -> None:
        """Read again how far ``views`` are, which others may have brought further."""
        with self._engine.connect() as connection:
            for each in views:
                each.look(connection)

    def catch_up(
        self, *names: str, progress: Progress = silent, until: Position | None = None
    ) -> Position:
        """Bring the views called ``names``, or all, level with what is recorded so far.

        Called before every read, so nobody sees a balance older than their own receipt. Level
        already, it costs a look at the newest position, and one at what another process did.

        Raises:
            ViewStopped: One of them met an event that it cannot take in.

        """
        goal = self._ledger.store.last_position()
        if until is not None:
            goal = min(goal, until)
        views = [self._views[name] for name in names or self._views]
        behind = [each for each in views if each.reached < goal]
        if behind:
            self._look_again(behind)
            self._bring(behind, goal, progress)
        for each in views:
            if each.stopped is not None and each.reached < goal:
                raise ViewStopped(each.view.name, each.reached + 1)
        return min(each.reached for each in views)

    @contextmanager
    def reading(self, name: str) -> Iterator[tuple[Connection, Position]]:
        """Show the view called ``name``, level, and the position that it shows.

        What is read is what stands there, and not what was put there once: the database may have
        been lost or replaced since, so its own word for how far it is counts.

        Raises:
            ViewStopped: It met an event that it cannot take in.
            ViewsAway: The database cannot be read. What can be done about it is begun.

        """
        begun = self._begun
        try:
            level = self.catch_up(name)
            with as_of_now(self._engine) as connection:
                position = self._views[name].view.reached(connection)
                if position < level:
                    raise _behind(position, level)
                yield connection, position
        except DBAPIError as error:
            self._trouble = (begun, error)
            self.notice()
            raise ViewsAway(error.orig) from error

    def _bring(self, views: Sequence[_Following], goal: Position, progress: Progress) -> None:
        while behind := [each for each in views if each.reached < goal and not each.stopped]:
            slowest = min(each.reached for each in behind)
            batch, unreadable = self._read(slowest, min(BATCH, goal - slowest))
            for each in behind:
                each.take_in(batch)
                if unreadable is not None and each.reached + 1 == unreadable[0]:
                    each.stop(*unreadable)
            progress(min(each.reached for each in behind), goal)

    def _read(self, after: int, limit: int) -> tuple[Batch, tuple[int, Exception] | None]:
        """Return the next events, up to one that cannot be read, and that one's place."""
        batch = []
        try:
            for position, fact in self._ledger.history(after, limit):
                batch.append((position, fact))
        except LedgerError as error:
            return batch, (after + len(batch) + 1, error)
        return batch, None

    def follow(self, *names: str) -> bool:
        """Bring the views called ``names``, or all, a batch nearer; say whether more is left."""
        goal = self._ledger.store.last_position()
        going = [self._views[name] for name in names or self._views]
        self._look_again(going)
        going = [each for each in going if each.reached < goal and not each.stopped]
        if not going:
            return False
        step = Position(min(goal, min(each.reached for each in going) + BATCH))
        self._bring(going, step, silent)
        return step < goal

    # Following in the background, so that a reader seldom has anything to wait for.

    def notice(self) -> None:
        """Say that something was recorded."""
        self._news.set()

    def start(self, *, standing_by: bool = False) -> None:
        """Follow in the background until closed, beginning with what was missed.

        Nobody waits for that here: a history with an event that a view cannot take in, or a long
        one whose views are lost, is served all the same, and says how far it is.

        Args:
            standing_by: Another process follows. Only a view that it leaves standing is brought
                on, so that one which met an event it cannot take in is known here as well.

        """
        self._round_s = PATIENCE_S if standing_by else ROUND_S
        once = self._stand_by if standing_by else self._follow_on
        self._thread = Thread(target=self._keep_on, args=(once,), name="follower", daemon=True)
        self.notice()
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._closed.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_on(self, once: Callable[[], None]) -> None:
        while not self._closed.is_set():
            self._news.wait(RETRY_S)
            self._news.clear()
            if not self._closed.is_set():
                self._try(once)
                self._closed.wait(self._round_s)

    def _try(self, once: Callable[[], None]) -> None:
        try:
            if self._trouble is not None:
                self._look_into(*self._trouble)
            once()
        except Exception as error:
            LOG.exception("the views could not be brought level; trying again")
            self._recover(error)

    def _follow_on(self) -> None:
        while self.follow() and not self._closed.is_set():
            pass

    def _stand_by(self) -> None:
        """Take a step with what stands where it stood before."""
        self._look_again(self._views.values())
        now = {name: each.reached for name, each in self._views.items()}
        still = [name for name, reached in now.items() if reached == self._seen[name]]
        self._seen = now
        if still:
            self.follow(*still)

    def _look_into(self, begun: int, trouble: Exception) -> None:
        """Raise the trouble that a reader had, unless it was before we began anew."""
        self._trouble = None
        if begun == self._begun:
            raise trouble

    def _recover(self, error: Exception) -> None:
        """Begin anew on whatever is there now: the database of views may have been replaced."""
        try:
            if _is_lost(error):
                discard(self._engine)
            self._engine.dispose()
            self.look()
        except Exception as trouble:
            self._trouble = (self._begun, trouble)
            LOG.exception("the database of views cannot be reached")
        else:
            self._begun += 1


def _behind(position: Position, level: Position) -> DBAPIError:
    cause = LookupError(f"they are at event {position}, and were at {level}")
    return OperationalError("", None, cause)
