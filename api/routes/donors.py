"""/v1/donors"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may, refuses, takes
from api.kernel.dry_run import FORESEEN, DryRun
from api.kernel.forms import Forms, titled
from api.kernel.steps import Step, add_steps
from api.kernel.texts import marked
from api.kernel.things import (
    MATCHES_MAX,
    WITHOUT_NAME,
    Match,
    Search,
    Thing,
    short,
    some,
)
from api.kernel.wire import Body, Created, Day, Done, Name, created, done, example, json_response
from ledger.aggregates.donors import STEPS as POSSIBLE
from ledger.aggregates.donors import (
    DonorState,
    ErasureBasis,
    ErasureReason,
    MoneyIsOwed,
    RestrictionBasis,
    RetentionRuns,
)
from ledger.commands.donors import erase_donor, register_donor, restrict_donor
from ledger.kernel.errors import NotFound, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.names import DonationId, DonorId, PartyId
from ledger.kernel.roles import Role
from projections.kernel.follow import ViewsAway, ViewStopped
from projections.views.donations import Donations
from projections.views.donors import (
    donor_row,
    donor_statement,
    known_donors,
    may_be_owing,
    newest_donors,
)

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
    """A donor, as those may see them who have to.

    Without details, ``state`` says why: they are restricted or erased, since that day, by that
    right, and may be erased after ``until``.
    """

    id: str
    anonymous: bool
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    state: Literal["restricted", "erased"] | None = None
    basis: RestrictionBasis | ErasureBasis | None = None
    since: str | None = None
    until: str | None = None


class NewRestriction(Body):
    """By what right details are to be used for nothing (个人信息保护法 arts. 44 and 47)."""

    model_config = example(basis="statutory-retention", until="2056-12-31")

    basis: RestrictionBasis
    until: Day | None = None


class NewErasure(Body):
    """By what right details are to be destroyed (个人信息保护法 art. 47), and who brought it up."""

    model_config = example(basis="consent-withdrawn", reason="asked-by-donor")

    basis: ErasureBasis
    reason: ErasureReason | None = None


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


class DonorData(DonorShown):
    """All that is known of a donor, for themselves (个人信息保护法 art. 45)."""

    statement: Statement


@router.post("", status_code=201, response_model=Created, responses=FORESEEN)
@titled(marked("Register a donor"))
@takes(register_donor)
async def register(body: NewDonor, desk: Desk) -> Response:
    """Register a donor: as a clerk for somebody, or as a donor oneself."""
    donor = DonorId(new_id())
    receipt = await desk.record_about(
        PartyId(str(donor)),
        body.model_dump(exclude={"anonymous"}, exclude_none=True),
        register_donor,
        donor,
        anonymous=body.anonymous,
    )
    if desk.role is Role.DONOR:
        known = DonorId(UUID(receipt.id))
        await run_in_threadpool(
            desk.site.identity.is_donor, desk.caller.person, known, at=datetime.now(UTC)
        )
    return created(receipt, "/v1/donors")


def _visible(desk: Desk, donor_id: UUID) -> None:
    if desk.role is Role.DONOR and desk.caller.donor != donor_id:
        raise NotFound("donor")


@router.get("/{donor_id}", response_model=DonorShown, responses=refuses(NotFound))
@may(Role.CLERK, Role.DONOR)
def show_donor(donor_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a donor with the details that were given."""
    _visible(desk, donor_id)
    with desk.read(Donations, at_least) as reading:
        row = donor_row(reading.connection, str(donor_id))
    if row is None:
        raise NotFound("donor")
    return json_response(row if "state" in row else row | _details(desk, donor_id))


def _details(desk: Desk, donor_id: UUID) -> dict[str, Any]:
    return desk.site.identity.vault.details(PartyId(str(donor_id))) or {}


