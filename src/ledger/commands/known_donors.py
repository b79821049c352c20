"""Donors who were read once, so that a promise reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ledger.aggregates.donors import Donor
from ledger.books.tallies import RESTRICTIONS, Expectation, Tally
from ledger.kernel.errors import Conflict, LedgerError
from ledger.kernel.names import DonorId

KNOWN_MAX = 100_000
"""Donors that are remembered."""


class _Remembered(NamedTuple):
    """Donors as they were read, and the expectation that none has changed since."""

    donor: Callable[[DonorId], Donor]
    unchanged: Expectation


class KnownDonors:
    """Remembers the donors of one ledger.

    What is remembered is dropped when anybody's details were restricted or erased, by this process
    or by any other.
    """

    def __init__(
        self,
        read: Callable[[DonorId], Donor],
        tallies: Callable[[Iterable[Tally]], Mapping[Tally, int]],
    ) -> None:
        """Remember what ``read`` returns, for as long as ``tallies`` count no restriction more."""
        self._read = read
        self._tallies = tallies
        self._remembered: _Remembered | None = None

    def may_give(self, donor: DonorId) -> Expectation:
        """Refuse who is unknown or can promise nothing new; expect that this still holds."""
        remembered = self._remembered or self._remember()
        remembered.donor(donor).check_may_give()
        return remembered.unchanged

    def _remember(self) -> _Remembered:
        """Begin anew. The count is read first, so that donors are at least as new as it is."""
        count = self._tallies([RESTRICTIONS]).get(RESTRICTIONS, 0)
        unchanged = Expectation(RESTRICTIONS, count, self._drop)
        self._remembered = _Remembered(lru_cache(KNOWN_MAX)(self._read), unchanged)
        return self._remembered

    def _drop(self, _: int) -> LedgerError:
        self._remembered = None
        return Conflict("details of a donor were just restricted or erased")
