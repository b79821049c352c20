"""/v1/donors"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.doors import AtLeast, Desk, Door, may, refuses
from api.wire import Body, Created, Day, Name, created, example, shown
from ledger.errors import NotFound
from ledger.names import DonorId, PartyId, new_id
from ledger.people.roles import Role
from projections.donations import Donations, donor_row, donor_statement

router = APIRouter(prefix="/v1/donors", tags=["donors"], route_class=Door)

PERSONAL = {"description": "Kept apart from the history and never published."}


class NewDonor(Body):
    """Who gives. Nothing but ``anonymous`` goes into the history."""

    model_config = example(name="李女士", phone="13800138000", anonymous=True)

    name: Name = Field(examples=["李女士"])
    phone: Annotated[Name, Field(max_length=40)] | None = None
    email: Annotated[Name, Field(min_length=3, max_length=254)] | None = None
    anonymous: Annotated[bool, Field(strict=True)]


class DonorShown(BaseModel):
    """A donor, as those may see them who have to."""

    id: str
    anonymous: bool
    name: str | None = None
    phone: str | None = None
    email: str | None = None


class StatementLine(BaseModel):
    """One thing that happened to one of the donor's donations."""

    position: int
    on: str
    donation: str
    fund: str
    kind: str
    amount: int


class Statement(BaseModel):
    """What a donor promised, paid and got back; figures in fen."""

    donor: str
    pledged: int
    received: int
    refunded: int
    withdrawn: int
    open: int
    excess: int
    lines: list[StatementLine]


@router.post("", status_code=201, response_model=Created)
@may(Role.CLERK, Role.DONOR)
async def register(body: NewDonor, desk: Desk) -> Response:
    """Register a donor: as a clerk for somebody, or as a donor oneself."""
    donor = DonorId(new_id())
    receipt = await desk.record_about(
        PartyId(str(donor)),
        body.model_dump(exclude={"anonymous"}, exclude_none=True),
        desk.ledger.register_donor,
        donor,
        anonymous=body.anonymous,
    )
    if desk.role is Role.DONOR:
        known = DonorId(UUID(receipt.id))
        await run_in_threadpool(
            desk.site.directory.is_donor, desk.caller.person, known, at=datetime.now(UTC)
        )
    return created(receipt, "/v1/donors")


def _visible(desk: Desk, donor_id: UUID) -> None:
    if desk.role is Role.DONOR and desk.caller.donor != donor_id:
        raise NotFound("donor", "of this id")


@router.get("/{donor_id}", response_model=DonorShown, responses=refuses(NotFound))
@may(Role.CLERK, Role.DONOR)
def show_donor(donor_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a donor with the details that were given."""
    _visible(desk, donor_id)
    with desk.read(Donations, at_least) as reading:
        row = donor_row(reading.connection, str(donor_id))
    if row is None:
        raise NotFound("donor", "of this id")
    details: dict[str, Any] = desk.site.directory.details(PartyId(str(donor_id))) or {}
    return shown(row | details)


@router.get("/{donor_id}/statement", response_model=Statement, responses=refuses(NotFound))
@may(Role.CLERK, Role.TREASURER, Role.BOOKKEEPER, Role.AUDITOR, Role.DONOR)
def show_statement(
    donor_id: UUID,
    desk: Desk,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    at_least: AtLeast = None,
) -> Response:
    """Return what a donor promised, paid and got back (捐赠明细)."""
    _visible(desk, donor_id)
    with desk.read(Donations, at_least) as reading:
        if donor_row(reading.connection, str(donor_id)) is None:
            raise NotFound("donor", "of this id")
        found = donor_statement(reading.connection, str(donor_id), first=first, last=last)
    return shown(found)
