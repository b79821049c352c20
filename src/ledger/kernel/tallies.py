"""Numbers that stand beside the events, and the bounds that they keep.

Some rules span streams: no fund is overspent, whoever approves at the same moment; no more is sold
than was consigned; a payment counts once, whichever donation names it. Each such rule is a bound
on a tally. A noun declares here, as data, how its facts change tallies, how low a tally may go and
which refusal a breach is; the store keeps the numbers and knows no noun.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct, field

from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import LedgerError


class Tally(NamedTuple):
    """One number: which thing it is about, and what it counts there.

    The first word of each says what kind: ``fund F-HEAR`` and ``available``, ``sale 01a2…`` and
    ``unsold L1``.
    """

    subject: str
    name: str


class TallyOn(NamedTuple):
    """A tally that has a value per business day, on one of its days."""

    tally: Tally
    day: date


class Expectation(NamedTuple):
    """A command's condition on a tally, and the refusal if it does not hold."""

    tally: Tally
    value: int
    otherwise: Callable[[int], LedgerError]
    """Makes the refusal from the value found."""


class Breach(NamedTuple):
    """A change that would take a tally below its floor.

    Attributes:
        tally: Which.
        value: What it stands at; of one with a value per day, on ``day``.
        change: By how much it would change; below zero.
        day: Of one with a value per day, the day on which it would be lowest.

    """

    tally: Tally
    value: int
    change: int
    day: date | None = None


class Bound(NamedTuple):
    """How low a tally may go, and the refusal of what would take it lower.

    A scalar tally keeps to its floor now; one with a value per day keeps to it on the day of each
    change and on every later day so far.
    """

    floor: int
    breach: Callable[[Breach], LedgerError]


KNOWN_MAX = 10_000
"""Tallies whose bound is remembered: a feed asks for the same ones again and again."""

Kind = tuple[str, str]
"""A kind of tally: the first words of its subject and of its name."""


class Bounds:
    """Which tallies have a bound, by their kind."""

    def __init__(self, by_kind: Mapping[Kind, Bound] | None = None) -> None:
        self._by_kind = dict(by_kind or {})
        self.of = lru_cache(KNOWN_MAX)(self._of)

    def _of(self, tally: Tally) -> Bound | None:
        """Return the bound of ``tally``, if it has one."""
        kind = tally.subject.partition(" ")[0], tally.name.partition(" ")[0]
        return self._by_kind.get(kind)


UNBOUNDED = Bounds()
"""For whoever stores nothing that has to be judged."""

Changes = Iterable[tuple[Tally, int]]
"""By how much tallies change."""

ChangesByDay = Iterable[tuple[TallyOn, int]]
"""By how much tallies with a value per day change, from that day on."""


class Tallied(Struct, frozen=True, kw_only=True):
    """The tallies of a noun: how its events change them, and their bounds.

    Attributes:
        changes: How each kind of its facts changes tallies.
        by_day: How each kind of its facts changes tallies that have a value per day.
        bounds: The bounds of its tallies, by their kind.
        by_stream: Facts whose rules read the stream that they belong to.

    """

    changes: Mapping[type[Fact], Callable[[Any], Changes]] = field(default_factory=dict)
    by_day: Mapping[type[Fact], Callable[[Any], ChangesByDay]] = field(default_factory=dict)
    bounds: Mapping[Kind, Bound] = field(default_factory=dict)
    by_stream: frozenset[type[Fact]] = frozenset()
