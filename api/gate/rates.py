"""Rate limits, counted by the minute.

Each server process counts for itself. All counts begin anew together, so that what is kept never
exceeds what came within a minute, and whoever comes from a thousand addresses costs a thousand
numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from time import monotonic

from api.gate.refusals import TooOften
from ledger.kernel.sentences import Word

WINDOW_S = 60.0


class Rate:
    """Counts what each comes to, and refuses more than ``most`` a minute."""

    def __init__(self, most: int, what: Word, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._what = what
        self._clock = clock
        self._ends = 0.0
        self._counts: Counter[Hashable] = Counter()

    def count(self, who: Hashable) -> None:
        """Count one more of ``who``, or refuse it."""
        now = self._clock()
        if now >= self._ends:
            self._counts.clear()
            self._ends = now + WINDOW_S
        count = self._counts[who] + 1
        if count > self._most:
            raise TooOften(
                "at most {most:,} {what} a minute",
                most=self._most,
                what=self._what,
                retry_after=int(self._ends - now) + 1,
            )
        self._counts[who] = count
