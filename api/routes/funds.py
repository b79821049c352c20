"""/v1/funds"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may, refuses
from api.kernel.forms import Forms
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.steps import Step, add_creation, add_steps
from api.kernel.texts import marked
from api.kernel.things import Match, Search, Thing
from api.kernel.wire import (
    Amount,
    Body,
    Code,
    CurrencyCode,
    Day,
    ReasonOn,
    Text,
    example,
    json_response,
)
from ledger.aggregates.funds import STEPS as POSSIBLE
from ledger.aggregates.funds import (
    BasisRequired,
    FundClosed,
    FundExists,
    FundFrozen,
    FundNotEmpty,
    FundState,
    InsufficientFunds,
)
from ledger.commands.funds import (
    close_fund,
    freeze_fund,
    open_fund,
    thaw_fund,
    transfer,
)
from ledger.kernel.errors import NotFound, WrongState
from ledger.kernel.names import Position
from ledger.kernel.terms import Restriction
from projections.views.fund_balances import (
    FundBalances,
    find_funds,
    fund_balance,
    fund_row,
    fund_rows,
)

router = APIRouter(prefix="/v1/funds", tags=["funds"], route_class=Door)


class NewFund(Body):
    """A purpose pot, as its agreement says. None of it changes later."""

    model_config = example(
        code="F-HEAR",
        name="爱心测听室",
        restriction="restricted",
        purpose="为聋儿康复中心捐建测听室",
        currency="CNY",
    )

    code: Code
    name: Text = Field(examples=["爱心测听室"])
    restriction: Restriction
    purpose: Text = Field(examples=["为聋儿康复中心捐建测听室"])
    currency: CurrencyCode = "CNY"


class NewTransfer(Body):
    """What goes to another fund, and what allows it."""

    model_config = example(
        to="F-WARM", amount=100_000, basis="捐赠人书面同意 2026-05-06", on="2026-05-08"
    )

    to: Code
    amount: Amount
    basis: Text | None = Field(default=None, examples=["捐赠人书面同意 2026-05-06"])
    on: Day


class FundShown(BaseModel):
    """A fund."""

    code: str
    name: str
    purpose: str
    restriction: Restriction
    currency: str
    state: Literal["open", "frozen", "closed"]


class FundsShown(BaseModel):
    """A page of funds."""

    items: list[FundShown]
    next: str | None


class Balance(BaseModel):
    """What a fund has; all figures in fen."""

    fund: str
    currency: str
    position: int = Field(description="The event that the figures are as good as.")
    as_of: str | None = Field(description="The business day that was asked for.")
    received: int = Field(description="Money that arrived, net of refunds and transfers.")
    reserved: int = Field(description="Set aside for approved disbursements.")
    paid: int = Field(description="Paid out, net of what came back.")
    acknowledged: int = Field(description="Paid, and signed for.")
    balance: int = Field(description="received − paid")
    available: int = Field(description="balance − reserved")
    pledged: int = Field(description="Promised and not yet received.")
    suspense: int = Field(description="Paid beyond a promise; waits for the donor's word.")
    receivable: int = Field(description="Due from sale partners.")


add_creation(router, Step("", open_fund, NewFund, (FundExists,), title=marked("Open a fund")))


@router.get("", response_model=FundsShown)
@may()
def list_funds(
    desk: Desk, cursor: Cursor = None, limit: Limit = 100, at_least: AtLeast = None
) -> Response:
    """Return every fund, by code."""
    query = list_query("funds", cursor, limit)
    with desk.read(FundBalances, at_least) as reading:
        rows = fund_rows(reading.connection)
    numbered = [_shown(row) | {"n": n} for n, row in enumerate(rows, start=1)]
    page = query.page(numbered[query.after :], lambda row: row["n"])
    for row in page["items"]:
        del row["n"]
    return json_response(page)


@router.get("/{code}", response_model=FundShown, responses=refuses(NotFound))
@may()
def show_fund(code: str, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a fund."""
    with desk.read(FundBalances, at_least) as reading:
        row = fund_row(reading.connection, code)
    if row is None:
        raise NotFound("fund", by="code")
    return json_response(_shown(row))


def _shown(row: dict[str, object]) -> dict[str, object]:
    return {"code" if name == "fund" else name: value for name, value in row.items()}


@router.get("/{code}/balance", response_model=Balance, responses=refuses(NotFound))
@may()
def show_balance(
    code: str,
    desk: Desk,
    as_of: Annotated[Day | None, Query(description="What had happened by this day.")] = None,
    known_at: Annotated[
        int | None, Query(ge=0, le=2**53, description="What was written by this position.")
    ] = None,
    at_least: AtLeast = None,
) -> Response:
    """Return what a fund has, or had."""
    known = None if known_at is None else Position(known_at)
    with desk.read(FundBalances, at_least) as reading:
        balance = fund_balance(
            reading.connection, code, reading.position, as_of=as_of, known_at=known
        )
    if balance is None:
        raise NotFound("fund", by="code")
    figures = msgspec.structs.asdict(balance)
    return json_response(figures | {"balance": balance.balance, "available": balance.available})


STEPS = (
    Step(
        "transfers",
        transfer,
        NewTransfer,
        (FundClosed, FundFrozen, InsufficientFunds, BasisRequired),
        title=marked("Move money between funds"),
        possible=(POSSIBLE, "transfer"),
    ),
    Step(
        "freezing",
        freeze_fund,
        ReasonOn,
        (WrongState,),
        name="freeze",
        title=marked("Freeze a fund"),
        possible=(POSSIBLE, "freeze"),
    ),
    Step(
        "thawing",
        thaw_fund,
        ReasonOn,
        (WrongState,),
        name="thaw",
        title=marked("Thaw a fund"),
        possible=(POSSIBLE, "thaw"),
    ),
    Step(
        "closing",
        close_fund,
        ReasonOn,
        (WrongState, FundNotEmpty),
        name="close",
        title=marked("Close a fund"),
        possible=(POSSIBLE, "close"),
    ),
)

add_steps(router, "code", STEPS, kind=str)


STATES = {
    "open": marked("Open"),
    "frozen": marked("Frozen"),
    "closed": marked("Closed"),
}

RESTRICTIONS = {
    "restricted": marked("Restricted to its purpose"),
    "unrestricted": marked("Unrestricted"),
}

TAKES_MONEY = frozenset({FundState.OPEN, FundState.FROZEN})
"""States of a fund that something new is for; only what is closed takes nothing any more."""


def _matches(search: Search) -> list[Match]:
    with search.desk.read(FundBalances) as reading:
        rows = find_funds(reading.connection, search.criteria)
    return [
        Match(each["fund"], each["name"], (each["fund"], each["purpose"]), STATES[each["state"]])
        for each in rows
    ]


FORMS = Forms(
    "funds",
    marked("Funds"),
    things=(
        Thing(
            "funds",
            {
                "code": marked("Which fund"),
                "fund": marked("Fund"),
                "to": marked("To which fund"),
            },
            _matches,
            TAKES_MONEY,
        ),
    ),
    labels={
        "new:code": marked("Code"),
        "new:name": marked("Name of the fund"),
        "restriction": marked("Kind of fund"),
    },
    hints={
        "new:code": marked("Capital letters and digits with hyphens, such as F-HEAR."),
        "transfers:basis": marked(
            "Which consent or resolution allows it; a restricted fund needs one."
        ),
    },
    choices=(RESTRICTIONS,),
)
