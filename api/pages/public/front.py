"""/, /funds and /method: what was raised, and what the figures mean."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.kernel.desk import Desk, Reading
from api.kernel.doors import Door, may
from api.kernel.texts import marked
from api.pages.kit.columns import Column
from api.pages.kit.labels import FIGURES
from api.pages.kit.languages import language_of, words
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.moments import as_of
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rendering import page
from api.pages.kit.rows import Whole
from api.pages.public.flows import Moved, flows, rows
from api.routes.funds import STATES as FUND_STATES
from ledger.books.movements import Figures
from projections.exports.tables import Kind
from projections.views.fund_balances import FundBalances, FundSummary, fund_summaries
from projections.views.purposes import paid_for
from projections.views.sales import Sales, sales_of_late
from projections.views.statements import Statements, came_from

router = APIRouter(route_class=Door, include_in_schema=False)

FUNDS_IN_FRONT = 6
"""Funds that the front page names, so that it stays one screen."""

SALES_IN_FRONT = 3


def _figure(name: str, *, on_page: bool = True) -> Column[FundSummary]:
    return Column(
        name=name,
        title=FIGURES[name],
        kind=Kind.AMOUNT,
        read=lambda fund: getattr(fund.figures, name),
        on_page=on_page,
        sortable=on_page,
    )


FUNDS = ListPage[FundSummary](
    name="funds",
    title=marked("Funds"),
    view=FundBalances,
    rows=Whole(lambda query: fund_summaries(query.reading.connection)),
    none=marked("No fund has been opened yet."),
    columns=(
        Column(name="fund", title=marked("Fund"), on_page=False),
        Column(
            name="name",
            title=marked("Name"),
            link=lambda fund: f"/funds/{fund.fund}",
            heads=True,
            notes=("state_note",),
        ),
        Column(name="purpose", title=marked("Purpose"), on_page=False),
        Column(
            name="state", title=marked("State"), kind=Kind.CODE, words=FUND_STATES, on_page=False
        ),
        _figure("pledged"),
        _figure("received"),
        _figure("reserved"),
        _figure("paid"),
        _figure("acknowledged", on_page=False),
        Column(name="balance", title=marked("Balance"), kind=Kind.AMOUNT, sortable=True),
        Column(name="available", title=marked("Available"), kind=Kind.AMOUNT, on_page=False),
        Column(
            name="state_note",
            title=marked("State"),
            kind=Kind.CODE,
            words=FUND_STATES,
            read=lambda fund: None if fund.state == "open" else fund.state,
            on_page=False,
            in_files=False,
        ),
    ),
)


@router.get("/")
@may()
def front(desk: Desk) -> Response:
    """Say in one screen what came of it all."""
    require_views_ready(desk.site)
    with desk.read(FundBalances) as reading:
        funds = fund_summaries(reading.connection)
    with desk.read(Sales) as also:
        sales = sales_of_late(also.connection, limit=SALES_IN_FRONT)
    total = Figures()
    for fund in funds:
        total.add(fund.figures)
    largest = sorted(funds, key=lambda fund: -fund.figures.received)[:FUNDS_IN_FRONT]
    return page(
        desk,
        "front.html",
        total=total,
        funds=largest,
        fund_count=len(funds),
        sales=sales,
        as_of=as_of(desk, reading.position),
        verification=desk.site.check.latest,
    )


@router.get("/funds")
@may()
def list_funds(desk: Desk) -> Response:
    """Show every fund, and where the money of all went."""
    return FUNDS.answer(desk, partial(_funds, desk))


def _funds(desk: Desk, listing: ListView[FundSummary]) -> Response:
    with desk.read(Statements) as also:
        moved = moved_in(also)
    names: dict[str, str] = {fund.fund: fund.name for fund in listing.part.rows}
    return page(desk, "funds.html", listing=listing, flows=drawn(desk, moved, names))


def drawn(desk: Desk, moved: Moved, funds: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the flows of what moved, in the reader's words."""
    return rows(flows(moved), funds, words(language_of(desk)).gettext)


def moved_in(reading: Reading) -> Moved:
    """Return what moved in all funds since the first event."""
    return Moved(came_from(reading.connection), paid_for(reading.connection), {})


@router.get("/method")
@may()
def method(desk: Desk) -> Response:
    """Define every figure."""
    return page(desk, "method.html")
