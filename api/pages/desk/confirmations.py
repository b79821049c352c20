"""How the payment of an event is confirmed: each kind of money by its own command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from api.pages.kit.entrance import PageDesk
from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.sales.sale import CharitySale
from ledger.commands.application import Decision
from ledger.kernel.errors import NotFound
from ledger.kernel.names import DisbursementId, DonationId, Position, SaleId
from projections.views.unconfirmed import MoneyKind


class Confirmable(Struct, frozen=True):
    """A payment that was recorded.

    Attributes:
        kind: Of money.
        fact: The event that recorded it.
        matter: The page of what it is part of.
        command: Records that it was found.
        named: What the command has to be told to find it.

    """

    kind: MoneyKind
    fact: Any
    matter: str
    command: Callable[..., Decision]
    named: Mapping[str, Any]


def confirmation_of(desk: PageDesk, position: Position) -> Confirmable:
    """Return how the payment of the event at ``position`` is confirmed.

    Raises:
        NotFound: There recorded nothing a payment, or one in whose place another one stands.

    """
    for _, fact in desk.ledger.at([position]):
        stream = fact.originator_id
        match fact:
            case Donation.PaymentReceived():
                named: dict[str, Any] = {
                    "donation_id": DonationId(stream),
                    "channel": fact.channel,
                    "external_ref": fact.external_ref,
                }
                page, command = f"/desk/pledges/{stream}", desk.ledger.confirm_payment
                return Confirmable("gift", fact, page, command, named)
            case CharitySale.Remitted():
                named = {"sale_id": SaleId(stream), "external_ref": fact.external_ref}
                page = f"/desk/sales/{stream}"
                return Confirmable("remittance", fact, page, desk.ledger.confirm_remittance, named)
            case Disbursement.Paid():
                return _payout(desk, fact)
    raise NotFound("payment", says="this event records no payment")


def _payout(desk: PageDesk, fact: Disbursement.Paid) -> Confirmable:
    aid = DisbursementId(fact.originator_id)
    if desk.ledger.disbursement(aid).paid_by_ref != fact.external_ref:
        raise NotFound("payment", says="this payment came back, and another was made")
    page, named = f"/desk/aid/{aid}", {"disbursement_id": aid}
    return Confirmable("payout", fact, page, desk.ledger.confirm_payout, named)
