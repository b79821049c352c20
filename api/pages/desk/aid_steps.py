"""What is done about a request for aid, by forms that record what the API records."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.doors import may
from api.pages.desk.aid import aid_page
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import on_day, text
from api.pages.kit.own_pages import then
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import DisbursementId, PartyId, new_id
from ledger.kernel.roles import Role
from ledger.store.commits import Receipt

router = APIRouter(route_class=Entrance, include_in_schema=False)

Work = Callable[[PageDesk, DisbursementId], Coroutine[Any, Any, Receipt]]


async def _step(desk: PageDesk, disbursement_id: UUID, work: Work) -> Response:
    """Do ``work`` and show what came of it: the page anew, or the page with the refusal."""
    aid = DisbursementId(disbursement_id)
    try:
        receipt = await work(desk, aid)
    except LedgerError as refusal:
        return await run_in_threadpool(aid_page, desk, aid, refusal=refusal)
    return then(f"/desk/aid/{aid}?done={receipt.position}")


@router.post("/desk/aid/{disbursement_id}/approval")
@may(Role.APPROVER)
async def approve(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Approve."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        return await desk.record(desk.ledger.approve, aid, on=on_day(desk.fields))

    return await _step(desk, disbursement_id, work)


@router.post("/desk/aid/{disbursement_id}/rejection")
@may(Role.APPROVER)
async def reject(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Turn the request down."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        return await desk.record(desk.ledger.reject, aid, reason=text(desk.fields, "reason"))

    return await _step(desk, disbursement_id, work)


@router.post("/desk/aid/{disbursement_id}/cancellation")
@may(Role.CLERK)
async def cancel(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Call the request off."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        return await desk.record(desk.ledger.cancel, aid, reason=text(desk.fields, "reason"))

    return await _step(desk, disbursement_id, work)


@router.post("/desk/aid/{disbursement_id}/payment")
@may(Role.CASHIER)
async def pay(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Record that the bank sent the money."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        return await desk.record(
            desk.ledger.pay,
            aid,
            external_ref=desk.fields.get("external_ref", "").strip(),
            paid_on=on_day(desk.fields),
        )

    return await _step(desk, disbursement_id, work)


@router.post("/desk/aid/{disbursement_id}/bounce")
@may(Role.CASHIER)
async def bounce(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Record that the money came back undelivered."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        reason = text(desk.fields, "reason")
        return await desk.record(desk.ledger.bounce, aid, reason=reason, on=on_day(desk.fields))

    return await _step(desk, disbursement_id, work)


@router.post("/desk/aid/{disbursement_id}/acknowledgement")
@may(Role.CLERK)
async def acknowledge(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Record that the payee signed, whose name is kept apart from the history."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        by, name = PartyId(str(new_id())), text(desk.fields, "by")
        return await desk.record_about(
            by, {"name": name}, desk.ledger.acknowledge, aid, by=by, on=on_day(desk.fields)
        )

    return await _step(desk, disbursement_id, work)
