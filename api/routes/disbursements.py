"""/v1/disbursements"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may, refuses, takes
from api.kernel.dry_run import FORESEEN, DryRun
from api.kernel.forms import titled
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.steps import Step, add_steps
from api.kernel.texts import marked
from api.kernel.wire import (
    Amount,
    Body,
    Code,
    Created,
    CurrencyCode,
    Day,
    Done,
    Name,
    On,
    Reason,
    ReasonOn,
    Reference,
    Text,
    created,
    done,
    example,
    json_response,
)
from ledger.aggregates.disbursements.disbursement import ReturnDiffers, ReturnExceedsPaid
from ledger.aggregates.disbursements.facts import PayeeKind
from ledger.aggregates.disbursements.states import STEPS as POSSIBLE
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.aggregates.funds import FundClosed, FundFrozen, InsufficientFunds
from ledger.commands.disbursements import acknowledge as acknowledgement
from ledger.commands.disbursements import (
    approve,
    bounce,
    cancel,
    confirm_payout,
    pay,
    reject,
    request_aid,
    take_back,
)
from ledger.kernel.confirmations import ConfirmationDiffers
from ledger.kernel.errors import NotFound, SamePerson, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.names import DisbursementId, FundCode, PartyId
from ledger.kernel.roles import Role
from projections.views.disbursements import Disbursements, disbursement, disbursements

router = APIRouter(prefix="/v1/disbursements", tags=["disbursements"], route_class=Door)

READERS = (
    Role.CLERK,
    Role.APPROVER,
    Role.CASHIER,
    Role.TREASURER,
    Role.BOOKKEEPER,
    Role.AUDITOR,
)


class Payee(Body):
    """Who is to be paid. A person's name is kept apart from the history."""

    kind: PayeeKind
    name: Name = Field(examples=["爱丽聋儿康复中心"])


class NewRequest(Body):
    """What two people are asked to approve."""

    model_config = example(
        fund="F-HEAR",
        payee={"kind": "organisation", "name": "爱丽聋儿康复中心"},
        amount=11_880_000,
        currency="CNY",
        purpose="测听室设备首款60%",
        grid="G3",
        requested_on="2026-04-01",
    )

    fund: Code
    payee: Payee
    amount: Amount
    currency: CurrencyCode
    purpose: Text = Field(examples=["测听室设备首款60%"])
    grid: Annotated[str, Field(min_length=1, max_length=40, examples=["G3"])] | None = None
    requested_on: Day


class NewPayout(Body):
    """What the bank's line says."""

    model_config = example(external_ref="PAY-0410", paid_on="2026-04-10")

    external_ref: Reference
    paid_on: Day


class NewPayoutConfirmation(Body):
    """On which of the bank's statements the payment was found."""

    model_config = example(statement_ref="BK-2026-04", on="2026-05-04")

    statement_ref: Reference
    on: Day


class NewAcknowledgement(Body):
    """Who signed for it, whose name is kept apart from the history, and when."""

    model_config = example(by="院长", on="2026-04-11")

    by: Name
    on: Day


class NewReturn(Body):
    """What came back from the payee."""

    model_config = example(amount=125_000, external_ref="BK-628", received_on="2026-06-28")

    amount: Amount
    external_ref: Reference
    received_on: Day


class DisbursementShown(BaseModel):
    """A request for aid and how far it is; figures in fen."""

    id: str
    position: int
    version: int
    fund: str
    payee_kind: PayeeKind
    payee: str
    payee_name: str | None
    amount: int
    currency: str
    purpose: str
    grid: str | None
    requested_on: str
    requested_by: str
    approved_by: list[str]
    approvals_needed: int | None = Field(
        description="What the rule asked for, once that many have approved."
    )
    state: DisbursementState
    paid_on: str | None
    confirmed_on: str | None
    acknowledged_on: str | None
    returned: int


class DisbursementsShown(BaseModel):
    """A page of the register."""

    items: list[DisbursementShown]
    next: str | None


