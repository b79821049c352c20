"""States of a donation, and the steps that each allows."""

from __future__ import annotations

from enum import StrEnum


class DonationState(StrEnum):
    """Where a donation stands in its life."""

    PLEDGED = "pledged"
    PARTIALLY_SETTLED = "partially-settled"
    FULFILLED = "fulfilled"
    WITHDRAWN = "withdrawn"


STEPS = {
    DonationState.PLEDGED: ("payment", "withdrawal"),
    DonationState.PARTIALLY_SETTLED: ("payment", "withdrawal", "refund"),
    DonationState.FULFILLED: ("payment", "refund"),
    DonationState.WITHDRAWN: ("refund",),
}
