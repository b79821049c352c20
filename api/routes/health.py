"""/healthz, /readyz and /metrics: for those who keep the server running."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pydantic import BaseModel

from api.kernel.problems import detail_of
from api.kernel.site import Site
from api.kernel.wire import json_response
from ledger.kernel.errors import LedgerError

router = APIRouter(tags=["health"])

LAG_MAX = 10_000
"""Events that views may be behind before readers are sent elsewhere: a second's work."""


class Alive(BaseModel):
    """The process answers."""

    status: str


class Ready(BaseModel):
    """The store answers, and how far the views are behind it."""

    status: str
    position: int
    lag: int
    stopped: list[str]
    log_lag: int
    log_refusal: str | None
    verified: bool | None


class _Gauges(Collector):
    """Metrics of the parts of the site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[GaugeMetricFamily]:
        position = self._site.ledger.store.last_position()
        yield _gauge("position", "Events recorded.", position)
        lag = GaugeMetricFamily("leifeng_view_lag", "Events not yet in a view.", labels=["view"])
        for view, reached in self._site.follower.positions.items():
            lag.add_metric([view], max(0, position - reached))
        yield lag
        yield _gauge("views_stopped", "Views that stopped.", len(self._site.follower.stopped))
        yield _gauge("log_lag", "Events not yet in the public log.", self._site.keeper.lag)
        yield _gauge("log_refusing", "The log is not signed.", _refuses(self._site))
        check = self._site.check.latest
        if check is not None:
            yield _gauge("verified", "The last check found all as signed.", check.verified)
            yield _gauge("verified_events", "Events that it hashed again.", check.events)
        committer = self._site.ledger.committer
        yield _gauge("queue", "Commands waiting to be stored.", committer.waiting)
        yield _gauge("storing", "Commands being stored.", committer.storing)


def _said_of(refusal: Exception) -> str:
    """Return why the log is not signed, to strangers; the server's own log says all of it."""
    return detail_of(refusal) if isinstance(refusal, LedgerError) else "see the server's log"


def _refuses(site: Site) -> bool:
    """Say whether nobody signs the log, as opposed to another server."""
    return site.keeper.refusal is not None and not site.keeper.is_elsewhere


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"leifeng_{name}", text, value=value)


@router.get("/healthz", response_model=Alive)
async def healthz() -> Response:
    """Say that the process is alive."""
    return json_response({"status": "alive"})


@router.get(
    "/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "Behind"}}
)
def readyz(request: Request) -> Response:
    """Say whether the store can be reached, the views are level, the log signed and verified."""
    site: Site = request.app.state.site
    position = site.ledger.store.last_position()
    lag = max(0, position - site.follower.reached)
    stopped = sorted(site.follower.stopped)
    if stopped:
        status = "stopped"
    elif _refuses(site):
        status = "unsigned"
    elif site.check.latest is not None and not site.check.latest.verified:
        status = "differs"
    else:
        status = "ready" if lag <= LAG_MAX else "behind"
    refusal = site.keeper.refusal
    answer = json_response(
        {
            "status": status,
            "position": position,
            "lag": lag,
            "stopped": stopped,
            "log_lag": site.keeper.lag,
            "log_refusal": refusal and _said_of(refusal),
            "verified": site.check.latest and site.check.latest.verified,
        }
    )
    answer.status_code = 200 if status == "ready" else 503
    return answer


@router.get(
    "/metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def metrics(request: Request) -> Response:
    """Return figures for Prometheus."""
    registry = CollectorRegistry()
    registry.register(_Gauges(request.app.state.site))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
