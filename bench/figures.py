"""Figures, their limits, and how the two are measured without favour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

T = TypeVar("T")


class NotDone(RuntimeError):
    """What was timed did not do its work, so its time says nothing."""


def done(what: str, *, expected: object, actual: object) -> None:
    """Hold what a measurement left behind to what it was to do: doing nothing is very fast."""
    if actual != expected:
        raise NotDone(f"{what}: {actual} and not {expected}")


class Size(Struct, frozen=True):
    """How much work a run does. The quick one shows that all works; only the full one measures.

    Attributes:
        rounds: Turns that measurement and limit take.
        requests: Writes a round, over HTTP or straight to the store.
        reads: Reads a round over HTTP.
        orders: Orders in the feed of a round.
        history: Events that are replayed and read from.
        few: Events of a young ledger, to compare with.
        many: Events of one with years behind it.
        comparison: Events of the history that two revisions work on.

    """

    rounds: int
    requests: int
    reads: int
    orders: int
    history: int
    few: int
    many: int
    comparison: int


FULL = Size(
    rounds=5,
    requests=2_000,
    reads=1_000,
    orders=10_000,
    history=20_000,
    few=10_000,
    many=1_000_000,
    comparison=100_000,
)
QUICK = Size(
    rounds=1, requests=200, reads=50, orders=500, history=500, few=500, many=2_000, comparison=1_000
)
WHOLE = replace(FULL, many=10_000_000)


class Figure(Struct, frozen=True):
    """One measured figure beside its limit.

    Attributes:
        name: What it is called in the JSON.
        work: What was done, for people.
        value: What was measured.
        unit: Of the value and of the limit.
        against: What the limit is.
        limit: The same measured of that.
        ratio: How near the limit we are; 1 is reached, more is better.
        target: What the ratio should be, if anybody said.

    """

    name: str
    work: str
    value: float
    unit: str
    against: str
    limit: float
    ratio: float
    target: float | None = None


class Measured(NamedTuple):
    """The medians of a figure and of its limit."""

    value: float
    limit: float

    def rate(
        self, name: str, work: str, *, unit: str, against: str, target: float | None = None
    ) -> Figure:
        """Return a figure of which more is better."""
        ratio = self.value / self.limit
        return Figure(name, work, self.value, unit, against, self.limit, ratio, target)

    def latency(self, name: str, work: str, *, against: str) -> Figure:
        """Return a figure in microseconds."""
        return self.cost(name, work, unit="µs", against=against)

    def cost(
        self, name: str, work: str, *, unit: str, against: str, target: float | None = None
    ) -> Figure:
        """Return a figure of which less is better, and so more of its ratio."""
        ratio = self.limit / self.value
        return Figure(name, work, self.value, unit, against, self.limit, ratio, target)


def in_turns(rounds: int, *measures: Callable[[], T]) -> list[list[T]]:
    """Take each of ``measures`` once a round; return what each found, round by round.

    Every other round goes backwards, so that a machine that slows down favours neither.
    """
    results: list[list[T]] = [[] for _ in measures]
    numbered = list(enumerate(measures))
    for turn in range(rounds):
        for number, measure in numbered if turn % 2 == 0 else reversed(numbered):
            results[number].append(measure())
    return results


def rates_in_turns(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """Take each of ``measures`` once a round; return the median of each."""
    return [median(rates) for rates in in_turns(rounds, *measures)]


def a_second(amount: int, work: Callable[[], object]) -> float:
    """Return how many a second ``work`` does if it does ``amount`` in all."""
    started = perf_counter()
    work()
    return amount / (perf_counter() - started)


def quantile(latencies: Sequence[float], share: float) -> float:
    """Return the latency that ``share`` of the requests do not exceed.

    >>> quantile([5.0, 1.0, 4.0, 2.0, 3.0], 0.5)
    3.0

    """
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def typical(rounds: Sequence[Sequence[float]], share: float) -> float:
    """Return the latency that ``share`` of the requests do not exceed in a middling round."""
    return median(quantile(latencies, share) for latencies in rounds)
