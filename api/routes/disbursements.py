"""/v1/disbursements"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.doors import AtLeast, Desk, Door, may, refuses
from api.kernel.paging import Cursor, Limit, asked
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
    shown,
)
from ledger.aggregates.disbursements.disbursement import PayeeKind, ReturnDiffers, ReturnExceedsPaid
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.aggregates.funds import FundClosed, FundFrozen, InsufficientFunds
from ledger.kernel.confirmations import ConfirmationDiffers
from ledger.kernel.errors import NotFound, SamePerson, WrongState
from ledger.kernel.names import DisbursementId, FundCode, PartyId, new_id
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


@router.post("", status_code=201, response_model=Created, responses=refuses(NotFound, FundClosed))
@may(Role.CLERK)
async def request(body: NewRequest, desk: Desk) -> Response:
    """Ask for aid out of a fund."""
    payee = PartyId(str(new_id()))
    is_person = body.payee.kind == "person"
    receipt = await desk.record_about(
        payee,
        {"name": body.payee.name},
        desk.ledger.request_aid,
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
    wanted = asked("disbursements", cursor, limit, fund=fund, state=state)
    with desk.read(Disbursements, at_least) as reading:
        rows = disbursements(
            reading.connection,
            after=wanted.after,
            limit=wanted.limit + 1,
            fund=wanted.filters.get("fund"),
            state=wanted.filters.get("state"),
        )
    return shown(wanted.page(rows, lambda row: int(row["position"])))


@router.get("/{disbursement_id}", response_model=DisbursementShown, responses=refuses(NotFound))
@may(*READERS)
def show_disbursement(disbursement_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a disbursement."""
    with desk.read(Disbursements, at_least) as reading:
        found = disbursement(reading.connection, str(disbursement_id))
    if found is None:
        raise NotFound("disbursement")
    return shown(found)


@router.post(
    "/{disbursement_id}/approvals",
    response_model=Done,
    responses=refuses(NotFound, SamePerson, WrongState, FundClosed, FundFrozen, InsufficientFunds),
)
@may(Role.APPROVER)
async def approve(disbursement_id: UUID, body: On, desk: Desk) -> Response:
    """Approve. The last approval needed, the second if no rule is set, sets the money aside."""
    receipt = await desk.record(desk.ledger.approve, DisbursementId(disbursement_id), on=body.on)
    return done(receipt)


@router.post(
    "/{disbursement_id}/rejection", response_model=Done, responses=refuses(NotFound, WrongState)
)
@may(Role.APPROVER)
async def reject(disbursement_id: UUID, body: Reason, desk: Desk) -> Response:
    """Turn the request down."""
    receipt = await desk.record(
        desk.ledger.reject, DisbursementId(disbursement_id), reason=body.reason
    )
    return done(receipt)


@router.post(
    "/{disbursement_id}/cancellation",
    response_model=Done,
    responses=refuses(NotFound, WrongState),
)
@may(Role.CLERK)
async def cancel(disbursement_id: UUID, body: Reason, desk: Desk) -> Response:
    """Call the request off; money that was set aside is free again."""
    receipt = await desk.record(
        desk.ledger.cancel, DisbursementId(disbursement_id), reason=body.reason
    )
    return done(receipt)


@router.post(
    "/{disbursement_id}/payment",
    response_model=Done,
    responses=refuses(NotFound, SamePerson, WrongState, FundClosed, FundFrozen),
)
@may(Role.CASHIER)
async def pay(disbursement_id: UUID, body: NewPayout, desk: Desk) -> Response:
    """Record that the bank sent the money."""
    receipt = await desk.record(
        desk.ledger.pay,
        DisbursementId(disbursement_id),
        external_ref=body.external_ref,
        paid_on=body.paid_on,
    )
    return done(receipt)


@router.post(
    "/{disbursement_id}/payment/confirmation",
    response_model=Done,
    responses=refuses(NotFound, SamePerson, WrongState, ConfirmationDiffers),
)
@may(Role.BOOKKEEPER, Role.TREASURER)
async def confirm(disbursement_id: UUID, body: NewPayoutConfirmation, desk: Desk) -> Response:
    """Record that the payment was found on a statement, by somebody who did not record it."""
    receipt = await desk.record(
        desk.ledger.confirm_payout,
        DisbursementId(disbursement_id),
        statement_ref=body.statement_ref,
        on=body.on,
    )
    return done(receipt)


@router.post(
    "/{disbursement_id}/bounce",
    response_model=Done,
    responses=refuses(NotFound, WrongState, FundClosed, ReturnExceedsPaid),
)
@may(Role.CASHIER)
async def bounce(disbursement_id: UUID, body: ReasonOn, desk: Desk) -> Response:
    """Record that the money came back undelivered; it is set aside for a second try."""
    receipt = await desk.record(
        desk.ledger.bounce, DisbursementId(disbursement_id), reason=body.reason, on=body.on
    )
    return done(receipt)


@router.post(
    "/{disbursement_id}/acknowledgement",
    response_model=Done,
    responses=refuses(NotFound, WrongState),
)
@may(Role.CLERK)
async def acknowledge(disbursement_id: UUID, body: NewAcknowledgement, desk: Desk) -> Response:
    """Record that the payee signed for the money."""
    by = PartyId(str(new_id()))
    receipt = await desk.record_about(
        by,
        {"name": body.by},
        desk.ledger.acknowledge,
        DisbursementId(disbursement_id),
        by=by,
        on=body.on,
    )
    return done(receipt)


@router.post(
    "/{disbursement_id}/returns",
    response_model=Done,
    responses=refuses(NotFound, WrongState, FundClosed, ReturnExceedsPaid, ReturnDiffers),
)
@may(Role.CASHIER)
async def take_back(disbursement_id: UUID, body: NewReturn, desk: Desk) -> Response:
    """Record money that the payee gave back."""
    receipt = await desk.record(
        desk.ledger.take_back,
        DisbursementId(disbursement_id),
        amount=body.amount,
        external_ref=body.external_ref,
        received_on=body.received_on,
    )
    return done(receipt)
