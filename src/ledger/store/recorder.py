"""The interface of a database that can be a ledger's store.

The ledger writes, and reads its own order, through the first half; the event-sourcing library reads
streams through the second. Positions are given out here, one after the other without gaps, so that
they mean the same on every database.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, NamedTuple, NoReturn, TypeVar
from uuid import UUID

from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent, Subscription
from msgspec import structs

from ledger.kernel.errors import Conflict, LedgerError
from ledger.kernel.names import Position
from ledger.kernel.tallies import Bounds, Tally, TallyOn
from ledger.store.commits import Answer, Commit, Kept, Outcome, StoreFailed, Verdict, judge
from ledger.store.schema import literal

T = TypeVar("T")


FLOORS = (
    "SELECT subject, name, floor FROM tallies WHERE floor IS NOT NULL"
    " UNION SELECT subject, name, floor FROM tallies_by_day WHERE floor IS NOT NULL"
)
"""Few tallies have a floor; that of one with a value per day is in the row of each day."""


def streams_asked(topic: str) -> str:
    """Return the statement that looks up the streams that have an event of this topic."""
    return f"SELECT originator_id FROM stored_events WHERE topic = {literal(topic)}"  # noqa: S608  # Ours.


class Row(NamedTuple):
    """An event exactly as it is stored, its stream as canonical UUID text."""

    position: Position
    stream: str
    version: int
    topic: str
    state: bytes


class Store(ApplicationRecorder):
    """Events, tallies and answers, changed together in one transaction.

    Attributes:
        is_local: Reading takes microseconds, so it may be done between two requests.
        bounds: Of the tallies that commands change.
        notices: In lines, what was done to the tables when they were opened.

    """

    is_local: ClassVar[bool]
    rivalry: ClassVar[type[Exception]]
    """What the database raises at a commit that somebody else was faster than."""
    spoilt: ClassVar[tuple[type[Exception], ...]]
    """What it raises at a commit that it cannot store, though it could store others."""

    bounds: Bounds
    notices: Sequence[str] = ()

    def write(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Store those of ``commits`` that stand, in one transaction; say how each fared.

        If one of them cannot be stored, or two rivals added to one stream, each is tried again
        alone, so that only the one that it is about is told of it.
        """
        if len(commits) == 1:
            return [self._write_alone(commits[0])]
        try:
            return self._write(commits)
        except (self.rivalry, *self.spoilt):
            return self._write_each(commits)

    def _write_alone(self, commit: Commit) -> Outcome:
        try:
            return self._write([commit])[0]
        except self.rivalry:
            return Conflict("somebody else changed this meanwhile")
        except self.spoilt as error:
            return StoreFailed(error)

    def _write_each(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Store one after the other; if the store fails, some are stored and the rest are not."""
        outcomes: list[Outcome] = []
        try:
            for each in commits:
                outcomes.append(self._write_alone(each))  # noqa: PERF401  # Some, if not all.
        except Exception as error:  # noqa: BLE001  # Told to those whom it is about.
            failure = error if isinstance(error, LedgerError) else StoreFailed(error)
            left = len(commits) - len(outcomes)
            outcomes += [failure, *[StoreFailed(error)] * (left - 1)]
        return outcomes

    def judged(self, commit: Commit, *, after: Commit | None = None) -> Outcome:
        """Return what would become of ``commit`` at this moment; store nothing.

        A repeat is judged as if it were asked for the first time.

        Args:
            commit: What is judged.
            after: What would be stored before it, if it follows something.

        """
        commits = [commit] if after is None else [after, commit]
        kept = structs.replace(self.kept(commits), answers={})
        return judge(commits, kept, self.bounds).outcomes[-1]

    def at_once(self, work: Callable[[], T]) -> T:
        """Return what comes of ``work``, which reads nothing that has to be waited for.

        Raises:
            WouldWait: It would have to wait; nothing was asked.

        """
        return work()

    @abstractmethod
    def _write(self, commits: Sequence[Commit]) -> list[Outcome]:
        """Store those of ``commits`` that stand, in one transaction, or raise."""

    @abstractmethod
    def append_exact(self, verdict: Verdict) -> None:
        """Store what another store held, in one transaction, at its own positions.

        Raises:
            NotNext: Its first event does not follow the newest that is here.

        """

    @abstractmethod
    def alone(self) -> AbstractContextManager[None]:
        """Keep every writer out for a while, in this process and in any other."""

    @abstractmethod
    def set_version(self, version: int) -> None:
        """Write down which version the tables have."""

    @abstractmethod
    def answer(self, command: UUID) -> Answer | None:
        """Return what was answered to ``command``, if it was."""

    @abstractmethod
    def tallies(self, keys: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies; one that was never changed is zero."""

    @abstractmethod
    def all_tallies(self) -> Iterator[tuple[Tally, int]]:
        """Return every tally that is kept, in the order of their names."""

    @abstractmethod
    def all_days(self) -> Iterator[tuple[TallyOn, int]]:
        """Return every value per day that is kept, in the order of names and days."""

    @abstractmethod
    def floors(self) -> dict[Tally, int]:
        """Return how low each tally with a floor may go, as their rows say."""

    @abstractmethod
    def kept(self, commits: Sequence[Commit]) -> Kept:
        """Return what is kept of what ``commits`` ask about."""

    @abstractmethod
    def all_answers(self) -> Iterator[tuple[UUID, Answer]]:
        """Return every answer that is kept, in the order of the commands' ids."""

    @abstractmethod
    def position_of(self, stream: UUID, version: int) -> Position:
        """Return where version ``version`` of ``stream`` stands in the whole ledger."""

    @abstractmethod
    def last_position(self) -> Position:
        """Return the place of the newest event; 0 before the first."""

    @abstractmethod
    def count(self, until: int) -> int:
        """Return how many events there are up to position ``until``."""

    @abstractmethod
    def streams(self, ids: Sequence[UUID]) -> Iterator[StoredEvent]:
        """Return the events of many streams, each stream's together and in order."""

    @abstractmethod
    def history(
        self, after: int, limit: int, *, topic: str | None = None, stream: UUID | None = None
    ) -> list[Notification]:
        """Return up to ``limit`` events that follow position ``after``, all or some of them."""

    @abstractmethod
    def streams_with(self, topic: str) -> list[UUID]:
        """Return the streams that have an event of this topic.

        The history is not read through if the topic is one of the ``lookups`` of the tables.
        """

    @abstractmethod
    def raw(self, after: int, limit: int) -> Iterable[tuple[Position, str, bytes]]:
        """Return position, topic and state of up to ``limit`` events after ``after``, in order."""

    @abstractmethod
    def rows(self, after: int, limit: int) -> Iterator[Row]:
        """Return up to ``limit`` events that follow position ``after``, as they are stored."""

    @abstractmethod
    def at(self, positions: Sequence[int]) -> list[Notification]:
        """Return the events at these positions, in order."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""

    # What the library asks for.

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> NoReturn:
        """Refuse: events are stored with what guards them, by ``write``."""
        raise NotImplementedError("events are stored by Store.write")

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events in the ledger's order, as the library's own readers ask for them."""
        after = (start or 0) - (1 if inclusive_of_start and start else 0)
        events = self.history(after, limit)
        return [
            each
            for each in events
            if (stop is None or each.id <= stop) and (not topics or each.topic in topics)
        ]

    def max_notification_id(self) -> int | None:
        """Return the place of the newest event, if there is one."""
        return self.last_position() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Refuse: views follow by asking, which works alike on every database."""
        raise NotImplementedError("views follow with projections.kernel.follow.Follower")


class WouldWait(Exception):
    """A database at the other end of a network answers some time later."""


class NotNext(LedgerError):
    """Positions have no gaps."""

    def __init__(self, position: int, last: int) -> None:
        super().__init__(f"event {position} does not follow event {last}")
