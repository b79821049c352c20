"""Events of a disbursement, as they are kept for ever."""

from __future__ import annotations

from typing import Literal

from ledger.kernel.aggregate import Fact
from ledger.kernel.money import Currency, Fen
from ledger.kernel.names import FundCode, PartyId
from ledger.kernel.terms import Restriction

APPROVALS_USUAL = 2
"""People who must approve before money is set aside, where no rule of that day said otherwise."""

PayeeKind = Literal["organisation", "person", "supplier"]


class Requested(Fact, frozen=True):
    """Someone asked for aid.

    Attributes:
        payee: Opaque id of who is to be paid.
        payee_name: Name of an organisation or supplier; never of a person.
        grid: The neighbourhood (网格) that the aid is for.

    """

    TOPIC = "disbursement.requested.1"
    fund: FundCode
    restriction: Restriction
    payee_kind: PayeeKind
    payee: PartyId
    payee_name: str | None
    amount: Fen
    currency: Currency
    purpose: str
    grid: str | None


class ApprovalGiven(Fact, frozen=True):
    """One person agreed to exactly this: so much, to this payee, out of this fund."""

    TOPIC = "disbursement.approval-given.1"
    fund: FundCode
    payee: PartyId
    amount: Fen
    currency: Currency


class Reserved(Fact, frozen=True, omit_defaults=True):
    """The last approval needed set the money aside (预留).

    Attributes:
        approvals: How many people the rule of that day asked for, if not for two.

    """

    TOPIC = "disbursement.reserved.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    approvals: int = APPROVALS_USUAL


class Rejected(Fact, frozen=True):
    """The request was turned down."""

    TOPIC = "disbursement.rejected.1"
    fund: FundCode
    reason: str


class Cancelled(Fact, frozen=True):
    """The request was called off; what had been set aside, if anything, is free again."""

    TOPIC = "disbursement.cancelled.1"
    fund: FundCode
    released: Fen
    currency: Currency
    reason: str


class Paid(Fact, frozen=True):
    """The bank sent the money."""

    TOPIC = "disbursement.paid.1"
    fund: FundCode
    restriction: Restriction
    amount: Fen
    currency: Currency
    external_ref: str


class PaymentConfirmed(Fact, frozen=True):
    """Somebody else found the payment on the bank's own statement."""

    TOPIC = "disbursement.payment-confirmed.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    external_ref: str
    statement_ref: str


class Bounced(Fact, frozen=True):
    """The bank sent the money back undelivered. It is set aside again for a second try."""

    TOPIC = "disbursement.bounced.1"
    fund: FundCode
    restriction: Restriction
    amount: Fen
    currency: Currency
    reason: str


class Acknowledged(Fact, frozen=True):
    """The payee signed for what they hold (签收)."""

    TOPIC = "disbursement.acknowledged.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    by: PartyId


class Returned(Fact, frozen=True):
    """The payee gave a part back, or all of it.

    Attributes:
        prior_year: Paid in an earlier year, which is closed; the entry says so.
        acknowledged: The payee had signed for it before.

    """

    TOPIC = "disbursement.returned.1"
    fund: FundCode
    restriction: Restriction
    amount: Fen
    currency: Currency
    external_ref: str
    prior_year: bool
    acknowledged: bool
