"""/desk: what waits for somebody, with counts, each of which leads to what it counts."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import Response

from api.kernel.desk import today
from api.kernel.doors import may
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.labels import marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import CSV, As, Yuan, sheet
from api.pages.public.sale_sheets import to_be_settled
from api.routes.disbursements import READERS
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations
from projections.views.inbox import (
    TO_APPROVE,
    TO_PAY,
    UNSIGNED,
    Waiting,
    overdue,
    to_settle,
    waiting,
)
from projections.views.sales import Sales
from projections.views.unconfirmed import Unconfirmed, to_find

router = APIRouter(route_class=Entrance, include_in_schema=False)

OVERDUE_SHOWN = 200
"""Overdue promises on the page; the file has all."""


@router.get("/desk")
@may(*READERS)
def inbox(desk: PageDesk, form: As = "") -> Response:
    """Show what waits; the file has the sales, of which no other page is a list."""
    must_be_level(desk.site)
    with desk.read(Sales) as sales:
        settling = to_settle(sales.connection)
    if form == CSV:
        return to_be_settled(desk, settling)
    with desk.read(Disbursements) as aid:
        to_approve, to_pay, unsigned = (
            waiting(aid.connection, states) for states in (TO_APPROVE, TO_PAY, UNSIGNED)
        )
    with desk.read(Donations) as promises:
        late = overdue(promises.connection, today())
    return own_page(
        desk,
        "inbox.html",
        to_approve=to_approve,
        to_pay=to_pay,
        unsigned=unsigned,
        overdue=Waiting(len(late), sum(each.due for each in late)),
        settling=settling,
        unfound=_unfound(desk),
        failing=failing(desk),
        today=today(),
    )


def _unfound(desk: PageDesk) -> Waiting | None:
    """Return what is to be found on statements, to those who keep the books."""
    if desk.caller.roles.isdisjoint(BOOKS):
        return None
    with desk.read(Unconfirmed) as reading:
        return to_find(reading.connection)


@router.get("/desk/pledges")
@may(*READERS)
def overdue_pledges(desk: PageDesk, form: As = "") -> Response:
    """Show promises of which something should have come by now."""
    must_be_level(desk.site)
    with desk.read(Donations) as reading:
        late = overdue(reading.connection, today())
    if form == CSV:
        rows = (
            (each.since, each.fund, each.donation, Yuan(each.due), Yuan(each.open)) for each in late
        )
        return sheet("overdue-pledges", OVERDUE_COLUMNS, rows, words(language_of(desk)).gettext)
    return own_page(
        desk,
        "overdue.html",
        late=late[:OVERDUE_SHOWN],
        total=len(late),
        due=sum(x.due for x in late),
    )


OVERDUE_COLUMNS = (
    marked("Due since"),
    marked("Fund"),
    marked("Pledge"),
    marked("Overdue, yuan"),
    marked("Still promised, yuan"),
)


def failing(desk: PageDesk) -> list[str]:
    """Return what is wrong with the server's own checks, if anything, in English."""
    return list(_failing(desk))


def _failing(desk: PageDesk) -> Iterator[str]:
    for view, why in sorted(desk.site.follower.stopped.items()):
        yield f"view {view}: {why}"
    keeper = desk.site.keeper
    if keeper.refusal is not None and not keeper.is_elsewhere:
        yield f"log: {keeper.refusal}"
    latest = desk.site.check.latest
    if latest is not None:
        yield from (f"history: {each.detail}" for each in latest.findings)
