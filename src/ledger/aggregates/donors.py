"""Donors (捐赠人). The history knows an id; who it is stands in the register of people.

What the register keeps can be restricted and erased (个人信息保护法, PIPL, arts. 44 to 50). Both
are events, with a basis and a day and nothing that says who it is: an auditor sees that it was done
and why, and every balance stays what it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Literal, Self

from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.errors import Invalid, Refused, WrongState
from ledger.kernel.names import DonationId, DonorId
from ledger.kernel.sentences import Sentence, Several

RestrictionBasis = Literal["donor-request", "statutory-retention"]
"""Why details are kept, sealed, and used for nothing.

* ``donor-request``: the donor limits or refuses their use (PIPL art. 44).
* ``statutory-retention``: they would be erased, but a period runs for which records are kept: 30
  years for vouchers and ledgers (会计法 art. 23, 会计档案管理办法; PIPL art. 47 ¶2).
"""

ErasureBasis = Literal[
    "consent-withdrawn", "purpose-achieved", "retention-expired", "unlawful-processing"
]
"""Why details are erased: the cases of PIPL art. 47 ¶1."""

ErasureReason = Literal["asked-by-donor", "asked-by-relative", "found-by-charity"]
"""Who brought it up: the donor (PIPL arts. 47, 50), a relative of one who died (art. 49), or the
charity, which erases of its own accord (art. 47). A code, since free words could say who it is.
"""


class DonorState(StrEnum):
    """What may be done with a donor's details."""

    ACTIVE = "active"
    RESTRICTED = "restricted"
    ERASED = "erased"


STEPS = {
    DonorState.ACTIVE: ("restriction", "erasure"),
    DonorState.RESTRICTED: ("restriction", "erasure"),
    DonorState.ERASED: (),
}


class MoneyIsOwed(Refused):
    """Who owes money, or is owed it, is not erased: somebody has to be able to reach them."""

    says = (
        "donor {donor} has an open promise or money in suspense in donation {donations}; have it"
        " paid, withdrawn, given or returned first"
    )

    def __init__(self, donor: object, owing: Sequence[DonationId]) -> None:
        self.owing = tuple(owing)
        super().__init__(donor=donor, donations=Several(owing))


class RetentionRuns(Refused):
    """What has to be kept for a time is restricted until then (个人信息保护法 art. 47)."""

    says = "the details of donor {donor} are to be kept until {until}"

    def __init__(self, donor: object, until: date) -> None:
        super().__init__(donor=donor, until=until)


class ProcessingStopped(Refused):
    """Details that are restricted or erased are used for nothing new (个人信息保护法 art. 47)."""

    says = "donor {donor} is {state} and can promise nothing new"

    def __init__(self, donor: object, state: DonorState) -> None:
        super().__init__(donor=donor, state=state)


class Donor(Aggregate):
    """Someone who gives."""

    TOPIC = "donor"
    MOVES_MONEY = False

    class Registered(Fact, frozen=True):
        """A donor became known to the charity.

        Attributes:
            anonymous: Not to be named in public. The default of Charity Law (慈善法) art. 82:
                a name is published only if its owner agrees.

        """

        TOPIC = "donor.registered.1"
        anonymous: bool

    class ProcessingRestricted(Fact, frozen=True):
        """A donor's details are kept, sealed, and used for nothing from now on.

        Attributes:
            basis: By what right.
            until: The last day on which they have to be kept, if they have to.

        """

        TOPIC = "donor.processing-restricted.1"
        basis: RestrictionBasis
        until: date | None

    class Erased(Fact, frozen=True):
        """A donor's details were destroyed, with the key that opens any copy of them."""

        TOPIC = "donor.erased.1"
        basis: ErasureBasis
        reason: ErasureReason | None

    @classmethod
    def register(cls, act: Act, *, donor: DonorId, anonymous: bool) -> Self:
        """Make a donor known."""
        known = cls(donor)
        known._record(cls.Registered, act, on=act.today, anonymous=anonymous)
        return known

    def restrict(self, act: Act, *, basis: RestrictionBasis, until: date | None) -> int | None:
        """Restrict the use of details; return the version that already did so, if one did."""
        if self.state is DonorState.ERASED:
            thing = Sentence("donor {donor}", donor=self.id)
            raise WrongState("restriction", thing, self.state, STEPS[self.state])
        if self.restriction is not None and self.restriction[:2] == (basis, until):
            return self.restriction[2]
        if basis == "statutory-retention" and until is None:
            raise Invalid("until", "must be the day on which the retention period ends")
        if until is not None and until < act.today:
            raise Invalid("until", "{on} is in the past", on=until)
        self._record(self.ProcessingRestricted, act, on=act.today, basis=basis, until=until)
        return None

    def erase(
        self,
        act: Act,
        *,
        basis: ErasureBasis,
        reason: ErasureReason | None,
        owing: Sequence[DonationId],
    ) -> int | None:
        """Have details destroyed, once; return the version that said so, if they are already.

        Args:
            act: Who does it.
            basis: By what right.
            reason: Who brought it up.
            owing: Donations of this donor on which money is owed.

        """
        if self.state is DonorState.ERASED:
            return self.version
        if owing:
            raise MoneyIsOwed(self.id, owing)
        if self.kept_until is not None and act.today <= self.kept_until:
            raise RetentionRuns(self.id, self.kept_until)
        self._record(self.Erased, act, on=act.today, basis=basis, reason=reason)
        return None

    def check_may_give(self) -> None:
        """Refuse something new of somebody whose details are used for nothing."""
        if self.state is not DonorState.ACTIVE:
            raise ProcessingStopped(self.id, self.state)

    @event(Registered)
    def _registered(self, fact: Registered) -> None:
        self.anonymous = fact.anonymous
        self.state = DonorState.ACTIVE
        self.restriction: tuple[RestrictionBasis, date | None, int] | None = None
        self.kept_until: date | None = None

    @event(ProcessingRestricted)
    def _processing_restricted(self, fact: ProcessingRestricted) -> None:
        """Note it; a request of the donor's does not end a period of retention."""
        self.state = DonorState.RESTRICTED
        self.restriction = fact.basis, fact.until, fact.originator_version
        if fact.basis == "statutory-retention":
            self.kept_until = fact.until

    @event(Erased)
    def _erased(self, _: Erased) -> None:
        self.state = DonorState.ERASED
