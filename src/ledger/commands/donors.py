"""What donors, and those who keep their details, can do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donors import Donor, ErasureBasis, ErasureReason, RestrictionBasis
from ledger.books.tallies import RESTRICTIONS, Expectation
from ledger.commands.application import KNOWN_MAX, Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import Conflict, Invalid, LedgerError
from ledger.kernel.names import DonationId, DonorId
from ledger.kernel.roles import Role


class _Remembered(NamedTuple):
    """Donors as they were read, and what holds as long as none of them has changed."""

    donor: Callable[[DonorId], Donor]
    unchanged: Expectation


class DonorCommands(Records):
    """Register a donor; restrict and erase what is kept of them."""

    _remembered: _Remembered | None = None

    def register_donor(self, act: Act, donor: DonorId, *, anonymous: bool) -> Decision:
        """Make a donor known. Who it is goes into the register of people, not here."""
        return Decision(Donor.register(act, donor=donor, anonymous=anonymous))

    def restrict_donor(
        self, act: Act, donor_id: DonorId, *, basis: RestrictionBasis, until: date | None = None
    ) -> Decision:
        """Have what is kept of a donor used for nothing."""
        if act.role == Role.DONOR and basis != "donor-request":
            raise Invalid("basis", "must be donor-request if a donor asks for themselves")
        donor = self.donor(donor_id)
        repeat = donor.restrict(act, basis=basis, until=until)
        return Decision(donor, repeat_of=repeat)

    def erase_donor(
        self,
        act: Act,
        donor_id: DonorId,
        *,
        basis: ErasureBasis,
        reason: ErasureReason | None = None,
        donations: Sequence[DonationId],
    ) -> Decision:
        """Have what is kept of a donor destroyed, which ``people.erasure`` does once this stands.

        Args:
            act: Who does it.
            donor_id: Of the donor.
            basis: By what right.
            reason: Who brought it up.
            donations: Those of the donor's donations on which money may be owed.

        """
        donor = self.donor(donor_id)
        owing = [each for each in donations if _owed(self.donation(each))]
        repeat = donor.erase(act, basis=basis, reason=reason, owing=owing)
        return Decision(donor, repeat_of=repeat)

    def giving(self, donor: DonorId) -> Expectation:
        """Refuse those who are unknown or can promise nothing new; expect that this still holds.

        Donors are remembered, so that a promise reads nothing. What is remembered is dropped when
        anybody's details were restricted or erased, by this process or by any other.
        """
        remembered = self._remembered or self._remember()
        remembered.donor(donor).check_may_give()
        return remembered.unchanged

    def _remember(self) -> _Remembered:
        """Begin anew. The count is read first, so that donors are at least as new as it is."""
        count = self.store.tallies([RESTRICTIONS]).get(RESTRICTIONS, 0)
        unchanged = Expectation(RESTRICTIONS, count, self._drop)
        self._remembered = _Remembered(lru_cache(KNOWN_MAX)(self.donor), unchanged)
        return self._remembered

    def _drop(self, _: int) -> LedgerError:
        self._remembered = None
        return Conflict("details of a donor were just restricted or erased")


def _owed(donation: Donation) -> bool:
    """Say whether money is owed by the donor, who promised it, or to them, who paid beyond it."""
    return bool(donation.open or any(part.left for part in donation.excess))
