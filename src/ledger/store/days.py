"""A number that has a value per business day: what it comes to at the end of each."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias

Step: TypeAlias = tuple[date, int, int]
"""A day, what the number comes to by then, and by how much some changes change that."""


class Days:
    """What a number comes to at the end of each day that has an entry.

    A change counts from its day on. So it changes the entries of all later days with its own, and
    on a day without an entry the number is what it was on the last day that has one.
    """

    def __init__(self, values: Mapping[date, int] | None = None) -> None:
        """Begin with the values of every day from some day on, and of the last day before it."""
        self._values = dict(values or {})
        self._days = sorted(self._values)
        self._changed: set[date] = set()

    def steps(self, changes: Mapping[date, int]) -> list[Step]:
        """Return what ``changes`` do to each entry, those that they make among them."""
        start = bisect_left(self._days, min(changes))
        value = self._values[self._days[start - 1]] if start else 0
        days = self._days[start:]
        if made := changes.keys() - self._values.keys():
            days = sorted([*days, *made])
        change, steps = 0, []
        for day in days:
            value = self._values.get(day, value)
            change += changes.get(day, 0)
            steps.append((day, value, change))
        return steps

    def take(self, steps: Iterable[Step]) -> None:
        """Make the changes that ``steps`` came of."""
        for day, value, change in steps:
            if day not in self._values:
                insort(self._days, day)
            elif not change:
                continue
            self._values[day] = value + change
            self._changed.add(day)

    def changed(self) -> Iterator[tuple[date, int]]:
        """Yield the entries that were made or changed, with their values."""
        for day in self._changed:
            yield day, self._values[day]


def lowest(steps: Sequence[Step]) -> Step | None:
    """Return the step that leaves a number lowest, of those that take it lower.

    It is enough to look at days with an entry: on others the number is what it was on one of them.
    """
    lower = [step for step in steps if step[2] < 0]
    return min(lower, key=_left, default=None)


def _left(step: Step) -> int:
    _, value, change = step
    return value + change
