"""What an event does to the figures by which people know a fund.

The entry says what moved between accounts; these columns say what it meant: promised, arrived, set
aside, paid out, signed for. Both are pure functions of one event, and ``tests`` hold them to each
other: money arrived and not paid out is what the fund's money accounts hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from ledger.aggregate import Fact
from ledger.disbursements import Disbursement
from ledger.donations import Donation
from ledger.funds import Fund
from ledger.names import FundCode
from ledger.orders import SaleOrder
from ledger.sales import CharitySale


class Movement(Struct, frozen=True):
    """How one fund's figures change, in fen.

    Attributes:
        received: Money that arrived and counts for the fund, net of what went back to donors.
        reserved: Set aside for approved disbursements.
        paid: Paid out to payees, net of what came back.
        acknowledged: Paid, and signed for by the payee.
        pledged: Promised and not yet received.
        suspense: Arrived beyond a promise; not the fund's until the donor says so.
        receivable: Due from a sale partner.

    """

    fund: FundCode
    received: int = 0
    reserved: int = 0
    paid: int = 0
    acknowledged: int = 0
    pledged: int = 0
    suspense: int = 0
    receivable: int = 0

    @property
    def available(self) -> int:
        """What may still be set aside, refunded or transferred changes by so much."""
        return self.received - self.paid - self.reserved


COLUMNS = Movement.__struct_fields__[1:]
"""The figures kept for each fund."""


class Figures(Struct):
    """Where a fund's figures stand, or what a day added to them, in fen.

    The columns are those of ``Movement``; they are written out because every replayed event
    passes here.
    """

    received: int = 0
    reserved: int = 0
    paid: int = 0
    acknowledged: int = 0
    pledged: int = 0
    suspense: int = 0
    receivable: int = 0

    def add(self, change: Movement | Figures) -> None:
        """Take in a change."""
        self.received += change.received
        self.reserved += change.reserved
        self.paid += change.paid
        self.acknowledged += change.acknowledged
        self.pledged += change.pledged
        self.suspense += change.suspense
        self.receivable += change.receivable

    @property
    def available(self) -> int:
        """What may still be set aside, refunded or transferred."""
        return self.received - self.paid - self.reserved


def movements(fact: Fact) -> tuple[Movement, ...]:
    """Return how ``fact`` changes the figures of each fund that it touches."""
    rule = _RULES.get(type(fact))
    return rule(fact) if rule else ()


def _payment_received(fact: Donation.PaymentReceived) -> tuple[Movement, ...]:
    gift = fact.amount - fact.excess
    return (Movement(fact.fund, received=gift, pledged=-gift, suspense=fact.excess),)


def _transferred(fact: Fund.Transferred) -> tuple[Movement, ...]:
    return (
        Movement(fact.fund, received=-fact.amount),
        Movement(fact.to, received=fact.amount),
    )


def _settled(fact: CharitySale.Settled) -> tuple[Movement, ...]:
    return (Movement(fact.fund, receivable=-fact.partner_fee - fact.channel_fee),)


def _returned(fact: Disbursement.Returned) -> tuple[Movement, ...]:
    signed_for = fact.amount if fact.acknowledged else 0
    return (Movement(fact.fund, paid=-fact.amount, acknowledged=-signed_for),)


_RULES: Mapping[type[Fact], Callable[[Any], tuple[Movement, ...]]] = {
    Fund.Transferred: _transferred,
    Donation.Pledged: lambda fact: (Movement(fact.fund, pledged=fact.amount),),
    Donation.PaymentReceived: _payment_received,
    Donation.Withdrawn: lambda fact: (Movement(fact.fund, pledged=-fact.open),),
    Donation.Refunded: lambda fact: (Movement(fact.fund, received=-fact.amount),),
    Donation.ExcessGiven: lambda fact: (
        Movement(fact.fund, received=fact.amount, suspense=-fact.amount),
    ),
    Donation.ExcessReturned: lambda fact: (Movement(fact.fund, suspense=-fact.amount),),
    SaleOrder.Placed: lambda fact: (Movement(fact.fund, receivable=fact.amount),),
    SaleOrder.GoodsReturned: lambda fact: (Movement(fact.fund, receivable=-fact.refund),),
    CharitySale.Settled: _settled,
    CharitySale.Remitted: lambda fact: (
        Movement(fact.fund, received=fact.amount, receivable=-fact.amount),
    ),
    Disbursement.Reserved: lambda fact: (Movement(fact.fund, reserved=fact.amount),),
    Disbursement.Cancelled: lambda fact: (Movement(fact.fund, reserved=-fact.released),),
    Disbursement.Paid: lambda fact: (Movement(fact.fund, reserved=-fact.amount, paid=fact.amount),),
    Disbursement.Bounced: lambda fact: (
        Movement(fact.fund, reserved=fact.amount, paid=-fact.amount),
    ),
    Disbursement.Acknowledged: lambda fact: (Movement(fact.fund, acknowledged=fact.amount),),
    Disbursement.Returned: _returned,
}
