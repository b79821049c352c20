"""Commits: the request of one command to the store, and how a batch of them is judged.

The judgement is the same on every database: given the tallies and answers that the requests ask
about, read under the write lock, it says which requests stand, in their order, and what to write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from msgspec import Struct, field

from ledger.kernel.errors import Confidential, LedgerError
from ledger.kernel.names import Position
from ledger.kernel.tallies import Bounds, Breach, Expectation, Tally, TallyOn
from ledger.store.days import Days, Step, lowest


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
        by_day: What they do to tallies that have a value per day, from which day on.
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
    by_day: Mapping[TallyOn, int] = field(default_factory=dict)
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


class Kept(Struct, frozen=True):
    """The tallies and answers that some commits depend on.

    Attributes:
        tallies: The values of those tallies that were ever changed.
        days: The values of tallies with one per day, from the last entry before or on the earliest
            day that is asked about.
        answers: What was answered to those commands that were.
        last: The position of the newest event.

    """

    tallies: Mapping[Tally, int]
    answers: Mapping[UUID, Answer]
    last: int
    days: Mapping[Tally, Mapping[date, int]] = field(default_factory=dict)


class Verdict(Struct):
    """The rows to write, and each commit's answer once they are written.

    Attributes:
        outcomes: One for each commit.
        events: Those of the commits that stand.
        answers: By command, those that are to be remembered.
        tallies: The values of the tallies that changed.
        days: The values of tallies on the days on which they changed.
        floors: How low each of these tallies may go, if it has a floor.

    """

    outcomes: list[Outcome] = field(default_factory=list)
    events: list[tuple[Position, StoredEvent]] = field(default_factory=list)
    answers: dict[UUID, Answer] = field(default_factory=dict)
    tallies: dict[Tally, int] = field(default_factory=dict)
    days: dict[TallyOn, int] = field(default_factory=dict)
    floors: dict[Tally, int] = field(default_factory=dict)


def asked_about(commits: Iterable[Commit]) -> tuple[set[Tally], dict[Tally, date]]:
    """Return the tallies that ``commits`` ask about, and the earliest day of those that have some.

    Values of later days are asked about with it, as a change on a day counts from then on.
    """
    tallies: set[Tally] = set()
    since: dict[Tally, date] = {}
    for commit in commits:
        tallies.update(commit.tallies())
        for tally, day in commit.by_day:
            since[tally] = min(day, since.get(tally, day))
    return tallies, since


def remembered(commits: Iterable[Commit]) -> list[UUID]:
    """Return the commands of ``commits`` that are answered alike when they are repeated."""
    return [each.command for each in commits if each.fingerprint is not None]


def judge(commits: Sequence[Commit], kept: Kept, bounds: Bounds) -> Verdict:
    """Decide each of ``commits`` in turn, as if it were alone, after event ``kept.last``."""
    verdict, last = Verdict(), kept.last
    now = dict(kept.tallies)
    days = defaultdict(Days, {tally: Days(values) for tally, values in kept.days.items()})
    for commit in commits:
        earlier = kept.answers.get(commit.command) or verdict.answers.get(commit.command)
        if earlier is not None and commit.fingerprint is not None:
            verdict.outcomes.append(earlier)
            continue
        steps = _steps(commit, days) if commit.by_day else {}
        refusal = _refusal(commit, now, bounds) or _refusal_by_day(steps, bounds)
        if refusal is not None:
            verdict.outcomes.append(refusal)
            continue
        for tally, change in commit.changes.items():
            verdict.tallies[tally] = now[tally] = now.get(tally, 0) + change
        for tally, each in steps.items():
            days[tally].take(each)
        for stored in commit.events:
            last += 1
            verdict.events.append((Position(last), stored))
        position = commit.position or Position(last)
        receipt = Receipt(commit.about, commit.version, position, commit.summary)
        if commit.fingerprint is not None:
            verdict.answers[commit.command] = Answer(commit.fingerprint, receipt)
        verdict.outcomes.append(receipt)
    verdict.days = {
        TallyOn(tally, day): value for tally in days for day, value in days[tally].changed()
    }
    verdict.floors = _floors(verdict, bounds)
    return verdict


def _refusal(commit: Commit, now: Mapping[Tally, int], bounds: Bounds) -> LedgerError | None:
    for expected in commit.expects:
        value = now.get(expected.tally, 0)
        if value != expected.value:
            return expected.otherwise(value)
    for tally, change in commit.changes.items():
        if change < 0 and (bound := bounds.of(tally)) is not None:
            value = now.get(tally, 0)
            if value + change < bound.floor:
                return bound.breach(Breach(tally, value, change))
    return None


def _refusal_by_day(steps: Mapping[Tally, list[Step]], bounds: Bounds) -> LedgerError | None:
    for tally, each in steps.items():
        bound, step = bounds.of(tally), lowest(each)
        if bound is not None and step is not None:
            day, value, change = step
            if value + change < bound.floor:
                return bound.breach(Breach(tally, value, change, day))
    return None


def _steps(commit: Commit, days: defaultdict[Tally, Days]) -> dict[Tally, list[Step]]:
    """Return what ``commit`` does to each tally that has a value per day, from its first day on."""
    changes: dict[Tally, dict[date, int]] = {}
    for (tally, day), change in commit.by_day.items():
        changes.setdefault(tally, {})[day] = change
    return {tally: days[tally].steps(each) for tally, each in changes.items()}


def _floors(verdict: Verdict, bounds: Bounds) -> dict[Tally, int]:
    changed = {*verdict.tallies, *(each.tally for each in verdict.days)}
    return {tally: bound.floor for tally in changed if (bound := bounds.of(tally)) is not None}
