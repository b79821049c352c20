"""Readiness: whether the views have read the history."""

from __future__ import annotations

from api.kernel.site import Site
from api.routes.health import LAG_MAX
from projections.kernel.follow import ViewsAway


class StillReading(ViewsAway):
    """Pages are shown once the history has been read through.

    Attributes:
        reached: Events read so far.
        last: Events that there are.

    """

    says = "{reached:,} of {last:,} events have been read"

    def __init__(self, reached: int, last: int) -> None:
        super().__init__(reached=reached, last=last)
        self.reached = reached
        self.last = last


def require_views_ready(site: Site) -> None:
    """Refuse to show a page whose reader would wait for long.

    Raises:
        StillReading: The views are far behind, as after a start on a long history without them.

    """
    last = site.ledger.store.last_position()
    reached = site.follower.reached
    if last - reached > LAG_MAX and not site.follower.stopped:
        raise StillReading(reached, last)
