"""Events of a donation, as they are kept for ever."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from ledger.kernel.aggregate import Fact
from ledger.kernel.money import Currency, Fen
from ledger.kernel.names import DonorId, FundCode
from ledger.kernel.payments import (
    Channel,
    Returned,
)
from ledger.kernel.terms import Restriction

Cause = Literal["duplicate", "error", "donor_or_law", "own_fault"]
"""Why money goes back. Only ``own_fault`` is the charity's to answer for."""


INSTALMENTS_MAX = 120
"""Ten years, monthly."""


class Instalment(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a promise (分期), and the day it is due."""

    due_on: date
    amount: Fen


class Pledged(Fact, frozen=True):
    """Someone promised to give. Nothing is posted: a promise is not yet money."""

    TOPIC = "donation.pledged.1"
    donor: DonorId
    fund: FundCode
    amount: Fen
    currency: Currency
    restriction: Restriction
    instalments: tuple[Instalment, ...]
    public_promise: bool
    note: str | None


class PaymentReceived(Fact, frozen=True):
    """Money arrived. What goes beyond the promise is ``excess`` and not yet a gift."""

    TOPIC = "donation.payment-received.1"
    fund: FundCode
    restriction: Restriction
    amount: Fen
    excess: Fen
    currency: Currency
    channel: Channel
    external_ref: str


class PaymentConfirmed(Fact, frozen=True):
    """Somebody else found the payment on the bank's or platform's own statement."""

    TOPIC = "donation.payment-confirmed.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    channel: Channel
    external_ref: str
    statement_ref: str


class Withdrawn(Fact, frozen=True):
    """The donor took back what was still open; what was paid stays."""

    TOPIC = "donation.withdrawn.1"
    fund: FundCode
    open: Fen
    currency: Currency
    reason: str


class Refunded(Fact, frozen=True):
    """Money that had counted went back. The cause decides what the entry debits."""

    TOPIC = "donation.refunded.1"
    fund: FundCode
    restriction: Restriction
    amount: Fen
    currency: Currency
    cause: Cause
    reason: str
    back: tuple[Returned, ...]


class ExcessGiven(Fact, frozen=True):
    """The donor decided that money paid beyond the promise is a gift as well."""

    TOPIC = "donation.excess-given.1"
    fund: FundCode
    restriction: Restriction
    amount: Fen
    currency: Currency


class ExcessReturned(Fact, frozen=True):
    """The donor decided to have money paid beyond the promise back."""

    TOPIC = "donation.excess-returned.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    back: tuple[Returned, ...]
