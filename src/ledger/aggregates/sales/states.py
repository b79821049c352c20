"""States of a charity sale, and the steps that each allows."""

from __future__ import annotations

from enum import StrEnum


class SaleState(StrEnum):
    """Where a sale stands in its life."""

    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"
    SETTLED = "settled"


STEPS = {
    SaleState.PLANNED: ("opening",),
    SaleState.OPEN: ("orders", "returns", "ending"),
    SaleState.ENDED: ("orders", "returns", "settlement"),
    SaleState.SETTLED: ("remittance",),
}
