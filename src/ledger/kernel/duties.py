"""Separation of duties: pairs of steps about one thing that one person may never take both.

They are held apart by person, whatever roles and tokens somebody has: handling, approving and
keeping money are different people's (会计法 art. 25), who keeps it does not also check it (same,
art. 35), and who is related to a payee takes no part in deciding for them (慈善法 art. 14).
``APART`` is all of it, and the first thing that each of these steps looks at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from ledger.kernel.errors import SamePerson
from ledger.kernel.names import PersonId
from ledger.kernel.sentences import Sentence


class Duty(StrEnum):
    """A person's part in one thing: a step they take, or a relation they have."""

    REQUEST = "request"
    RELATION = "relation"
    APPROVAL = "approval"
    PAYMENT = "payment"
    CONFIRMATION = "confirmation"


class OwnRequest(SamePerson):
    """Nobody approves a disbursement that they asked for."""

    says = "whoever requested {thing} may not approve it"


class RelatedPayee(SamePerson):
    """Nobody approves for a payee whom they declared themselves related to (慈善法 art. 14)."""

    says = "whoever is related to the payee of {thing} may not approve it"


class AlreadyApproved(SamePerson):
    """Two approvals are two people's."""

    says = "the same person has already approved {thing}"


class OwnApproval(SamePerson):
    """Nobody pays a disbursement that they approved."""

    says = "whoever approved {thing} may not pay it"


class OwnPayment(SamePerson):
    """Nobody confirms against the bank what they recorded themselves."""

    says = "whoever recorded {thing} may not confirm it"


APART: Mapping[Duty, Mapping[Duty, type[SamePerson]]] = {
    Duty.APPROVAL: {
        Duty.REQUEST: OwnRequest,
        Duty.RELATION: RelatedPayee,
        Duty.APPROVAL: AlreadyApproved,
    },
    Duty.PAYMENT: {Duty.APPROVAL: OwnApproval},
    Duty.CONFIRMATION: {Duty.PAYMENT: OwnPayment},
}
"""For each step, what of before keeps a person from it, and the refusal that says so."""


Hands = Mapping[Duty, Collection[PersonId]]
"""Who did what about one thing so far."""


def keep_apart(duty: Duty, person: PersonId, hands: Hands, thing: Sentence) -> None:
    """Refuse that ``person`` takes a step about ``thing`` that their earlier one forbids."""
    for before, refusal in APART.get(duty, {}).items():
        if person in hands.get(before, ()):
            raise refusal(thing=thing)
