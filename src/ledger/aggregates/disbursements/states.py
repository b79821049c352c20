"""States of a disbursement, and the steps that each allows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class DisbursementState(StrEnum):
    """Where a disbursement stands in its life."""

    REQUESTED = "requested"
    PARTLY_APPROVED = "partly-approved"
    APPROVED = "approved"
    PAID = "paid"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


STEPS: Mapping[DisbursementState, tuple[str, ...]] = {
    DisbursementState.REQUESTED: ("approval", "rejection", "cancellation"),
    DisbursementState.PARTLY_APPROVED: ("approval", "rejection", "cancellation"),
    DisbursementState.APPROVED: ("payment", "cancellation"),
    DisbursementState.PAID: ("confirmation", "bounce", "acknowledgement", "return"),
    DisbursementState.ACKNOWLEDGED: ("confirmation", "return"),
    DisbursementState.RETURNED: ("confirmation",),
}
"""Nothing follows the states that are not named."""
