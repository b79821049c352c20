"""Forms for the steps of a request for aid; they record what the API records."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.doors import takes
from api.pages.desk.aid import aid_page
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import on_day, text
from api.pages.kit.own_pages import then
from ledger.commands.command import Command
from ledger.commands.disbursements import acknowledge, approve, bounce, cancel, pay, reject
from ledger.kernel.errors import LedgerError
from ledger.kernel.ids import new_id
from ledger.kernel.names import DisbursementId, PartyId
from ledger.store.commits import Receipt

router = APIRouter(route_class=Entrance, include_in_schema=False)

Fields = Mapping[str, str]
Work = Callable[[PageDesk, DisbursementId], Coroutine[Any, Any, Receipt]]


async def _step(desk: PageDesk, disbursement_id: UUID, work: Work) -> Response:
    """Do ``work`` and show what came of it: the page anew, or the page with the refusal."""
    aid = DisbursementId(disbursement_id)
    try:
        receipt = await work(desk, aid)
    except LedgerError as refusal:
        return await run_in_threadpool(aid_page, desk, aid, refusal=refusal)
    return then(f"/desk/aid/{aid}?done={receipt.position}")


def _add(path: str, command: Command[Any], read: Callable[[Fields], dict[str, Any]]) -> None:
    """Add the form of a step, whose fields ``read`` turns into the command's arguments."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        return await desk.record(command, aid, **read(desk.fields))

    @router.post(f"/desk/aid/{{disbursement_id}}/{path}")
    @takes(command)
    async def take(disbursement_id: UUID, desk: PageDesk) -> Response:
        return await _step(desk, disbursement_id, work)


def _on(fields: Fields) -> dict[str, Any]:
    return {"on": on_day(fields)}


def _reason(fields: Fields) -> dict[str, Any]:
    return {"reason": text(fields, "reason")}


def _payment(fields: Fields) -> dict[str, Any]:
    return {"external_ref": fields.get("external_ref", "").strip(), "paid_on": on_day(fields)}


_add("approval", approve, _on)
_add("rejection", reject, _reason)
_add("cancellation", cancel, _reason)
_add("payment", pay, _payment)
_add("bounce", bounce, lambda fields: _reason(fields) | _on(fields))


@router.post("/desk/aid/{disbursement_id}/acknowledgement")
@takes(acknowledge)
async def record_acknowledgement(disbursement_id: UUID, desk: PageDesk) -> Response:
    """Record that the payee signed, whose name is kept apart from the history."""

    async def work(desk: PageDesk, aid: DisbursementId) -> Receipt:
        by, name = PartyId(str(new_id())), text(desk.fields, "by")
        return await desk.record_about(
            by, {"name": name}, acknowledge, aid, by=by, on=on_day(desk.fields)
        )

    return await _step(desk, disbursement_id, work)
