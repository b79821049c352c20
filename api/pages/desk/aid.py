"""/desk/aid: requests for aid, and for each one all that a careful person asks before signing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct
from sqlalchemy import Select

from api.kernel.desk import READS_ALL, today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.colleagues import colleagues, payee_called
from api.pages.kit.columns import Column, Filter, fund_choices
from api.pages.kit.drawn.steps import drawn_steps
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.lists import ListPage
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page, why_not
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rows import ListQuery, Selected
from api.pages.kit.rules import rule_in_force
from api.pages.public.events import tell
from api.routes.disbursement_forms import STATES as AID_STATES
from api.routes.disbursements import READERS
from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.commands.disbursements import acknowledge, approve, bounce, cancel, pay, reject
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import LedgerError, NotFound
from ledger.kernel.names import DisbursementId, PartyId, Position
from ledger.kernel.roles import Role
from projections.exports.tables import Kind
from projections.views.disbursements import Disbursements, as_register, disbursement, register
from projections.views.fund_balances import FundBalances, fund_balance, fund_row
from projections.views.inbox import TO_APPROVE, of_payee

router = APIRouter(route_class=Entrance, include_in_schema=False)

EARLIER_SHOWN = 10
"""Earlier disbursements to the same payee beside a request."""

HISTORY_MAX = 100
"""Events of one disbursement; few have ten."""

WHO_PAYS_WHOM = frozenset({Role.CLERK, Role.APPROVER, Role.CASHIER})
"""Roles that cannot do without the name of a payee who is a person."""

BY_HAND = frozenset(
    {"approvals", "rejection", "cancellation", "payment", "bounce", "acknowledgement"}
)
"""Steps of which the page of a request has forms of its own."""

TOGETHER = "to-approve"
"""What the address calls every state in which an approval is waited for."""

CALLED_OFF = frozenset({"rejected", "cancelled"})
"""States of requests of which nothing is paid."""


def _asked(query: ListQuery[Any]) -> Select[Any]:
    state = query.given["state"]
    return register(fund=query.given["fund"], state=TO_APPROVE if state == TOGETHER else state)


AID = ListPage[dict[str, Any]](
    name="aid",
    title=marked("Aid asked for"),
    view=Disbursements,
    rows=Selected(_asked, "number", lambda _, rows: as_register(rows)),
    order="number",
    later=marked("Later requests"),
    filters=(
        Filter(name="fund", title=marked("Fund"), kind="choice", choices=fund_choices),
        Filter(
            name="state",
            title=marked("State"),
            kind="choice",
            words={TOGETHER: marked("To approve"), **AID_STATES},
        ),
    ),
    columns=(
        Column(name="requested_on", title=marked("Requested on"), kind=Kind.DAY, sortable=True),
        Column(
            name="fund",
            title=marked("Fund"),
            link=lambda row: f"/funds/{row['fund']}",
            sortable=True,
        ),
        Column(
            name="payee_name",
            title=marked("Payee"),
            none=marked("A person"),
            link=lambda row: f"/desk/aid/{row['id']}",
            heads=True,
            notes=("purpose",),
        ),
        Column(name="purpose", title=marked("Purpose"), on_page=False),
        Column(
            name="state",
            title=marked("State"),
            kind=Kind.CODE,
            words=AID_STATES,
            sortable=True,
        ),
        Column(
            name="amount",
            title=marked("Yuan"),
            kind=Kind.AMOUNT,
            sortable=True,
            struck=lambda row: row["state"] in CALLED_OFF,
        ),
    ),
)


class Step(Struct, frozen=True):
    """Something that can be done about a disbursement.

    Attributes:
        name: Of the step, and the last part of the address that its form is sent to.
        why_not: Why it would be refused now, if it would, as the ledger itself decides.

    """

    name: str
    why_not: LedgerError | None


@router.get("/desk/aid")
@may(*READERS)
def list_aid(desk: PageDesk) -> Response:
    """Show the register of disbursements, filtered as the address says."""
    return AID.answer(desk, partial(own_page, desk, "list.html"))


@router.get("/desk/aid/{disbursement_id}")
@may(*READERS)
def show_aid(disbursement_id: UUID, desk: PageDesk, done: int = 0) -> Response:
    """Show one disbursement, and what the reader can do about it or why they cannot."""
    require_views_ready(desk.site)
    return aid_page(desk, DisbursementId(disbursement_id), done=done)


def aid_page(
    desk: PageDesk,
    disbursement_id: DisbursementId,
    *,
    done: int = 0,
    refusal: LedgerError | None = None,
) -> Response:
    """Show a disbursement, after something was done or refused about it, if anything was."""
    with desk.read(Disbursements) as reading:
        aid = disbursement(reading.connection, str(disbursement_id))
        if aid is None:
            raise NotFound("disbursement")
        earlier = []
        if aid["payee_name"] is not None:
            earlier = of_payee(reading.connection, aid["payee_name"], limit=EARLIER_SHOWN + 1)
    with desk.read(FundBalances) as also:
        fund = fund_row(also.connection, aid["fund"])
        figures = fund_balance(also.connection, aid["fund"], also.position)
    matter = list(desk.ledger.history(0, HISTORY_MAX, stream=disbursement_id))
    return own_page(
        desk,
        "aid_one.html",
        aid=aid,
        payee=_payee(desk, aid),
        fund=fund,
        figures=figures,
        earlier=[each for each in earlier if each["id"] != aid["id"]][:EARLIER_SHOWN],
        matter=tell(desk, matter),
        who=colleagues(desk, ((fact.actor, fact.role) for _, fact in matter)),
        drawn=list(
            drawn_steps(desk, "disbursements", str(disbursement_id), aid["state"], but=BY_HAND)
        ),
        steps=list(_steps(desk, disbursement_id, aid["state"])),
        rule=rule_in_force(desk, aid["amount"], today()),
        reads_all=not desk.caller.roles.isdisjoint(READS_ALL),
        reads_books=not desk.caller.roles.isdisjoint(BOOKS),
        paid_at=_paid_at(matter),
        refusal=refusal,
        done=done,
        today=today(),
    )


def _payee(desk: PageDesk, aid: Mapping[str, Any]) -> str | None:
    if aid["payee_name"] is None and not desk.caller.roles & WHO_PAYS_WHOM:
        return None
    return payee_called(desk, aid["payee"], aid["payee_name"])


def _paid_at(matter: Sequence[tuple[Position, Fact]]) -> Position | None:
    """Return where the payment that stands was recorded, if one was."""
    paid = [position for position, fact in matter if isinstance(fact, Disbursement.Paid)]
    return paid[-1] if paid else None


def _steps(desk: PageDesk, aid: DisbursementId, state: str) -> Iterator[Step]:
    """Yield what could be done next by anybody, and why this reader may not, if so."""
    on = today()
    if state in {"requested", "partly-approved"}:
        yield Step("approval", why_not(desk, approve, aid, on=on))
        yield Step("rejection", why_not(desk, reject, aid, reason="—"))
    if state == "approved":
        yield Step("payment", why_not(desk, pay, aid, external_ref="-", paid_on=on))
    if state == "paid":
        by = PartyId(desk.caller.person)
        yield Step("acknowledgement", why_not(desk, acknowledge, aid, by=by, on=on))
        yield Step("bounce", why_not(desk, bounce, aid, reason="—", on=on))
    if state in {"requested", "partly-approved", "approved"}:
        yield Step("cancellation", why_not(desk, cancel, aid, reason="—"))
