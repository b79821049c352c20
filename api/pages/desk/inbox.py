"""/desk: what waits for somebody, with counts, each of which leads to what it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import structs

from api.kernel.desk import today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page
from api.pages.kit.rows import ListQuery, Whole
from api.pages.public.sale_lists import TO_SETTLE
from api.routes.disbursements import READERS
from projections.exports.tables import Kind
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations
from projections.views.inbox import (
    TO_APPROVE,
    TO_PAY,
    UNSIGNED,
    Waiting,
    overdue,
    waiting,
)
from projections.views.unconfirmed import Unconfirmed, to_find

router = APIRouter(route_class=Entrance, include_in_schema=False)


def _overdue(query: ListQuery[Any]) -> list[dict[str, Any]]:
    return [structs.asdict(each) for each in overdue(query.reading.connection, today())]


def _sum(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    sums = {name: sum(row[name] for row in rows) for name in ("due", "open")}
    return [{"since": None, "fund": None, "donation": None, "public": False} | sums]


OVERDUE = ListPage[dict[str, Any]](
    name="overdue-pledges",
    title=marked("Pledges overdue"),
    view=Donations,
    rows=Whole(_overdue, position=lambda row: row["position"], foot=_sum),
    order="since",
    size=200,
    none=marked("Nothing is overdue."),
    columns=(
        Column(
            name="since",
            title=marked("Due since"),
            kind=Kind.DAY,
            none=marked("Total"),
            heads=True,
            sortable=True,
        ),
        Column(
            name="fund",
            title=marked("Fund"),
            link=lambda row: row["fund"] and f"/funds/{row['fund']}",
            sortable=True,
        ),
        Column(name="donation", title=marked("Pledge")),
        Column(name="due", title=marked("Overdue, yuan"), kind=Kind.AMOUNT, sortable=True),
        Column(name="open", title=marked("Still promised, yuan"), kind=Kind.AMOUNT, sortable=True),
    ),
)


@router.get("/desk")
@may(*READERS)
def inbox(desk: PageDesk) -> Response:
    """Show the inbox. Its file lists the sales to settle, which no other page lists."""
    return TO_SETTLE.answer(desk, partial(_inbox, desk))


def _inbox(desk: PageDesk, listing: ListView[Any]) -> Response:
    with desk.read(Disbursements) as aid:
        to_approve, to_pay, unsigned = (
            waiting(aid.connection, states) for states in (TO_APPROVE, TO_PAY, UNSIGNED)
        )
    with desk.read(Donations) as promises:
        late = overdue(promises.connection, today())
    return own_page(
        desk,
        "inbox.html",
        listing=listing,
        to_approve=to_approve,
        to_pay=to_pay,
        unsigned=unsigned,
        overdue=Waiting(len(late), sum(each.due for each in late)),
        unfound=_unfound(desk),
        failing=failing(desk),
        today=today(),
    )


def _unfound(desk: PageDesk) -> Waiting | None:
    """Return the payments still to be found on statements, for those who keep the books."""
    if desk.caller.roles.isdisjoint(BOOKS):
        return None
    with desk.read(Unconfirmed) as reading:
        return to_find(reading.connection)


@router.get("/desk/pledges")
@may(*READERS)
def overdue_pledges(desk: PageDesk) -> Response:
    """Show overdue promises."""
    return OVERDUE.answer(desk, partial(own_page, desk, "overdue.html"))


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
