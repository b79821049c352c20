"""Randomness of a made-up history: draws from a seed, a day, and who acts on it."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from ledger.kernel.aggregate import Act
from ledger.kernel.ids import new_id
from ledger.kernel.names import PersonId

FIRST_DAY = date(2026, 1, 1)
"""The books open then."""

T = TypeVar("T")


class Luck(random.Random):
    """Chance that knows which day it is.

    Attributes:
        today: The day that things happen on.

    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.today = FIRST_DAY
        self._acts = 0
        self._references = 0

    def act(self, person: str, role: str) -> Act:
        """Return who does the next thing, on the evening of the day."""
        self._acts += 1
        evening = datetime.combine(self.today, time(12, self._acts % 60), UTC)
        return Act(PersonId(person), role, new_id(), evening)

    def reference(self, kind: str) -> str:
        """Return a new reference of a payment; later ones sort after earlier ones."""
        self._references += 1
        return f"{kind}-{self._references:09}"

    def lately(self) -> date:
        """Return the day of something that is only heard of today."""
        return max(FIRST_DAY, self.today - timedelta(self.randrange(4)))

    def keep(self, pool: list[T], new: T, most: int) -> T | None:
        """Put ``new`` into ``pool``; return what had to make room for it."""
        if len(pool) < most:
            pool.append(new)
            return None
        place = self.randrange(most)
        gone, pool[place] = pool[place], new
        return gone

    def draw(self, pool: list[T]) -> T | None:
        """Take one out of ``pool``, if there is any."""
        if not pool:
            return None
        place = self.randrange(len(pool))
        pool[place], pool[-1] = pool[-1], pool[place]
        return pool.pop()
