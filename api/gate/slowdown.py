"""Slows down whoever guesses: a few tries are free, then each failure doubles the wait.

Counted for the person whose password is guessed and for the address that it is guessed from, in
each process for itself. What is kept is bounded; the oldest is forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import NamedTuple

from api.gate.refusals import TooOften

FREE = 5
"""Failures after which waiting begins: people mistype."""

WAIT_MAX_S = 300.0
"""Seconds to wait at most, so that nobody can shut a person out for long by guessing."""

FORGOTTEN_S = 3_600.0
"""Seconds after the last failure when all is forgotten."""

KEPT_MAX = 10_000


class _Failed(NamedTuple):
    times: int
    at: float


class Slowdown:
    """Counts failures."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[Hashable, _Failed] = OrderedDict()
        self._lock = Lock()

    def check(self, *who: Hashable) -> None:
        """Refuse whoever still has to wait."""
        now = self._clock()
        with self._lock:
            left = max((self._left(each, now) for each in who), default=0.0)
        if left > 0:
            raise TooOften("too many wrong tries", retry_after=int(left) + 1)

    def _left(self, who: Hashable, now: float) -> float:
        failed = self._failed.get(who)
        if failed is None or failed.times < FREE or now - failed.at > FORGOTTEN_S:
            return 0.0
        return failed.at + min(2.0 ** (failed.times - FREE), WAIT_MAX_S) - now

    def failed(self, *who: Hashable) -> None:
        """Count a failure of each."""
        now = self._clock()
        with self._lock:
            for each in who:
                before = self._failed.pop(each, _Failed(0, now))
                times = 0 if now - before.at > FORGOTTEN_S else before.times
                self._failed[each] = _Failed(times + 1, now)
            while len(self._failed) > KEPT_MAX:
                self._failed.popitem(last=False)

    def succeeded(self, who: Hashable) -> None:
        """Forget the failures of one who came in."""
        with self._lock:
            self._failed.pop(who, None)
