"""Commands about a donor and the donor's personal data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donors import Donor, ErasureBasis, ErasureReason, RestrictionBasis
from ledger.commands.command import Decision, command
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import Invalid
from ledger.kernel.names import DonationId, DonorId
from ledger.kernel.roles import Role


def _themselves(donor_id: DonorId, **_: Any) -> DonorId:
    return donor_id


@command(by=(Role.CLERK, Role.DONOR))
def register_donor(_: Records, act: Act, donor: DonorId, *, anonymous: bool) -> Decision:
    """Make a donor known. Who it is goes into the register of people, not into the history."""
    return Decision(Donor.register(act, donor=donor, anonymous=anonymous))


@command(by=(Role.ADMIN, Role.DONOR), owner=_themselves)
def restrict_donor(
    records: Records,
    act: Act,
    donor_id: DonorId,
    *,
    basis: RestrictionBasis,
    until: date | None = None,
) -> Decision:
    """Have a donor's details kept, sealed, and used for nothing."""
    if act.role == Role.DONOR and basis != "donor-request":
        raise Invalid("basis", "must be donor-request if a donor asks for themselves")
    donor = records.get(Donor, donor_id)
    return Decision(donor, repeat_of=donor.restrict(act, basis=basis, until=until))


@command(by=(Role.ADMIN, Role.DONOR), owner=_themselves)
def erase_donor(
    records: Records,
    act: Act,
    donor_id: DonorId,
    *,
    basis: ErasureBasis,
    reason: ErasureReason | None = None,
    donations: Sequence[DonationId],
) -> Decision:
    """Have a donor's details destroyed, which ``people.erasure`` does once this stands.

    Args:
        records: What is recorded.
        act: Who does it.
        donor_id: Of the donor.
        basis: By what right.
        reason: Who brought it up.
        donations: Those of the donor's donations on which money may be owed.

    """
    donor = records.get(Donor, donor_id)
    owing = [each for each in donations if _owed(records.get(Donation, each))]
    return Decision(donor, repeat_of=donor.erase(act, basis=basis, reason=reason, owing=owing))


def _owed(donation: Donation) -> bool:
    """Say whether money is owed by the donor, who promised it, or to them, who paid beyond it."""
    return bool(donation.open or any(part.left for part in donation.excess))
