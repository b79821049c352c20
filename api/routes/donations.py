"""/v1/donations"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk, own
from api.kernel.doors import Door, in_lines, may, refuses
from api.kernel.feeds import FeedForeseen, FeedTaken, in_ndjson, take_in
from api.kernel.forms import titled
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.steps import Step, add_creation, add_steps
from api.kernel.texts import marked
from api.kernel.wire import (
    AN_ID,
    Amount,
    Body,
    Code,
    CurrencyCode,
    Day,
    Reason,
    Reference,
    Text,
    example,
    json_response,
)
from ledger.aggregates.donations.facts import INSTALMENTS_MAX, Cause, Instalment
from ledger.aggregates.donations.rules import NothingInSuspense, PublicPromiseBinds
from ledger.aggregates.donations.states import STEPS as POSSIBLE
from ledger.aggregates.donations.states import DonationState
from ledger.aggregates.donors import ProcessingStopped
from ledger.aggregates.funds import FundClosed, FundFrozen, InsufficientFunds
from ledger.commands.donations import (
    confirm_payment,
    decide_excess,
    pledge,
    receive_payment,
    refund,
    withdraw_pledge,
)
from ledger.feeds.feed import NAMED_MAX
from ledger.feeds.pledges import PledgeFeed
from ledger.kernel.confirmations import ConfirmationDiffers
from ledger.kernel.errors import NotFound, SamePerson, WrongState
from ledger.kernel.money import Fen
from ledger.kernel.payments import Channel, PaymentCounted, PaymentDiffers, RefundExceedsReceived
from ledger.kernel.roles import Role
from projections.views.donations import Donations, donation, donations

router = APIRouter(prefix="/v1/donations", tags=["donations"], route_class=Door)

READERS = (
    Role.CLERK,
    Role.CASHIER,
    Role.TREASURER,
    Role.BOOKKEEPER,
    Role.AUDITOR,
    Role.DONOR,
)


class NewInstalment(Body):
    """A part of a promise, and the day it is due."""

    model_config = example(due_on="2026-04-15", amount=500_000)

    due_on: Day
    amount: Amount


class NewPledge(Body):
    """A promise to give."""

    model_config = example(
        donor=AN_ID,
        fund="F-HEAR",
        amount=1_000_000,
        currency="CNY",
        pledged_on="2026-03-14",
        instalments=[
            {"due_on": "2026-03-20", "amount": 400_000},
            {"due_on": "2026-04-20", "amount": 600_000},
        ],
        public_promise=False,
        note="电视热线",
    )

    donor: UUID
    fund: Code
    amount: Amount
    currency: CurrencyCode
    pledged_on: Day
    instalments: Annotated[tuple[NewInstalment, ...], Field(max_length=INSTALMENTS_MAX)] = ()
    public_promise: Annotated[bool, Field(strict=True)] = False
    note: Text | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the promise, with its instalments in the order in which they were sent."""
        instalments = [Instalment(each.due_on, Fen(each.amount)) for each in self.instalments]
        return super().arguments() | {"instalments": instalments}


class NewPayment(Body):
    """What a line of the bank or platform says."""

    model_config = example(
        amount=10_000, channel="wechat", external_ref="WX-0120", received_on="2026-03-20"
    )

    amount: Amount
    channel: Channel
    external_ref: Reference
    received_on: Day


class NewPaymentConfirmation(Body):
    """Which payment was found, and on which statement of the bank, the platform or the till."""

    model_config = example(
        channel="wechat", external_ref="WX-0120", statement_ref="WX-2026-03", on="2026-04-01"
    )

    channel: Channel
    external_ref: Reference
    statement_ref: Reference
    on: Day


class NewRefund(Body):
    """What goes back, and whose the cause is."""

    model_config = example(amount=30_000, cause="duplicate", reason="捐赠人重复付款")

    amount: Amount
    cause: Cause
    reason: Text


class ExcessDecision(Body):
    """What the donor wants done with money paid beyond the promise."""

    model_config = example(decision="give", amount=3_000, on="2026-03-22")

    decision: Literal["give", "return"]
    amount: Amount
    on: Day


class InstalmentShown(BaseModel):
    """A part of a promise."""

    due_on: str
    amount: int


class DonationShown(BaseModel):
    """A promise and what came of it; figures in fen."""

    id: str
    position: int
    version: int
    donor: str
    fund: str
    amount: int
    currency: str
    pledged_on: str
    instalments: list[InstalmentShown]
    public_promise: bool
    note: str | None
    state: DonationState
    received: int
    open: int
    withdrawn: int
    refunded: int
    excess: int
    confirmed: int = Field(description="Of the payments, those found on a statement.")


class DonationWithHistory(DonationShown):
    """A promise with everything that happened to it."""

    history: list[dict[str, Any]]


class DonationsShown(BaseModel):
    """A page of donations."""

    items: list[DonationShown]
    next: str | None


PLEDGE = Step(
    "",
    pledge,
    NewPledge,
    (NotFound, FundClosed, ProcessingStopped),
    title=marked("Record a pledge"),
)