@router.post(
    "",
    status_code=201,
    response_model=Created,
    responses=FORESEEN | refuses(NotFound, FundClosed),
)
@titled(marked("Ask for aid"))
@takes(request_aid)
async def request(body: NewRequest, desk: Desk) -> Response:
    """Ask for aid out of a fund."""
    payee = PartyId(str(new_id()))
    is_person = body.payee.kind == "person"
    receipt = await desk.record_about(
        payee,
        {"name": body.payee.name},
        request_aid,
        fund=FundCode(body.fund),
        payee_kind=body.payee.kind,
        payee=payee,
        payee_name=None if is_person else body.payee.name,
        amount=body.amount,
        currency=body.currency,
        purpose=body.purpose,
        grid=body.grid,
        requested_on=body.requested_on,
    )
    return created(receipt, "/v1/disbursements")


@router.get("", response_model=DisbursementsShown)
@may(*READERS)
def list_disbursements(
    desk: Desk,
    fund: Code | None = None,
    state: DisbursementState | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
) -> Response:
    """Return the register of disbursements (拨付台账), oldest first."""
    query = list_query("disbursements", cursor, limit, fund=fund, state=state)
    with desk.read(Disbursements, at_least) as reading:
        rows = disbursements(
            reading.connection,
            after=query.after,
            limit=query.limit + 1,
            fund=query.filters.get("fund"),
            state=query.filters.get("state"),
        )
    return json_response(query.page(rows, lambda row: int(row["position"])))


@router.get("/{disbursement_id}", response_model=DisbursementShown, responses=refuses(NotFound))
@may(*READERS)
def show_disbursement(disbursement_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a disbursement."""
    with desk.read(Disbursements, at_least) as reading:
        row = disbursement(reading.connection, str(disbursement_id))
    if row is None:
        raise NotFound("disbursement")
    return json_response(row)


STEPS = (
    Step(
        "approvals",
        approve,
        On,
        (SamePerson, WrongState, FundClosed, FundFrozen, InsufficientFunds),
        title=marked("Approve aid"),
        possible=(POSSIBLE, "approval"),
    ),
    Step(
        "rejection",
        reject,
        Reason,
        (WrongState,),
        title=marked("Turn down a request"),
        possible=(POSSIBLE, "rejection"),
    ),
    Step(
        "cancellation",
        cancel,
        Reason,
        (WrongState,),
        title=marked("Call off a request"),
        possible=(POSSIBLE, "cancellation"),
    ),
    Step(
        "payment",
        pay,
        NewPayout,
        (SamePerson, WrongState, FundClosed, FundFrozen),
        title=marked("Record the payment of aid"),
        possible=(POSSIBLE, "payment"),
    ),
    Step(
        "payment/confirmation",
        confirm_payout,
        NewPayoutConfirmation,
        (SamePerson, WrongState, ConfirmationDiffers),
        name="confirm",
        title=marked("Confirm a payout by its statement"),
        possible=(POSSIBLE, "confirmation"),
    ),
    Step(
        "bounce",
        bounce,
        ReasonOn,
        (WrongState, FundClosed, ReturnExceedsPaid),
        title=marked("Record that a payment bounced"),
        possible=(POSSIBLE, "bounce"),
    ),
    Step(
        "returns",
        take_back,
        NewReturn,
        (WrongState, FundClosed, ReturnExceedsPaid, ReturnDiffers),
        title=marked("Record money that a payee gave back"),
        possible=(POSSIBLE, "return"),
    ),
)

add_steps(router, "disbursement_id", STEPS)


@router.post(
    "/{disbursement_id}/acknowledgement",
    response_model=Done | DryRun,
    responses=refuses(NotFound, WrongState),
)
@titled(marked("Record that the payee signed"), (POSSIBLE, "acknowledgement"))
@takes(acknowledgement)
async def acknowledge(disbursement_id: UUID, body: NewAcknowledgement, desk: Desk) -> Response:
    """Record that the payee signed for the money."""
    by = PartyId(str(new_id()))
    receipt = await desk.record_about(
        by,
        {"name": body.by},
        acknowledgement,
        DisbursementId(disbursement_id),
        by=by,
        on=body.on,
    )
    return done(receipt)
