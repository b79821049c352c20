"""Where a feed looks things up and where its chunks go: the ledger, or a dry run beside it.

A dry run takes chunks as the ledger would and stores none. What it took counts for the lines that
follow, so that a feed is decided line by line as it would be.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import cast
from uuid import UUID

from ledger.commands import Ledger
from ledger.kernel.tallies import Tally, TallyOn
from ledger.store.commits import Commit, Outcome, Receipt
from ledger.store.form import Stored


class ChunkStore(ABC):
    """The state that a feed's lines are decided on, and where its chunks are stored."""

    @abstractmethod
    def tallies(self, keys: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies that were ever changed."""

    @abstractmethod
    def streams(self, ids: Sequence[UUID]) -> Iterator[Stored]:
        """Return the events of many streams, each stream's in order."""

    @abstractmethod
    def submit(self, commit: Commit) -> Future[Outcome]:
        """Have a chunk stored while the next is decided."""


class InLedger(ChunkStore):
    """The ledger's own store."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def tallies(self, keys: Iterable[Tally]) -> dict[Tally, int]:
        """Return the current values of those tallies that were ever changed."""
        return self._ledger.store.tallies(keys)

    def streams(self, ids: Sequence[UUID]) -> Iterator[Stored]:
        """Return the events of many streams."""
        return self._ledger.store.streams(ids)

    def submit(self, commit: Commit) -> Future[Outcome]:
        """Have a chunk stored."""
        return self._ledger.committer.submit(commit)


class DryRun(ChunkStore):
    """Takes chunks on top of what the ledger holds, in memory alone.

    Attributes:
        events: Those of the chunks that stand, in order.
        changes: What they do to the tallies.

    """

    def __init__(self, ledger: Ledger) -> None:
        self._store = ledger.store
        self.events: list[Stored] = []
        self.changes: Counter[Tally] = Counter()
        self._by_day: Counter[TallyOn] = Counter()
        self._streams: defaultdict[UUID, list[Stored]] = defaultdict(list)

    def tallies(self, keys: Iterable[Tally]) -> dict[Tally, int]:
        """Return the values that the tallies would have."""
        keys = list(keys)
        held = self._store.tallies(keys)
        return {
            key: held.get(key, 0) + self.changes[key]
            for key in keys
            if key in held or key in self.changes
        }

    def streams(self, ids: Sequence[UUID]) -> Iterator[Stored]:
        """Return the events that the streams would have."""
        yield from self._store.streams(ids)
        for stream in ids:
            yield from self._streams.get(stream, ())

    def submit(self, commit: Commit) -> Future[Outcome]:
        """Judge a chunk as the store would, and count it if it stands."""
        before = Commit(
            command=commit.command,
            about=commit.about,
            version=0,
            events=(),
            changes=self.changes,
            by_day=self._by_day,
        )
        outcome = self._store.judged(commit, after=before)
        if isinstance(outcome, Receipt):
            self._take(commit)
        stored: Future[Outcome] = Future()
        stored.set_result(outcome)
        return stored

    def _take(self, commit: Commit) -> None:
        self.changes.update(commit.changes)
        self._by_day.update(commit.by_day)
        self.events += commit.events
        for event in commit.events:
            self._streams[cast("UUID", event.originator_id)].append(event)
