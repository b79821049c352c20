"""Two revisions side by side: pairs of turns, and the middling ratio with its interval.

What is compared must do the same work, and be asked in the same way. So both sides are driven by
this tree's code, over what no revision changes: HTTP for ``pledges`` and ``feed``, ``leifeng`` for
making the ledgers. The other revision's own figures (its ``./run bench``) would be read off
another load generator, which may have become faster or slower itself. A fold or an audit has no
contract that shows it alone, since ``leifeng replay`` compares every view and a command's start
would be most of it; so ``bench/worker.py``, the same file on both sides, does that inside each
revision, on copies of one history that the other revision made.

A pair is one turn of each, and every other pair goes the other way round, so that drift of the
machine strikes both alike. Of all pairs' ratios the median counts. Its interval is free of
assumptions on how they are spread: a ratio lies below the median as often as a coin falls on one
side, so the k-th smallest and the k-th largest of n enclose it with a chance that is
``1 - 2 P(B(n, 1/2) < k)``; k is the largest with which that is at least 0.95. Beside the time that
a client waits stands the time on a processor, which others at work on the machine touch less.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from math import comb
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from msgspec import Struct

from bench.charity import Charity, token
from bench.figures import Size, done
from bench.servers import Served, processor_time
from bench.sides import Measurement, Side, Worker

TURNS_OF_PLEDGES = 2
"""Times ``Size.requests`` in a turn, which is then about a second."""

LEVEL = 0.95
"""Chance with which an interval is to hold the median, if there are pairs enough."""


class Turn(NamedTuple):
    """What one turn did a second, by the clock and by time on a processor."""

    rate: float
    on_processor: float


Measure = Callable[[], Turn]

Sides = AbstractContextManager[list[Measure]]
"""What takes a turn of ours and one of theirs, while both are up."""


class Ratio(Struct, frozen=True):
    """How fast this tree is, if the other revision is 1.

    Attributes:
        median: Of all pairs.
        low: From where on it lies,
        high: and up to where,
        chance: with at least this chance.

    """

    median: float
    low: float
    high: float
    chance: float


class Comparison(Struct, frozen=True):
    """One figure of both sides.

    Attributes:
        name: What it is called.
        unit: Of the rates.
        pairs: How many were taken.
        ours: The median rate of this tree.
        theirs: The median rate of the other revision.
        ratio: Of the rates by the clock.
        on_processor: Of the rates by time on a processor.

    """

    name: str
    unit: str
    pairs: int
    ours: float
    theirs: float
    ratio: Ratio
    on_processor: Ratio


def compare(  # noqa: PLR0913  # Of what, of whom, where, how often, and how much at a time.
    names: Sequence[str], ours: Side, theirs: Side, folder: Path, *, pairs: int, size: Size
) -> Iterator[Comparison]:
    """Take so many pairs of each figure, and say how they come out while they do."""
    for name in names:
        unit, sides = COMPARISONS[name]
        with sides(ours, theirs, folder / name, size) as (our_turn, their_turn):
            our_turn(), their_turn()  # Both are warm when the first pair begins.
            turns = list(in_pairs(name, our_turn, their_turn, pairs))
        yield Comparison(
            name=name,
            unit=unit,
            pairs=pairs,
            ours=median(mine.rate for mine, _ in turns),
            theirs=median(other.rate for _, other in turns),
            ratio=ratio([mine.rate / other.rate for mine, other in turns]),
            on_processor=ratio([mine.on_processor / other.on_processor for mine, other in turns]),
        )


def in_pairs(
    name: str, our_turn: Measure, their_turn: Measure, pairs: int
) -> Iterator[tuple[Turn, Turn]]:
    """Take so many turns of each, every other pair the other way round, and say what they gave."""
    for number in range(pairs):
        if number % 2:
            other, mine = their_turn(), our_turn()
        else:
            mine, other = our_turn(), their_turn()
        here = f"{mine.rate:,.0f} to {other.rate:,.0f} a second"
        sys.stderr.write(f"{name} {number + 1}/{pairs}: {mine.rate / other.rate:.2f}, {here}\n")
        yield mine, other


def ratio(ratios: Sequence[float]) -> Ratio:
    """Return the median of some ratios, with its interval.

    >>> ratio([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6])
    Ratio(median=1.3, low=1.0, high=1.6, chance=0.984375)

    """
    ordered, amount = sorted(ratios), len(ratios)
    outside, chance, rank = 0.0, 0.0, 0
    for below in range(amount // 2 + 1):
        outside += 2 * comb(amount, below) / 2**amount
        if below and 1 - outside < LEVEL:
            break
        rank, chance = below, 1 - outside
    return Ratio(median(ordered), ordered[rank], ordered[-1 - rank], chance)


@contextmanager
def _served(
    ours: Side, theirs: Side, folder: Path, load: Callable[[Charity, Served], Measure]
) -> Iterator[list[Measure]]:
    with ExitStack() as stack:
        measures = []
        for number, side in enumerate((ours, theirs)):
            data = folder / str(number)
            data.mkdir(parents=True)
            bearer = token(side, data)
            served = stack.enter_context(side.serving(data))
            measures.append(load(Charity(served, bearer), served))
        yield measures


def _pledges(ours: Side, theirs: Side, folder: Path, size: Size) -> Sides:
    def load(charity: Charity, served: Served) -> Measure:
        def turn() -> Turn:
            requests = charity.pledges(TURNS_OF_PLEDGES * size.requests)
            before = charity.pledged()
            result = _timed(served, len(requests), lambda: charity.pledge(requests))
            expected = before + len(requests) * 100_00
            done("fen promised", expected=expected, actual=charity.pledged())
            return result

        return turn

    return _served(ours, theirs, folder, load)


def _feed(ours: Side, theirs: Side, folder: Path, size: Size) -> Sides:
    def load(charity: Charity, served: Served) -> Measure:
        def turn() -> Turn:
            request, answers = charity.orders(size.orders), list[int]()
            result = _timed(served, size.orders, lambda: answers.append(charity.feed(request)))
            done("orders accepted", expected=[size.orders], actual=answers)
            charity.settle()
            return result

        return turn

    return _served(ours, theirs, folder, load)


def _timed(served: Served, amount: int, work: Callable[[], None]) -> Turn:
    busy, began = processor_time(served.pid), perf_counter()
    work()
    took, was_busy = perf_counter() - began, processor_time(served.pid) - busy
    return Turn(amount / took, amount / was_busy)


def _balances(ours: Side, theirs: Side, folder: Path, size: Size) -> Sides:
    return _worked("balances", ours, theirs, folder, size)


def _audit(ours: Side, theirs: Side, folder: Path, size: Size) -> Sides:
    return _worked("audit", ours, theirs, folder, size)


@contextmanager
def _worked(
    work: str, ours: Side, theirs: Side, folder: Path, size: Size
) -> Iterator[list[Measure]]:
    """Have both sides do the same work on copies of one history, and hold their results equal."""
    original, results = folder / "original", set[tuple[int, str]]()
    theirs.leifeng("generate", "--events", str(size.comparison), "--data", str(original))

    def turn(worker: Worker) -> Turn:
        result = worker.turn()
        results.add((result.events, result.result))
        done("results of the two sides", expected=1, actual=len(results))
        return _turn(result)

    with ExitStack() as stack:
        measures: list[Measure] = []
        for number, side in enumerate((ours, theirs)):
            data = folder / str(number)
            shutil.copytree(original, data)
            measures.append(partial(turn, stack.enter_context(side.working(work, data))))
        yield measures


def _turn(result: Measurement) -> Turn:
    return Turn(result.events / result.seconds, result.events / result.processor)


COMPARISONS: Mapping[str, tuple[str, Callable[[Side, Side, Path, Size], Sides]]] = {
    "pledges": ("pledges", _pledges),
    "feed": ("orders", _feed),
    "replay-balances": ("events", _balances),
    "audit": ("events", _audit),
}
"""What can be compared: of what it does so many a second, and how both sides are made ready."""
