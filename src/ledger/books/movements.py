"""Movements: the changes that an event makes to the figures of funds.

The entry says what moved between accounts; these columns say what it meant: promised, arrived, set
aside, paid out, signed for. Both are pure functions of one event, and ``tests`` hold them to each
other: money arrived and not paid out is what the fund's money accounts hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import Fund
from ledger.aggregates.sales.orders import SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import FundCode


class Movement(Struct, frozen=True):
    """One fund's change of figures, in fen.

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
    """A fund's figures, or a day's changes to them, in fen.

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


Change = tuple[str, FundCode, int]
"""One figure, of one fund, and by how many fen it changes."""


def movements(fact: Fact) -> tuple[Movement, ...]:
    """Return how ``fact`` changes the figures of each fund that it touches."""
    figures: dict[FundCode, dict[str, int]] = {}
    for figure, fund, change in moves(type(fact))(fact):
        figures.setdefault(fund, {})[figure] = change
    return tuple(Movement(fund, **changes) for fund, changes in figures.items())


def moves(kind: type[Fact]) -> Callable[[Any], tuple[Change, ...]]:
    """Return the rule of what facts of this kind change, figure by figure."""
    return _RULES.get(kind, _nothing)


def _nothing(_: Fact) -> tuple[Change, ...]:
    return ()


def _payment_received(fact: Donation.PaymentReceived) -> tuple[Change, ...]:
    gift = fact.amount - fact.excess
    counted = ("received", fact.fund, gift), ("pledged", fact.fund, -gift)
    return (*counted, ("suspense", fact.fund, fact.excess)) if fact.excess else counted


def _returned(fact: Disbursement.Returned) -> tuple[Change, ...]:
    signed_for = fact.amount if fact.acknowledged else 0
    return ("paid", fact.fund, -fact.amount), ("acknowledged", fact.fund, -signed_for)


_RULES: Mapping[type[Fact], Callable[[Any], tuple[Change, ...]]] = {
    Fund.Transferred: lambda fact: (
        ("received", fact.fund, -fact.amount),
        ("received", fact.to, fact.amount),
    ),
    Donation.Pledged: lambda fact: (("pledged", fact.fund, fact.amount),),
    Donation.PaymentReceived: _payment_received,
    Donation.Withdrawn: lambda fact: (("pledged", fact.fund, -fact.open),),
    Donation.Refunded: lambda fact: (("received", fact.fund, -fact.amount),),
    Donation.ExcessGiven: lambda fact: (
        ("received", fact.fund, fact.amount),
        ("suspense", fact.fund, -fact.amount),
    ),
    Donation.ExcessReturned: lambda fact: (("suspense", fact.fund, -fact.amount),),
    SaleOrder.Placed: lambda fact: (("receivable", fact.fund, fact.amount),),
    SaleOrder.GoodsReturned: lambda fact: (("receivable", fact.fund, -fact.refund),),
    CharitySale.Settled: lambda fact: (
        ("receivable", fact.fund, -fact.partner_fee - fact.channel_fee),
    ),
    CharitySale.Remitted: lambda fact: (
        ("received", fact.fund, fact.amount),
        ("receivable", fact.fund, -fact.amount),
    ),
    Disbursement.Reserved: lambda fact: (("reserved", fact.fund, fact.amount),),
    Disbursement.Cancelled: lambda fact: (("reserved", fact.fund, -fact.released),),
    Disbursement.Paid: lambda fact: (
        ("reserved", fact.fund, -fact.amount),
        ("paid", fact.fund, fact.amount),
    ),
    Disbursement.Bounced: lambda fact: (
        ("reserved", fact.fund, fact.amount),
        ("paid", fact.fund, -fact.amount),
    ),
    Disbursement.Acknowledged: lambda fact: (("acknowledged", fact.fund, fact.amount),),
    Disbursement.Returned: _returned,
}
"""What each kind of event changes, figure by figure; a kind that is not here changes none."""
