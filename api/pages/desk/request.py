"""/desk/request: a request for aid, written, checked and only then recorded.

A payee may be a person, whose name stands in no address; so what was answered goes from step to
step in forms, and nothing of it is kept before the last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import today
from api.kernel.doors import may
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import fen, on_day, one_of, text
from api.pages.kit.own_pages import own_page, then, why_not
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rules import rule_in_force
from ledger.aggregates.disbursements.facts import PayeeKind
from ledger.commands.disbursements import request_aid
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.ids import new_id
from ledger.kernel.money import CNY, yuan
from ledger.kernel.names import FundCode, PartyId
from ledger.kernel.roles import Role
from projections.views.disbursements import Disbursements
from projections.views.fund_balances import FundBalances, FundSummary, fund_summaries
from projections.views.inbox import of_payee

router = APIRouter(prefix="/desk/request", route_class=Entrance, include_in_schema=False)

NAME_MAX, GRID_MAX = 200, 40
"""Characters of a payee's name and of a grid, as the API takes them."""

EARLIER_SHOWN = 5
"""Earlier requests for the same payee that are shown before another is made."""


class AidRequest(Struct, frozen=True):
    """What is asked for.

    Attributes:
        fund: Out of which fund.
        payee_kind: What the payee is.
        payee: What they are called.
        amount: So much, in fen.
        purpose: What for.
        grid: The part of the town, if one is named.
        on: The business day of the request.

    """

    fund: str
    payee_kind: Any
    payee: str
    amount: int
    purpose: str
    grid: str | None
    on: date

    def fields(self) -> dict[str, str]:
        """Return it as fields of a form."""
        return {
            "fund": self.fund,
            "payee_kind": self.payee_kind,
            "payee": self.payee,
            "amount": yuan(self.amount).replace(",", ""),
            "purpose": self.purpose,
            "grid": self.grid or "",
            "requested_on": self.on.isoformat(),
        }

    def arguments(self, payee: PartyId) -> dict[str, Any]:
        """Return it as the command takes it, of a payee known by an id."""
        return {
            "fund": FundCode(self.fund),
            "payee_kind": self.payee_kind,
            "payee": payee,
            "payee_name": None if self.payee_kind == "person" else self.payee,
            "amount": self.amount,
            "currency": CNY,
            "purpose": self.purpose,
            "grid": self.grid,
            "requested_on": self.on,
        }


def read_request(fields: Mapping[str, str]) -> AidRequest:
    """Read the answers of the form.

    Raises:
        Invalid: An answer is missing or cannot be.

    """
    draft = AidRequest(
        fund=text(fields, "fund"),
        payee_kind=one_of(fields, "payee_kind", PayeeKind),
        payee=text(fields, "payee"),
        amount=fen(fields),
        purpose=text(fields, "purpose"),
        grid=text(fields, "grid") if fields.get("grid", "").strip() else None,
        on=on_day(fields, "requested_on"),
    )
    for name, words, longest in (("payee", draft.payee, NAME_MAX), ("grid", draft.grid, GRID_MAX)):
        if len(words or "") > longest:
            raise Invalid(name, "must be at most {most} characters", most=longest)
    return draft


@router.get("")
@may(Role.CLERK)
def write(desk: PageDesk) -> Response:
    """Ask out of which fund, for whom, how much and what for."""
    return _form(desk, {"fund": desk.query_params.get("fund", "")})


def _form(
    desk: PageDesk, fields: Mapping[str, str], refusal: LedgerError | None = None
) -> Response:
    require_views_ready(desk.site)
    with desk.read(FundBalances) as reading:
        funds = [each for each in fund_summaries(reading.connection) if each.state == "open"]
    return own_page(
        desk,
        "request.html",
        funds=funds,
        kinds=get_args(PayeeKind),
        values=fields,
        today=today(),
        name_max=NAME_MAX,
        grid_max=GRID_MAX,
        refusal=refusal,
    )


@router.get("/check")
@may(Role.CLERK)
def check_again(desk: PageDesk) -> Response:  # noqa: ARG001  # Every route has a desk.
    """Begin anew: what was answered went with the form, and is in no address."""
    return then("/desk/request")


@router.post("/check")
@may(Role.CLERK)
async def check(desk: PageDesk) -> Response:
    """Show the answers and what they would come to, or the form again to change them."""
    if "change" in desk.fields:
        return await run_in_threadpool(_form, desk, desk.fields)
    try:
        draft = read_request(desk.fields)
        return await run_in_threadpool(_check, desk, draft)
    except (Invalid, NotFound) as refusal:
        return await run_in_threadpool(_form, desk, desk.fields, refusal)


def _check(desk: PageDesk, draft: AidRequest, refusal: LedgerError | None = None) -> Response:
    require_views_ready(desk.site)
    fund = _fund(desk, draft.fund)
    arguments = draft.arguments(
        PartyId(desk.caller.person)
    )  # Whoever it is, the rules are the same.
    return own_page(
        desk,
        "request_check.html",
        draft=draft,
        fund=fund,
        available=fund.available,
        earlier=_earlier(desk, draft),
        rule=rule_in_force(desk, draft.amount, today()),
        refusal=refusal or why_not(desk, request_aid, **arguments),
    )


def _fund(desk: PageDesk, code: str) -> FundSummary:
    with desk.read(FundBalances) as reading:
        for each in fund_summaries(reading.connection):
            if each.fund == code:
                return each
    raise NotFound("fund", by="code")


def _earlier(desk: PageDesk, draft: AidRequest) -> list[dict[str, Any]]:
    """Return what was asked for the same organisation before; persons are not compared."""
    if draft.payee_kind == "person":
        return []
    with desk.read(Disbursements) as reading:
        return of_payee(reading.connection, draft.payee, limit=EARLIER_SHOWN)


@router.post("")
@may(Role.CLERK)
async def request(desk: PageDesk) -> Response:
    """Record the request, and show it as those see it who are to approve."""
    try:
        draft = read_request(desk.fields)
    except Invalid as refusal:
        return await run_in_threadpool(_form, desk, desk.fields, refusal)
    payee = PartyId(str(new_id()))
    details, arguments = {"name": draft.payee}, draft.arguments(payee)
    try:
        receipt = await desk.record_about(payee, details, request_aid, **arguments)
    except LedgerError as refusal:
        return await run_in_threadpool(_check, desk, draft, refusal)
    return then(f"/desk/aid/{receipt.id}?done={receipt.position}")
