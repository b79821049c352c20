"""The only place where the parts are put together."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from api.gate.documented import document_gate
from api.gate.gate import Gate
from api.gate.limits import Limits
from api.gate.slowdown import FREE_FROM_ADDRESS, Slowdown
from api.kernel import problems
from api.kernel.site import Site
from api.pages.every import pages
from api.pages.kit import refusals as refusal_pages
from api.pages.public.live import Live
from api.places import DEMO_MARK, Places, key_file
from api.processes.follower import FollowerProcess
from api.processes.gc import spared
from api.processes.self_check import EVERY_S, SelfCheck
from api.routes import docs, refusals
from api.routes.every import routes
from ledger.commands import Ledger
from ledger.commands.outbox import Outbox
from ledger.people.erasure import erased
from ledger.people.identity import Identity
from ledger.people.refusals import Refusals
from projections.kernel.follow import Follower
from projections.log.cosigning import Cosigning, WitnessAddress
from projections.log.keeper import Keeper
from projections.log.log import Log
from projections.log.tables import open_log
from projections.views.every import all_views
from projections.views.opening import open_views

if TYPE_CHECKING:  # It needs an extra that not every server has.
    from api.sso.provider import Provider

DESCRIPTION = """The ledger of the Lei Feng e-supermarket (雷锋e超市): every fen from promise to
thank-you in one history. Amounts are whole fen, days are business days in Asia/Shanghai."""


NO_TELEMETRY = TelemetryConfig(tracing=False, metrics=False, logs=False)
"""Nobody is told but who asks at /metrics; asking whether somebody is costs each request."""


def utc_now() -> datetime:
    """Read the clock, which only the doors do."""
    return datetime.now(UTC)


@contextmanager
def open_site(
    data: Path, witnesses: Sequence[WitnessAddress] = (), *, verify_every_s: float = 0
) -> Iterator[Site]:
    """Open the ledger kept in the folder ``data``, or the database that the environment names."""
    places = Places.of(data)
    if places.are_files:
        data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        ledger = opened.enter_context(closing(Ledger(places.ledger)))
        identity = opened.enter_context(closing(Identity(places.people, places.vault_key)))
        identity.erase(erased(ledger.store))  # Before anybody is served.
        views = open_views(places.views)
        opened.callback(views.dispose)
        follower = opened.enter_context(closing(Follower(ledger, views, all_views())))
        tiles = open_log(places.log)
        opened.callback(tiles.dispose)
        log = Log(ledger.store, tiles, key_file(data), utc_now)
        last_position = ledger.store.last_position
        keeper = opened.enter_context(closing(Keeper(log, last_position, time.monotonic)))
        cosigning = opened.enter_context(closing(Cosigning(log, witnesses, time.monotonic)))
        opened.callback(ledger.committer.close)
        outbox = opened.enter_context(closing(Outbox(ledger, identity.users, utc_now)))
        outbox.deliver()
        outbox.reconcile_all()
        counted = opened.enter_context(closing(Refusals(places.people)))

        def stored() -> None:
            follower.notice()
            keeper.notice()

        ledger.committer.on_stored = stored
        check = opened.enter_context(closing(SelfCheck(data, log, verify_every_s, utc_now)))
        yield Site(
            ledger, identity, views, follower, counted, log, keeper, cosigning, check, outbox
        )


class Gated(FastAPI):
    """An application with the gate around it, so that even its breakdowns are answered safely."""

    limits: Limits
    hosts: Iterable[str]

    def build_middleware_stack(self) -> ASGIApp:
        """Put the gate around everything."""
        return Gate(super().build_middleware_stack(), self.limits, self.hosts)


def create_app(
    data: Path,
    *,
    witnesses: Sequence[WitnessAddress] = (),
    limits: Limits | None = None,
    hosts: Iterable[str] = (),
    verify_every_s: float = EVERY_S,
    provider: Provider | None = None,
) -> FastAPI:
    """Build the service over the ledger kept in the folder ``data``.

    Args:
        data: The folder.
        witnesses: Who cosigns the public log.
        limits: What one client may ask for.
        hosts: The names that it answers to; any, if none are given.
        verify_every_s: Seconds between two checks of the history; 0 for none.
        provider: Where people may sign in instead of by a password, if anywhere.

    """
    if sys.flags.optimize > 1:
        raise RuntimeError("python -OO takes away the docstrings that refusals are titled by")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with (
            open_site(data, witnesses, verify_every_s=verify_every_s) as site,
            closing(FollowerProcess(data)),
            spared(),
        ):
            app.state.site = site
            app.state.live = Live(site)
            site.follower.start(standing_by=True)
            site.keeper.start()
            site.outbox.start()
            site.cosigning.start()
            site.check.start()
            yield

    app = Gated(
        title="Lei Feng e-supermarket ledger",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        separate_input_output_schemas=False,
        docs_url=None,
        redoc_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.limits, app.hosts = limits or Limits(), hosts
    app.state.limits, app.state.slowdown = app.limits, Slowdown()
    app.state.slowdown_of_addresses = Slowdown(FREE_FROM_ADDRESS)
    app.state.sso = provider
    app.state.illustrative = (data / DEMO_MARK).exists()
    problems.install(app)
    refusals.install(app)
    app.add_exception_handler(ClientDisconnect, _gone)
    for router in (*routes(), *pages()):
        app.router.routes += router.routes  # Included, each request would be matched twice.
    docs.install(app)
    refusal_pages.install(app)
    _document(app)
    return app


async def _gone(_: Request, __: Exception) -> Response:
    """Answer nobody: who hangs up before all was said has asked for nothing."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _document(app: FastAPI) -> None:
    """Add what routes cannot say of themselves to the OpenAPI document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        components = document.setdefault("components", {})
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        schemas = components.setdefault("schemas", {})
        for model in (problems.Problem, problems.FieldError):
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schema.pop("$defs", None)
            schemas[model.__name__] = schema
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        for path in document["paths"].values():
            for method, operation in path.items():
                document_gate(method.upper(), operation["responses"])
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way.