@router.get("/{donor_id}/data", response_model=DonorData, responses=refuses(NotFound))
@may(Role.ADMIN, Role.DONOR)
def show_data(donor_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a donor's own copy of what is known of them, also while it is used for nothing else.

    An admin may have it on the donor's request in writing.
    """
    _visible(desk, donor_id)
    with desk.read(Donations, at_least) as reading:
        row = donor_row(reading.connection, str(donor_id))
        if row is None:
            raise NotFound("donor")
        statement = donor_statement(reading.connection, str(donor_id))
    answer = json_response(row | _details(desk, donor_id) | {"statement": statement})
    answer.headers["Cache-Control"] = "no-store"
    return answer


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
            raise NotFound("donor")
        statement = donor_statement(reading.connection, str(donor_id), first=first, last=last)
    return json_response(statement)


RESTRICT = Step(
    "restriction",
    restrict_donor,
    NewRestriction,
    (WrongState,),
    name="restrict",
    title=marked("Stop the use of a donor's details"),
    possible=(POSSIBLE, "restriction"),
)

add_steps(router, "donor_id", (RESTRICT,))


@router.post(
    "/{donor_id}/erasure",
    response_model=Done | DryRun,
    responses=refuses(NotFound, MoneyIsOwed, RetentionRuns, ViewStopped, ViewsAway),
)
@titled(marked("Erase a donor's details"), (POSSIBLE, "erasure"))
@takes(erase_donor)
async def erase(donor_id: UUID, body: NewErasure, desk: Desk) -> Response:
    """Have a donor's details destroyed, with the key that opens any copy of them.

    It is an event first. What comes between that and the destruction is made up for, at the next
    start if need be.
    """
    _visible(desk, donor_id)
    owing = await run_in_threadpool(_may_be_owing, desk, donor_id)
    receipt = await desk.record(
        erase_donor,
        DonorId(donor_id),
        basis=body.basis,
        reason=body.reason,
        donations=owing,
    )
    await run_in_threadpool(desk.site.identity.erase, [donor_id])
    return done(receipt)


def _may_be_owing(desk: Desk, donor_id: UUID) -> list[DonationId]:
    with desk.read(Donations) as reading:
        donations = may_be_owing(reading.connection, str(donor_id))
    return [DonationId(UUID(each)) for each in donations]


STATES = {
    "restricted": marked("Used for nothing any more"),
    "erased": marked("Erased"),
}

RESTRICTION_BASES = {
    "donor-request": marked("The donor asked for it"),
    "statutory-retention": marked("The law has them kept for a time"),
}

ERASURE_BASES = {
    "consent-withdrawn": marked("Consent was withdrawn"),
    "purpose-achieved": marked("Their purpose was achieved"),
    "retention-expired": marked("They had to be kept no longer"),
    "unlawful-processing": marked("They were kept without right"),
}

ERASURE_REASONS = {
    "asked-by-donor": marked("The donor asked"),
    "asked-by-relative": marked("A relative asked"),
    "found-by-charity": marked("The charity found it itself"),
}


def _matches(search: Search) -> list[Match]:
    with search.desk.read(Donations) as reading:
        if search.own is not None or search.value is not None:
            rows = known_donors(reading.connection, [search.own or search.value or ""])
        elif search.text:
            rows = known_donors(reading.connection, search.donors())[: MATCHES_MAX + 1]
        else:
            rows = newest_donors(reading.connection, search.criteria)
    states = search.states
    return [_match(search, each) for each in rows if states is None or each["state"] in states]


def _match(search: Search, row: dict[str, Any]) -> Match:
    hidden = row["state"] != DonorState.ACTIVE and not search.may({Role.ADMIN, Role.DONOR})
    kept = {} if hidden else search.details_of(row["donor"])
    details = (kept.get("phone"), kept.get("email"), short(row["donor"]))
    title = kept.get("name", WITHOUT_NAME)
    return Match(row["donor"], title, some(details), STATES.get(row["state"]))


FORMS = Forms(
    "donors",
    marked("Donors"),
    things=(
        Thing(
            "donors",
            {"donor_id": marked("Which donor"), "donor": marked("Donor")},
            _matches,
            {DonorState.ACTIVE},
        ),
    ),
    labels={
        "until": marked("To be kept until"),
        "anonymous": marked("Not named in public"),
    },
    hints={
        "new:name": marked("Kept sealed and apart from the history."),
        "until": marked("Only if the law has them kept for a time."),
    },
    choices=(RESTRICTION_BASES, ERASURE_BASES, ERASURE_REASONS),
)
