"""Keeps views level with the ledger.

Following, rebuilding and auditing are the same loop, started from different places: where we left
off, the beginning, and the beginning with fresh memory to write to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

from sqlalchemy import Engine

from ledger.application import Records
from ledger.names import Position
from projections.views import Batch, View

BATCH = 1_000
"""Events read at a time; bounds memory, not correctness."""

Progress = Callable[[Position, Position], None]
"""Told now and then how far a long run is, and how far it goes."""


def silent(_: Position, __: Position) -> None:
    """Tell nobody."""


class Follower:
    """Feeds one ledger's events, in order and once each, to some views."""

    def __init__(self, ledger: Records, engine: Engine, views: Sequence[View]) -> None:
        self._ledger = ledger
        self._engine = engine
        self._views = views
        self._one_at_a_time = Lock()
        self._reached: Position | None = None
        self._news = Event()
        self._closing = False
        self._thread: Thread | None = None

    def catch_up(self, progress: Progress = silent, until: Position | None = None) -> Position:
        """Take in everything recorded so far; return the position reached.

        Called before every read, so nobody sees a balance older than their own receipt. Level
        already, it costs one look at the newest position.
        """
        goal = self._ledger.store.last_position()
        if until is not None:
            goal = min(goal, until)
        if self._reached is not None and self._reached >= goal:
            return self._reached
        with self._one_at_a_time:
            return self._catch_up(goal, progress)

    @property
    def reached(self) -> Position:
        """The position up to which every view has read, as far as this process knows."""
        return self._reached or Position(0)

    def _catch_up(self, goal: Position, progress: Progress) -> Position:
        reached = self._positions()
        while (slowest := min(reached)) < goal:
            limit = min(BATCH, goal - slowest)
            batch = list(self._ledger.history(slowest, limit))
            for number, view in enumerate(self._views):
                reached[number] = self._advance(view, reached[number], batch)
            progress(min(reached), goal)
        self._reached = slowest
        return slowest

    def _positions(self) -> list[Position]:
        with self._engine.connect() as connection:
            return [view.reached(connection) for view in self._views]

    def _advance(self, view: View, reached: Position, batch: Batch) -> Position:
        news = [each for each in batch if each[0] > reached]
        if not news:
            return reached
        with self._engine.begin() as connection:
            view.advance(connection, news)
        return news[-1][0]

    def rebuild(self, progress: Progress = silent) -> Position:
        """Forget every view and tell it the whole history again."""
        with self._one_at_a_time:
            with self._engine.begin() as connection:
                for view in self._views:
                    view.clear(connection)
            self._reached = None
        return self.catch_up(progress)

    # Following in the background, so that a reader seldom has anything to wait for.

    def notice(self) -> None:
        """Say that something was recorded."""
        self._news.set()

    def start(self) -> None:
        """Follow in the background until closed."""
        self._thread = Thread(target=self._follow, name="follower", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following."""
        self._closing = True
        self._news.set()
        if self._thread is not None:
            self._thread.join()

    def _follow(self) -> None:
        while not self._closing:
            self._news.wait()
            self._news.clear()
            if not self._closing:
                self.catch_up()
