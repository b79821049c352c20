"""When the event was recorded that a page is as good as."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api.kernel.desk import Desk
from ledger.kernel.names import Position


def as_of(desk: Desk, position: Position) -> dict[str, Any]:
    """Return which event the figures are as good as, and when that was recorded."""
    at: datetime | None = None
    for _, fact in desk.ledger.at([position]):
        at = fact.recorded_at
    return {"position": position, "at": at}
