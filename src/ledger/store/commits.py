"""Commits: the request of one command to the store, and how a batch of them is judged.

The judgement is the same on every database: given the tallies and answers that the requests ask
about, read under the write lock, it says which requests stand, in their order, and what to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from msgspec import Struct, field

from ledger.books.tallies import Expectation, Tally, below_floor, floored
from ledger.kernel.errors import Confidential, LedgerError
from ledger.kernel.names import Position


class Receipt(Struct, frozen=True):
    """A command's recorded events and their positions.

    Attributes:
        id: What the command was about, as the caller will name it.
        version: The place of its last event in its own stream.
        position: The place of the last event written, in the whole ledger.
        summary: What else the caller is told; the counts of a feed.
        repeated: This answers a request that was answered before; nothing new was written.

    """

    id: str
    version: int
    position: Position
    summary: Any = None
    repeated: bool = False


class StoreFailed(Confidential):
    """The store cannot be reached or written at the moment; what was asked may be asked again."""

    says = "nothing was written"

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"{self.says}: {cause}")
        self.__cause__ = cause


class OutcomeUnknown(StoreFailed):
    """Whether it was stored is not known; asked again under the same key, it has one effect."""

    says = "the store went away while it was written"


class Answer(Struct, frozen=True):
    """The answer to a command, kept for when it is repeated."""

    fingerprint: dict[str, str]
    receipt: Receipt


class Commit(Struct, frozen=True):
    """The events of one command, kept together or not at all.

    Attributes:
        command: Id of the request.
        about: What the receipt will name.
        version: The version that the receipt will name.
        events: In the order in which they happened; may be none for a feed of repeats.
        changes: What the events do to the tallies.
        expects: What must hold of the tallies, or the command is refused.
        fingerprint: Given if a repeat of the command should be answered alike.
        summary: Goes into the receipt.
        position: Goes into the receipt of a repeat, which has no events: where the first stands.

    """

    command: UUID
    about: str
    version: int
    events: Sequence[StoredEvent]
    changes: Mapping[Tally, int]
    expects: Sequence[Expectation] = ()
    fingerprint: dict[str, str] | None = None
    summary: Any = None
    position: Position | None = None

    def tallies(self) -> Iterable[Tally]:
        """Return the tallies that this commit asks about."""
        yield from self.changes
        for each in self.expects:
            yield each.tally


Outcome = Receipt | Answer | LedgerError
"""A receipt for what was stored, the earlier answer to a repeat, or why nothing was stored."""


class Verdict(Struct):
    """The rows to write, and each commit's answer once they are written."""

    outcomes: list[Outcome] = field(default_factory=list)
    events: list[tuple[Position, StoredEvent]] = field(default_factory=list)
    answers: dict[UUID, Answer] = field(default_factory=dict)
    tallies: dict[Tally, int] = field(default_factory=dict)


def judge(
    commits: Sequence[Commit],
    *,
    tallies: Mapping[Tally, int],
    answers: Mapping[UUID, Answer],
    last: int,
) -> Verdict:
    """Decide each of ``commits`` in turn, as if it were alone, after event ``last``."""
    verdict = Verdict()
    now = dict(tallies)
    for commit in commits:
        earlier = answers.get(commit.command) or verdict.answers.get(commit.command)
        if earlier is not None and commit.fingerprint is not None:
            verdict.outcomes.append(earlier)
            continue
        refusal = _refusal(commit, now)
        if refusal is not None:
            verdict.outcomes.append(refusal)
            continue
        for tally, change in commit.changes.items():
            verdict.tallies[tally] = now[tally] = now.get(tally, 0) + change
        for stored in commit.events:
            last += 1
            verdict.events.append((Position(last), stored))
        position = commit.position or Position(last)
        receipt = Receipt(commit.about, commit.version, position, commit.summary)
        if commit.fingerprint is not None:
            verdict.answers[commit.command] = Answer(commit.fingerprint, receipt)
        verdict.outcomes.append(receipt)
    return verdict


def _refusal(commit: Commit, now: Mapping[Tally, int]) -> LedgerError | None:
    for expected in commit.expects:
        found = now.get(expected.tally, 0)
        if found != expected.value:
            return expected.otherwise(found)
    for tally, change in commit.changes.items():
        found = now.get(tally, 0)
        if change < 0 and found + change < 0 and floored(tally):
            return below_floor(tally, found=found, change=change)
    return None
