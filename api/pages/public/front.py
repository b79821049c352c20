"""/, /funds and /method: what was raised, and what the figures mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api.kernel.desk import Desk, Reading
from api.kernel.doors import Door, may
from api.pages.kit.labels import FIGURES, FUND_STATES, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.readiness import must_be_level
from api.pages.kit.rendering import page
from api.pages.kit.tables import CSV, As, Yuan, sheet
from api.pages.public.flows import Moved, flows, rows
from ledger.books.movements import Figures
from ledger.kernel.names import Position
from projections.views.fund_balances import FundBalances, FundSummary, fund_summaries
from projections.views.purposes import paid_for
from projections.views.sales import Sales, sales_of_late
from projections.views.statements import Statements, came_from

router = APIRouter(route_class=Door, include_in_schema=False)

FUNDS_IN_FRONT = 6
"""Funds that the front page names, so that it stays one screen."""

SALES_IN_FRONT = 3

FUND_FIGURES = ("pledged", "received", "reserved", "paid", "acknowledged")
"""Figures of each fund in the file of all, beside balance and what is available."""

FUND_COLUMNS = (
    marked("Fund"),
    marked("Name"),
    marked("Purpose"),
    marked("State"),
    *(FIGURES[name] for name in FUND_FIGURES),
    marked("Balance"),
    marked("Available"),
)


@router.get("/")
@may()
def front(desk: Desk) -> Response:
    """Say in one screen what came of it all."""
    must_be_level(desk.site)
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
def list_funds(desk: Desk, form: As = "") -> Response:
    """Show every fund, and where the money of all went."""
    must_be_level(desk.site)
    with desk.read(FundBalances) as reading:
        funds = fund_summaries(reading.connection)
    if form == CSV:
        say = words(language_of(desk)).gettext
        return sheet("funds", FUND_COLUMNS, _fund_rows(funds, say), say)
    with desk.read(Statements) as also:
        moved = moved_in(also)
    return page(
        desk,
        "funds.html",
        funds=funds,
        flows=drawn(desk, moved, {fund.fund: fund.name for fund in funds}),
        as_of=as_of(desk, reading.position),
    )


def _fund_rows(
    funds: Iterable[FundSummary], say: Callable[[str], str]
) -> Iterator[tuple[object, ...]]:
    for fund in funds:
        figures = (getattr(fund.figures, name) for name in FUND_FIGURES)
        state = say(FUND_STATES[fund.state])
        sums = map(Yuan, (*figures, fund.balance, fund.available))
        yield fund.fund, fund.name, fund.purpose, state, *sums


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


def as_of(desk: Desk, position: Position) -> dict[str, Any]:
    """Return which event the figures are as good as, and when that was recorded."""
    at: datetime | None = None
    for _, fact in desk.ledger.at([position]):
        at = fact.recorded_at
    return {"position": position, "at": at}
