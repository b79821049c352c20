"""/mine/data: all that is known of a donor, and the right to have it stopped or destroyed.

个人信息保护法 arts. 44, 45 and 47. Only the donor's own; an admin acts for others over the API.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.desk import Desk, Reading
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.labels import LINE_KINDS
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.own_pages import own_page, then, why_not_as
from api.pages.kit.rendering import page
from api.pages.kit.rows import Whole
from ledger.commands.donors import erase_donor, restrict_donor
from ledger.kernel.errors import LedgerError, NotFound
from ledger.kernel.names import DonationId, DonorId, PartyId
from ledger.kernel.roles import Role
from projections.exports.tables import Kind
from projections.views.donations import Donations
from projections.views.donors import donor_row, donor_statement, may_be_owing

router = APIRouter(route_class=Entrance, include_in_schema=False)


MY_STATEMENT = ListPage[dict[str, Any]](
    name="my-statement",
    title=marked("What you promised and paid"),
    view=Donations,
    rows=Whole(lambda query: _statement(query.desk, query.reading)["lines"]),
    columns=(
        Column(name="position", title=marked("Event"), kind=Kind.EVENT, on_page=False),
        Column(name="on", title=marked("Day"), kind=Kind.DAY, sortable=True),
        Column(
            name="kind",
            title=marked("What"),
            kind=Kind.CODE,
            words=LINE_KINDS,
            link=lambda row: f"/mine/{row['donation']}",
            notes=("fund",),
        ),
        Column(name="fund", title=marked("Fund"), on_page=False),
        Column(name="amount", title=marked("Yuan"), kind=Kind.AMOUNT, sortable=True),
    ),
)


@router.get("/mine/data")
@may(Role.DONOR)
def my_data(desk: PageDesk, done: int = 0) -> Response:
    """Show the donor their own copy; the files have what they promised and paid."""
    return MY_STATEMENT.answer(desk, partial(_page, desk, done=done))


def data_page(desk: PageDesk, *, refusal: LedgerError) -> Response:
    """Show what is known of the donor, after something was refused."""
    return MY_STATEMENT.page(desk, partial(_page, desk, refusal=refusal))


def _page(
    desk: PageDesk,
    *,
    listing: ListView[Any],
    done: int = 0,
    refusal: LedgerError | None = None,
) -> Response:
    """Show what is known of the donor, and what they can have done about it."""
    donor = desk.caller.donor
    if donor is None:
        return own_page(desk, "my_data.html", known=None, done=0, refusal=refusal)
    row = donor_row(listing.reading.connection, str(donor))
    details = desk.site.identity.vault.details(PartyId(str(donor))) or {}
    return own_page(
        desk,
        "my_data.html",
        known=(row or {"anonymous": True}) | details,
        state=(row or {}).get("state"),
        statement=_statement(desk, listing.reading),
        listing=listing,
        cannot_erase=_cannot_erase(desk, donor),
        done=done,
        refusal=refusal,
    )


def _statement(desk: Desk, reading: Reading) -> dict[str, Any]:
    return donor_statement(reading.connection, str(desk.caller.donor))


def _cannot_erase(desk: PageDesk, donor: DonorId) -> LedgerError | None:
    return why_not_as(
        desk,
        (Role.DONOR,),
        erase_donor,
        donor,
        basis="consent-withdrawn",
        reason="asked-by-donor",
        donations=_owing(desk, donor),
    )


def _owing(desk: PageDesk, donor: DonorId) -> list[DonationId]:
    with desk.read(Donations) as reading:
        donations = may_be_owing(reading.connection, str(donor))
    return [DonationId(UUID(each)) for each in donations]


def _myself(desk: PageDesk) -> DonorId:
    if desk.caller.donor is None:
        raise NotFound("donor", says="you are registered as no donor")
    return desk.caller.donor


@router.post("/mine/data/restriction")
@may(Role.DONOR)
async def restrict(desk: PageDesk) -> Response:
    """Have the donor's details kept, sealed, and used for nothing."""
    try:
        receipt = await desk.record(
            restrict_donor, _myself(desk), basis="donor-request", until=None
        )
    except LedgerError as refusal:
        return await run_in_threadpool(data_page, desk, refusal=refusal)
    return then(f"/mine/data?done={receipt.position}")


@router.post("/mine/data/erasure")
@may(Role.DONOR)
async def erase(desk: PageDesk) -> Response:
    """Have the donor's details destroyed, with the key that opens any copy of them."""
    donor = _myself(desk)
    owing = await run_in_threadpool(_owing, desk, donor)
    try:
        receipt = await desk.record(
            erase_donor,
            donor,
            basis="consent-withdrawn",
            reason="asked-by-donor",
            donations=owing,
        )
    except LedgerError as refusal:
        return await run_in_threadpool(data_page, desk, refusal=refusal)
    await run_in_threadpool(desk.site.identity.erase, [donor])
    return page(desk, "erased.html", position=receipt.position)  # Nobody is signed in any more.
