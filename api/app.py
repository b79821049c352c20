"""The only place where the parts are put together."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, Self

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from api import (
    books,
    disbursements,
    donations,
    donors,
    funds,
    health,
    history,
    policies,
    problems,
    refusals,
    relations,
    sales,
)
from api.doors import Site
from ledger.commands import Ledger
from ledger.errors import LedgerError
from ledger.people.directory import Directory
from ledger.people.refusals import Refusals
from ledger.store.engine import is_url
from ledger.store.outage import named
from projections.audit_trail import AuditTrail
from projections.disbursements import Disbursements
from projections.donations import Donations
from projections.follow import Follower
from projections.fund_balances import FundBalances
from projections.journal import Journal
from projections.relations import RelationsDeclared
from projections.sales import Sales
from projections.views import View, open_views

DESCRIPTION = """The ledger of the Lei Feng e-supermarket (雷锋e超市): every fen from promise to
thank-you in one history. Amounts are whole fen, days are business days in Asia/Shanghai."""


DATABASE_URL = "LEIFENG_DATABASE_URL"
"""The environment variable that names a PostgreSQL database to keep everything in."""


def all_views() -> tuple[View, ...]:
    """Return every view that is kept."""
    return (
        FundBalances(),
        Journal(),
        Donations(),
        Sales(),
        Disbursements(),
        AuditTrail(),
        RelationsDeclared(),
    )


class Places(NamedTuple):
    """Where the parts of a ledger are kept."""

    ledger: Path | str
    people: Path | str
    views: Path | str

    @classmethod
    def of(cls, data: Path) -> Self:
        """Return the database that the environment names, or else files in the folder ``data``."""
        url = os.environ.get(DATABASE_URL)
        return cls.at(url) if url else cls.in_folder(data)

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the places of a ledger that is kept in one PostgreSQL database."""
        if not is_url(url):
            raise NotPostgres
        return cls(url, url, url)

    @classmethod
    def in_folder(cls, data: Path) -> Self:
        """Return the places of a ledger that is kept in files of one folder."""
        return cls(data / "ledger.db", data / "people.db", data / "views.db")

    @property
    def are_files(self) -> bool:
        """The ledger is kept in files of a folder."""
        return isinstance(self.ledger, Path)

    def __str__(self) -> str:
        """Name them for a person, without the password that a URL may have."""
        if isinstance(self.ledger, Path):
            return str(self.ledger.parent)
        return named(self.ledger)


class NotPostgres(LedgerError):
    """A ledger is kept in files, or in PostgreSQL."""

    def __init__(self) -> None:
        super().__init__(f"{DATABASE_URL} must begin with postgresql://")


@contextmanager
def open_site(data: Path) -> Iterator[Site]:
    """Open the ledger kept in the folder ``data``, or the database that the environment names."""
    places = Places.of(data)
    if places.are_files:
        data.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        ledger = opened.enter_context(closing(Ledger(places.ledger)))
        directory = opened.enter_context(closing(Directory(places.people)))
        views = open_views(places.views)
        opened.callback(views.dispose)
        follower = opened.enter_context(closing(Follower(ledger, views, all_views())))
        opened.callback(ledger.committer.close)
        ledger.committer.on_stored = follower.notice
        counted = opened.enter_context(closing(Refusals(places.people)))
        yield Site(ledger, directory, views, follower, counted)


def create_app(data: Path) -> FastAPI:
    """Build the service over the ledger kept in the folder ``data``."""
    if sys.flags.optimize > 1:
        raise RuntimeError("python -OO takes away the docstrings that refusals are titled by")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_site(data) as site:
            app.state.site = site
            site.follower.start()
            yield

    app = FastAPI(
        title="Lei Feng e-supermarket ledger",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        separate_input_output_schemas=False,
    )
    problems.install(app)
    refusals.install(app)
    app.add_exception_handler(ClientDisconnect, _gone)
    # Tried in this order for every request: what comes most stands first.
    for part in (donations, funds, donors, sales, disbursements, history, books, health):
        app.include_router(part.router)
    for part in (policies, relations, refusals):
        app.include_router(part.router)
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
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way.
