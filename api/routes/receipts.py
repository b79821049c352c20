"""/v1/donations/{id}/receipt: what a donor takes home, and can check without asking us"""

from __future__ import annotations

from types import ModuleType
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk, own
from api.kernel.doors import Door, may, refuses
from api.kernel.problems import NotTypeset
from api.kernel.wire import json_response
from api.routes.donations import READERS
from api.routes.log import covering, proven, text_of
from ledger.kernel.errors import NotFound
from ledger.transparency.encoding import to_base64
from projections.log.keys import WillNotSign
from projections.log.log import Changed
from projections.log.receipts import since_gift
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations, donation
from projections.views.fund_balances import FundBalances

router = APIRouter(prefix="/v1/donations", tags=["donations"], route_class=Door)

PDF = "application/pdf"

_ON_PAPER: dict[int | str, dict[str, Any]] = {
    200: {"content": {PDF: {"schema": {"type": "string", "format": "binary"}}}}
}


class ProvenEvent(BaseModel):
    """An event of the donation as it is stored, and the proof that it is in the history."""

    position: int
    index: int
    stream: str
    version: int
    topic: str
    state: str = Field(description="Its bytes as they are stored, in base64.")
    leaf: str
    leaf_hash: str
    path: list[str]


class FundSince(BaseModel):
    """What the money of the fund became: sums over the whole fund, in fen."""

    code: str
    name: str
    purpose: str
    currency: str
    pooled: dict[str, str] = Field(description="What these sums say of one gift, and what not.")
    since: int = Field(description="The position of the donation's first event.")
    until: int = Field(description="The position up to which the sums go.")
    now: dict[str, int]
    change: dict[str, int] = Field(description="What was added to each figure since.")
    disbursements: list[dict[str, Any]]
    more_disbursements: bool


class DonationReceipt(BaseModel):
    """Everything that it takes to check a donation, but for the log's key.

    The key is not in it on purpose: whoever forged a receipt would forge that too. Have it from the
    charity itself, from a witness or from an earlier receipt.
    """

    donation: dict[str, Any]
    events: list[ProvenEvent]
    checkpoint: str = Field(description="A signed note (C2SP tlog-checkpoint).")
    fund: FundSince


@router.get(
    "/{donation_id}/receipt",
    response_model=DonationReceipt,
    responses=refuses(NotFound, WillNotSign, Changed),
)
@may(*READERS)
def receipt(donation_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a donation's events with their proofs, and what its fund did with money since."""
    return json_response(_receipt(donation_id, desk, at_least))


@router.get(
    "/{donation_id}/receipt.pdf",
    response_class=Response,
    responses=_ON_PAPER | refuses(NotFound, WillNotSign, Changed, NotTypeset),
)
@may(*READERS)
def receipt_on_paper(donation_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return the receipt as a PDF/A, with the receipt itself attached."""
    typesetter = _typesetter()
    content = bytes(json_response(_receipt(donation_id, desk, at_least)).body)
    made = typesetter.typeset(content, str(desk.base_url), illustrative=desk.app.state.illustrative)
    headers = {"Content-Disposition": f'inline; filename="receipt-{donation_id}.pdf"'}
    return Response(made, media_type=PDF, headers=headers)


def _typesetter() -> ModuleType:
    try:
        from api.routes import receipt_pdf  # noqa: PLC0415  # With the first receipt.
    except ModuleNotFoundError as missing:
        raise NotTypeset(missing.name) from None
    return receipt_pdf


def _receipt(donation_id: UUID, desk: Desk, at_least: int | None) -> dict[str, Any]:
    with desk.read(Donations, at_least) as reading:
        gift = donation(reading.connection, str(donation_id))
    if gift is None:
        raise NotFound("donation", donation_id)
    own(desk, gift["donor"], donation_id)
    stored = list(desk.ledger.store.streams([donation_id]))
    positions = [desk.ledger.store.position_of(donation_id, n + 1) for n in range(len(stored))]
    published = covering(desk, positions[-1], at_least)
    proofs = desk.site.log.prove(published, positions)
    with desk.read(FundBalances) as funds, desk.read(Disbursements) as aid:
        now = min(funds.position, aid.position)
        since = since_gift(funds.connection, aid.connection, gift["fund"], positions[0], now)
    events = [
        proven(proof)
        | {
            "stream": str(donation_id),
            "version": each.originator_version,
            "topic": each.topic,
            "state": to_base64(each.state),
        }
        for each, proof in zip(stored, proofs, strict=True)
    ]
    return {"donation": gift, "events": events, "checkpoint": text_of(published), "fund": since}
