"""Confirmation of an event's payment: each kind of money has its own command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from api.pages.kit.entrance import PageDesk
from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.sales.sale import CharitySale
from ledger.commands.command import Command
from ledger.commands.disbursements import confirm_payout
from ledger.commands.donations import confirm_payment
from ledger.commands.sales import confirm_remittance
from ledger.kernel.errors import NotFound
from ledger.kernel.names import Position
from projections.views.unconfirmed import MoneyKind


class Confirmable(Struct, frozen=True):
    """A payment that was recorded.

    Attributes:
        kind: Of money.
        fact: The event that recorded it.
        matter: The page of what it is part of.
        command: Ledger that it was found.
        thing: What the payment is part of.
        named: What else the command has to be told to find it.

    """

    kind: MoneyKind
    fact: Any
    matter: str
    command: Command[Any]
    thing: UUID
    named: Mapping[str, Any]


def confirmation_of(desk: PageDesk, position: Position) -> Confirmable:
    """Return how the payment of the event at ``position`` is confirmed.

    Raises:
        NotFound: There recorded nothing a payment, or one in whose place another one stands.

    """
    for _, fact in desk.ledger.at([position]):
        thing = fact.originator_id
        match fact:
            case Donation.PaymentReceived():
                named = {"channel": fact.channel, "external_ref": fact.external_ref}
                page = f"/desk/pledges/{thing}"
                return Confirmable("gift", fact, page, confirm_payment, thing, named)
            case CharitySale.Remitted():
                named = {"external_ref": fact.external_ref}
                page = f"/desk/sales/{thing}"
                return Confirmable("remittance", fact, page, confirm_remittance, thing, named)
            case Disbursement.Paid():
                return _payout(desk, fact)
    raise NotFound("payment", says="this event records no payment")


def _payout(desk: PageDesk, fact: Disbursement.Paid) -> Confirmable:
    aid = fact.originator_id
    if desk.ledger.get(Disbursement, aid).paid_by_ref != fact.external_ref:
        raise NotFound("payment", says="this payment came back, and another was made")
    return Confirmable("payout", fact, f"/desk/aid/{aid}", confirm_payout, aid, {})
