"""Donors who were read once, so that a promise reads nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ledger.aggregates.donors import Donor
from ledger.books.tallies import RESTRICTIONS, Expectation
from ledger.kernel.errors import Conflict, LedgerError
from ledger.kernel.names import DonorId

if TYPE_CHECKING:
    from ledger.commands.application import Ledger

KNOWN_MAX = 100_000
"""Donors that are remembered."""


class _Remembered(NamedTuple):
    """Donors as they were read, and what holds as long as none of them has changed."""

    donor: Callable[[DonorId], Donor]
    unchanged: Expectation


class KnownDonors:
    """Remembers the donors of one ledger.

    What is remembered is dropped when anybody's details were restricted or erased, by this process
    or by any other.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._remembered: _Remembered | None = None

    def may_give(self, donor: DonorId) -> Expectation:
        """Refuse who is unknown or can promise nothing new; expect that this still holds."""
        remembered = self._remembered or self._remember()
        remembered.donor(donor).check_may_give()
        return remembered.unchanged

    def _remember(self) -> _Remembered:
        """Begin anew. The count is read first, so that donors are at least as new as it is."""
        count = self._ledger.store.tallies([RESTRICTIONS]).get(RESTRICTIONS, 0)
        unchanged = Expectation(RESTRICTIONS, count, self._drop)
        self._remembered = _Remembered(lru_cache(KNOWN_MAX)(self._read), unchanged)
        return self._remembered

    def _read(self, donor: DonorId) -> Donor:
        return self._ledger.get(Donor, donor)

    def _drop(self, _: int) -> LedgerError:
        self._remembered = None
        return Conflict("details of a donor were just restricted or erased")
