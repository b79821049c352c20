"""Moves what one store holds into another: same positions, same bytes, and a proof of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import chain, islice
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from eventsourcing.persistence import Notification
from msgspec import Struct

from ledger.kernel.errors import LedgerError
from ledger.kernel.names import Position
from ledger.kernel.tallies import Tally, TallyOn
from ledger.store.commits import Answer, Verdict
from ledger.store.recorder import Store

T = TypeVar("T")

BATCH = 2_000
"""Rows in one transaction; bounds memory, not correctness."""

Progress = Callable[[Position, Position], None]
"""Called now and then with how far it is, and how far it goes."""

_encode = msgspec.json.Encoder(order="sorted").encode


class NotEmpty(LedgerError):
    """Nothing that is kept is ever written over."""

    def __init__(self, where: object) -> None:
        super().__init__(f"{where} is not empty; name another place")


class CopyDiffers(LedgerError):
    """A copy is a copy only if every byte is the same."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the copy differs in its {what}, and is not to be used")


class Digest(Struct, frozen=True):
    """A short summary of a store's contents; equal for equal contents.

    Attributes:
        events: How many.
        last: The position of the newest.
        history: SHA-256 over position, stream, version, topic and state of every event, in order.
        tallies: How many.
        days: How many values of tallies that have one per day.
        answers: How many.
        beside: SHA-256 over every tally, floor, value per day and answer, in the order of names.

    """

    events: int
    last: Position
    history: str
    tallies: int
    days: int
    answers: int
    beside: str


class Summing:
    """Works out a digest while rows pass by."""

    def __init__(self) -> None:
        self._history, self._beside = sha256(), sha256()
        self._events = self._tallies = self._days = self._answers = 0
        self._last = Position(0)

    def event(self, stored: Notification) -> None:
        """Take in the next event."""
        stream = stored.originator_id
        assert isinstance(stream, UUID)  # noqa: S101  # Ours always are.
        topic = stored.topic.encode()
        for part in (
            stored.id.to_bytes(8, "big"),
            stream.bytes,
            stored.originator_version.to_bytes(8, "big"),
            len(topic).to_bytes(8, "big"),
            topic,
            len(stored.state).to_bytes(8, "big"),
            stored.state,
        ):
            self._history.update(part)
        self._events += 1
        self._last = Position(stored.id)

    def tally(self, tally: Tally, value: int) -> None:
        """Take in the next tally."""
        self._beside.update(_encode([*tally, value]))
        self._tallies += 1

    def floor(self, tally: Tally, floor: int) -> None:
        """Take in the next floor."""
        self._beside.update(_encode(["floor", *tally, floor]))

    def day(self, tally_on: TallyOn, value: int) -> None:
        """Take in the next value of a tally that has one per day."""
        self._beside.update(_encode([*tally_on.tally, tally_on.day, value]))
        self._days += 1

    def answer(self, command: UUID, answer: Answer) -> None:
        """Take in the next answer."""
        self._beside.update(_encode([command, answer]))
        self._answers += 1

    @property
    def digest(self) -> Digest:
        """What passed by so far."""
        return Digest(
            self._events,
            self._last,
            self._history.hexdigest(),
            self._tallies,
            self._days,
            self._answers,
            self._beside.hexdigest(),
        )


def is_empty(store: Store) -> bool:
    """Say whether nothing was ever written to ``store``."""
    kept = chain(store.history(0, 1), store.all_tallies(), store.all_days(), store.all_answers())
    return next(iter(kept), None) is None


def copy(source: Store, target: Store, progress: Progress) -> Digest:
    """Fill ``target``, which is empty, with what ``source`` holds; return what passed by."""
    summing, goal = Summing(), source.last_position()
    for batch in history(source):
        target.append_exact(Verdict(events=[(Position(each.id), each) for each in batch]))
        _all(summing.event, ((each,) for each in batch))
        progress(Position(batch[-1].id), goal)
    floors = source.floors()
    for tallies in _batches(source.all_tallies()):
        target.append_exact(Verdict(tallies=dict(tallies), floors=floors))
        _all(summing.tally, tallies)
    for days in _batches(source.all_days()):
        target.append_exact(Verdict(days=dict(days), floors=floors))
        _all(summing.day, days)
    _all(summing.floor, sorted(floors.items()))
    for answers in _batches(source.all_answers()):
        target.append_exact(Verdict(answers=dict(answers)))
        _all(summing.answer, answers)
    return summing.digest


def digest(store: Store, progress: Progress) -> Digest:
    """Read everything that ``store`` holds."""
    summing, goal = Summing(), store.last_position()
    for batch in history(store):
        _all(summing.event, ((each,) for each in batch))
        progress(Position(batch[-1].id), goal)
    _all(summing.tally, store.all_tallies())
    _all(summing.day, store.all_days())
    _all(summing.floor, sorted(store.floors().items()))
    _all(summing.answer, store.all_answers())
    return summing.digest


def compare(ours: Digest, theirs: Digest) -> None:
    """Refuse a copy that differs."""
    for name in Digest.__struct_fields__:
        if getattr(ours, name) != getattr(theirs, name):
            raise CopyDiffers(name)


def history(store: Store) -> Iterator[list[Notification]]:
    """Yield the whole history in batches."""
    after = 0
    while batch := store.history(after, BATCH):
        yield batch
        after = batch[-1].id


def _batches(rows: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _all(take: Callable[..., None], rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        take(*row)