add_creation(router, PLEDGE)


class LineRecorded(BaseModel):
    """A line that stands, and the donation that it is."""

    line: int = Field(examples=[1], description="Counting from 1, blank lines as well.")
    id: UUID


class BatchTaken(FeedTaken):
    """What came of a batch. Good lines stand; a repeated line counts as a duplicate."""

    donations: list[LineRecorded] = Field(description=f"Accepted; the first {NAMED_MAX:,}.")
    repeats: list[LineRecorded] = Field(description=f"Duplicates; the first {NAMED_MAX:,}.")


class BatchForeseen(FeedForeseen):
    """What a batch would come to, whose entry is added up by account and fund."""

    donations: list[LineRecorded] = Field(description=f"Accepted; the first {NAMED_MAX:,}.")
    repeats: list[LineRecorded] = Field(description=f"Duplicates; the first {NAMED_MAX:,}.")


PLEDGE_LINE = (
    f'{{"ref":"2026-118","donor":"{AN_ID}","fund":"F-HEAR","amount":10000,"currency":"CNY",'
    '"pledged_on":"2026-03-20","payment":{"amount":10000,"channel":"wechat",'
    '"external_ref":"WX-0120","received_on":"2026-03-20"}}'
)


@router.post(
    ":batch", response_model=BatchTaken | BatchForeseen, openapi_extra=in_ndjson(PLEDGE_LINE)
)
@titled(marked("Take in a list of pledges"))
@in_lines
@may(*PledgeFeed.by)
async def pledge_batch(desk: Desk) -> Response:
    """Record promises, one JSON object a line, in as few transactions as can be.

    A line is the body of `POST /v1/donations` and a `ref` of your own, 1 to 64 visible ASCII
    characters; a line of yours with the same `ref` is a repeat, whichever request it comes in.
    It may have a `payment`, as `POST /v1/donations/{id}/payments` takes it, if you are a cashier
    as well. A line that cannot be recorded changes nothing and is named by its code:
    `line.malformed`, `amount.invalid`, `date.invalid`, `donor.unknown`,
    `donor.processing-stopped`, `fund.unknown`, `fund.closed`, `pledge.conflict`,
    `payment.counted` or `role.forbidden`.
    """
    receives = Role.CASHIER in desk.caller.roles
    return await take_in(desk, lambda act: PledgeFeed(desk.ledger, act, receives=receives))


@router.get("", response_model=DonationsShown)
@may(*READERS)
def list_donations(
    desk: Desk,
    donor: UUID | None = None,
    fund: Code | None = None,
    state: DonationState | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
) -> Response:
    """Return donations, oldest first; a donor sees only their own."""
    query = list_query("donations", cursor, limit, donor=donor, fund=fund, state=state)
    filters = dict(query.filters)
    if desk.role is Role.DONOR:
        mine = str(desk.caller.donor)
        if filters.setdefault("donor", mine) != mine:
            return json_response({"items": [], "next": None})
    with desk.read(Donations, at_least) as reading:
        rows = donations(
            reading.connection,
            after=query.after,
            limit=query.limit + 1,
            donor=filters.get("donor"),
            fund=filters.get("fund"),
            state=filters.get("state"),
        )
    return json_response(query.page(rows, lambda row: int(row["position"])))


@router.get("/{donation_id}", response_model=DonationWithHistory, responses=refuses(NotFound))
@may(*READERS)
def show_donation(donation_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a donation with everything that happened to it."""
    with desk.read(Donations, at_least) as reading:
        row = donation(reading.connection, str(donation_id))
    if row is None:
        raise NotFound("donation", donation_id)
    own(desk, row["donor"], donation_id)
    return json_response(row)


STEPS = (
    Step(
        "payments",
        receive_payment,
        NewPayment,
        (WrongState, FundClosed, PaymentDiffers, PaymentCounted),
        name="receive",
        title=marked("Record a payment"),
        possible=(POSSIBLE, "payment"),
    ),
    Step(
        "payments/confirmation",
        confirm_payment,
        NewPaymentConfirmation,
        (SamePerson, ConfirmationDiffers),
        name="confirm",
        title=marked("Confirm a payment by its statement"),
    ),
    Step(
        "withdrawal",
        withdraw_pledge,
        Reason,
        (WrongState, PublicPromiseBinds),
        name="withdraw",
        title=marked("Withdraw a pledge"),
        possible=(POSSIBLE, "withdrawal"),
    ),
    Step(
        "refunds",
        refund,
        NewRefund,
        (WrongState, FundClosed, FundFrozen, InsufficientFunds, RefundExceedsReceived),
        title=marked("Refund a donor"),
        possible=(POSSIBLE, "refund"),
    ),
    Step(
        "excess",
        decide_excess,
        ExcessDecision,
        (FundClosed, NothingInSuspense),
        title=marked("Decide about money paid beyond a pledge"),
    ),
)

add_steps(router, "donation_id", STEPS)
