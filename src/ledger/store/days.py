"""A number that has a value per business day: what it comes to at the end of each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple


class Lowest(NamedTuple):
    """The day on which some changes would leave a number lowest, of those that they take lower.

    Attributes:
        day: The first, if there are several.
        value: What it comes to on that day, before the changes.
        change: What they come to by that day; below zero.

    """

    day: date
    value: int
    change: int


class Days:
    """What a number comes to at the end of each day that has an entry.

    A change counts from its day on. So it changes the entries of all later days with its own, and
    on a day without an entry the number is what it was on the last day that has one.
    """

    def __init__(self, values: Mapping[date, int] | None = None) -> None:
        """Begin with ``values``: of every day since some day, and of the last one before it."""
        self._values = dict(values or {})
        self._days = sorted(self._values)

    def lowest(self, changes: Mapping[date, int]) -> Lowest | None:
        """Return where ``changes`` would leave the number lowest, if they take any day lower.

        Only days with an entry need to be looked at, those that the changes make among them.
        """
        lower = [each for each in self._after(changes) if each.change < 0]
        return min(lower, key=lambda each: each.value + each.change, default=None)

    def change(self, changes: Mapping[date, int]) -> list[tuple[date, int]]:
        """Make ``changes``; return the entries that they made or changed, with their values."""
        changed = [
            (day, value + change)
            for day, value, change in self._after(changes)
            if change or day in changes
        ]
        for day, value in changed:
            if day not in self._values:
                insort(self._days, day)
            self._values[day] = value
        return changed

    def _after(self, changes: Mapping[date, int]) -> Iterator[Lowest]:
        """Yield each day from the first change on, its value and what was changed by then."""
        first = min(changes)
        later = self._days[bisect_left(self._days, first) :]
        before = bisect_right(self._days, first) - 1
        value = self._values[self._days[before]] if before >= 0 else 0
        change = 0
        for day in sorted({*changes, *later}):
            value = self._values.get(day, value)
            change += changes.get(day, 0)
            yield Lowest(day, value, change)
