"""/mine: a donor's own pledges, and what their funds did since. Nobody else's are there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import own, today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column
from api.pages.kit.drawn.steps import DrawnStep, drawn_steps
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import text
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page, then, why_not_as
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rows import Selected
from api.routes.donation_forms import STATES as DONATION_STATES
from api.routes.donations import READERS as OFFICE
from ledger.commands.donations import withdraw_pledge
from ledger.kernel.errors import LedgerError, NotFound
from ledger.kernel.names import DonationId
from ledger.kernel.roles import Role
from projections.exports.tables import Kind
from projections.log.receipts import since_gift
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations, as_promises, donation, promises
from projections.views.fund_balances import FundBalances, fund_rows

router = APIRouter(route_class=Entrance, include_in_schema=False)

STAFF = tuple(role for role in OFFICE if role is not Role.DONOR)


class Part(Struct, frozen=True):
    """An instalment, and how much of it has come. Payments fill the oldest first."""

    due_on: date
    amount: int
    received: int

    @property
    def is_late(self) -> bool:
        """It was due and has not come in full."""
        return self.received < self.amount and self.due_on < today()


def parts(gift: dict[str, Any]) -> Iterator[Part]:
    """Yield the instalments of a pledge."""
    left = gift["received"] + gift["refunded"]
    for each in gift["instalments"]:
        taken = min(left, each["amount"])
        left -= taken
        yield Part(date.fromisoformat(each["due_on"]), each["amount"], taken)


MINE = ListPage[dict[str, Any]](
    name="my-pledges",
    title=marked("My pledges"),
    view=Donations,
    rows=Selected(
        lambda query: promises(donor=str(query.desk.caller.donor)),
        "number",
        lambda _, rows: as_promises(rows),
    ),
    order="-number",
    order_of_files="number",
    none=marked("You have not promised anything here yet."),
    later=marked("Earlier pledges"),
    columns=(
        Column(name="id", title=marked("Pledge"), on_page=False),
        Column(name="pledged_on", title=marked("Day"), kind=Kind.DAY, on_page=False),
        Column(name="fund", title=marked("Fund"), heads=True, notes=("pledged_on",)),
        Column(name="state", title=marked("State"), kind=Kind.CODE, words=DONATION_STATES),
        Column(name="amount", title=marked("Promised"), kind=Kind.AMOUNT, sortable=True),
        Column(name="received", title=marked("Received"), kind=Kind.AMOUNT),
        Column(name="open", title=marked("Still open"), kind=Kind.AMOUNT),
    ),
)


@router.get("/mine")
@may(Role.DONOR)
def mine(desk: PageDesk) -> Response:
    """List the donor's own pledges."""
    return MINE.answer(desk, partial(_mine, desk))


def _mine(desk: PageDesk, listing: ListView[dict[str, Any]]) -> Response:
    with desk.read(FundBalances) as also:
        funds = {each["fund"]: each["name"] for each in fund_rows(also.connection)}
    instalments = {each["id"]: list(parts(each)) for each in listing.part.rows}
    return own_page(desk, "mine.html", listing=listing, funds=funds, instalments=instalments)


@router.get("/mine/{donation_id}")
@may(Role.DONOR)
def my_pledge(donation_id: UUID, desk: PageDesk, done: int = 0) -> Response:
    """Show one pledge of the donor's own; the first time, as its confirmation."""
    return pledge_page(desk, DonationId(donation_id), done=done)


@router.get("/desk/pledges/{donation_id}")
@may(*STAFF)
def any_pledge(donation_id: UUID, desk: PageDesk) -> Response:
    """Show a pledge to those who keep the books."""
    return pledge_page(desk, DonationId(donation_id))


def pledge_page(
    desk: PageDesk, donation_id: DonationId, *, done: int = 0, refusal: LedgerError | None = None
) -> Response:
    """Show a pledge, what came of it, and what its fund did since."""
    require_views_ready(desk.site)
    with desk.read(Donations) as reading:
        gift = donation(reading.connection, str(donation_id))
    if gift is None:
        raise NotFound("donation")
    own(desk, gift["donor"], donation_id)
    with desk.read(FundBalances) as funds, desk.read(Disbursements) as aid:
        until = min(funds.position, aid.position)
        since = since_gift(funds.connection, aid.connection, gift["fund"], gift["position"], until)
    is_donor = desk.role is Role.DONOR
    cannot = (
        why_not_as(desk, (Role.DONOR,), withdraw_pledge, donation_id, reason="—")
        if is_donor
        else None
    )
    return own_page(
        desk,
        "pledge.html",
        pledge=gift,
        parts=list(parts(gift)),
        since=since,
        is_donor=is_donor,
        reads_books=not desk.caller.roles.isdisjoint(BOOKS),
        cannot=cannot,
        drawn=[] if is_donor else list(_steps(desk, gift)),
        done=done,
        refusal=refusal,
    )


def _steps(desk: PageDesk, row: dict[str, Any]) -> Iterator[DrawnStep]:
    """Yield what the office may do with a pledge; money beyond it waits for a word, or does not."""
    but = frozenset() if row["excess"] else frozenset({"excess"})
    return drawn_steps(desk, "donations", row["id"], row["state"], but=but)


@router.post("/mine/{donation_id}/withdrawal")
@may(Role.DONOR)
async def withdraw(donation_id: UUID, desk: PageDesk) -> Response:
    """Take back what is still open of a promise of the donor's own that does not bind."""
    pledged = DonationId(donation_id)
    try:
        reason = text(desk.fields, "reason")
        receipt = await desk.record(withdraw_pledge, pledged, reason=reason)
    except LedgerError as refusal:
        return await run_in_threadpool(pledge_page, desk, pledged, refusal=refusal)
    return then(f"/mine/{donation_id}?done={receipt.position}")
