"""Tallies of payments, each of which counts once, whichever donation names it."""

from __future__ import annotations

from ledger.aggregates.donations.donation import Donation
from ledger.kernel.payments import PaymentCounted
from ledger.kernel.tallies import Expectation, Tallied, Tally

COUNTED = "counted"
"""Name of the tally of how often a payment counts."""


def of_payment(channel: str, external_ref: str) -> Tally:
    """Return the tally of how often a payment counts: once, or not yet."""
    return Tally(f"payment {channel} {external_ref}", COUNTED)


def payment_is_new(channel: str, external_ref: str) -> Expectation:
    """Expect that no donation has counted this payment."""
    tally = of_payment(channel, external_ref)
    return Expectation(tally, 0, lambda _: PaymentCounted(channel, external_ref))


TALLIED = Tallied(
    changes={
        Donation.PaymentReceived: lambda fact: [(of_payment(fact.channel, fact.external_ref), 1)]
    }
)
