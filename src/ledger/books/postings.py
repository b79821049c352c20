"""The accounting manual: which event makes which entry.

Debits are positive and credits negative, so an asset reads as what is held and income as its
opposite. Every entry balances inside each fund that it touches. docs/ACCOUNTING.md is the same as a
table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import Fund
from ledger.aggregates.sales.orders import SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.books.accounts import (
    ADMINISTRATION,
    BANK,
    CASH,
    DONATIONS,
    DUE_FROM_PARTNER,
    FUNDRAISING,
    NET_ASSETS,
    PLATFORMS,
    PRIOR_YEARS,
    PROGRAMME,
    SALES,
    SUSPENSE,
    of_class,
)
from ledger.kernel.aggregate import FACTS, Fact, aggregate_of
from ledger.kernel.names import FundCode
from ledger.kernel.payments import Channel

CHANNELS: Mapping[Channel, str] = {
    "bank": BANK,
    "wechat": PLATFORMS,
    "alipay": PLATFORMS,
    "cash": CASH,
}
"""Where money stands that came in by each channel."""


class Posting(NamedTuple):
    """One line of an entry: ``amount`` fen, positive in debit, negative in credit."""

    account: str
    fund: FundCode
    amount: int


Entry = tuple[tuple[str, FundCode, int], ...]
"""The lines of an entry, each of them a ``Posting`` without its names: a replay takes millions."""


def postings(fact: Fact) -> tuple[Posting, ...]:
    """Return the entry that ``fact`` makes, or nothing if it moves no money.

    Raises:
        LookupError: No rule is written for this kind of event.

    """
    return tuple(map(Posting._make, posting_rule(type(fact))(fact)))


def posting_rule(kind: type[Fact]) -> Callable[[Any], Entry]:
    """Return the rule of what entry facts of this kind make.

    An event of money that this manual does not know is a bug, not a zero.

    Raises:
        LookupError: No rule is written for this kind of event.

    """
    rule = MANUAL.get(kind)
    if rule is not None:
        return rule
    if kind in FACTS.values() and not aggregate_of(kind).MOVES_MONEY:
        return _nothing
    raise LookupError(f"no posting rule for {kind.__qualname__}")


def _move(fund: FundCode, amount: int, *, debit: str, credit: str) -> Entry:
    return (debit, fund, amount), (credit, fund, -amount)


def _nothing(_: Fact) -> Entry:
    return ()


def _payment_received(fact: Donation.PaymentReceived) -> Entry:
    gift = fact.amount - fact.excess
    money = (CHANNELS[fact.channel], fact.fund, fact.amount)
    income = (of_class(DONATIONS, fact.restriction), fact.fund, -gift)
    if not fact.excess:
        return money, income
    waiting = (SUSPENSE, fact.fund, -fact.excess)
    return (money, income, waiting) if gift else (money, waiting)


def _refunded(fact: Donation.Refunded) -> Entry:
    """Owe it first, by cause, then pay it: the payable shows in the books on its way out."""
    entry: Entry = ()
    for part in fact.back:
        if fact.cause == "own_fault":
            debit = of_class(ADMINISTRATION, fact.restriction)
        elif part.prior_year:
            debit = PRIOR_YEARS
        else:
            debit = of_class(DONATIONS, fact.restriction)
        entry += _move(fact.fund, part.amount, debit=debit, credit=SUSPENSE)
        entry += _move(fact.fund, part.amount, debit=SUSPENSE, credit=CHANNELS[part.channel])
    return entry


def _excess_given(fact: Donation.ExcessGiven) -> Entry:
    income = of_class(DONATIONS, fact.restriction)
    return _move(fact.fund, fact.amount, debit=SUSPENSE, credit=income)


def _excess_returned(fact: Donation.ExcessReturned) -> Entry:
    entry: Entry = ()
    for part in fact.back:
        entry += _move(fact.fund, part.amount, debit=SUSPENSE, credit=CHANNELS[part.channel])
    return entry


def _transferred(fact: Fund.Transferred) -> Entry:
    """Balance each side in itself: the cash stays in the same bank account."""
    gives, takes = NET_ASSETS[fact.restriction], NET_ASSETS[fact.to_restriction]
    return (
        *_move(fact.fund, fact.amount, debit=gives, credit=BANK),
        *_move(fact.to, fact.amount, debit=BANK, credit=takes),
    )


def _order_placed(fact: SaleOrder.Placed) -> Entry:
    sales = of_class(SALES, fact.restriction)
    return _move(fact.fund, fact.amount, debit=DUE_FROM_PARTNER, credit=sales)


def _goods_returned(fact: SaleOrder.GoodsReturned) -> Entry:
    sales = of_class(SALES, fact.restriction)
    return _move(fact.fund, fact.refund, debit=sales, credit=DUE_FROM_PARTNER)


def _sale_settled(fact: CharitySale.Settled) -> Entry:
    fees = fact.partner_fee + fact.channel_fee
    if not fees:
        return ()
    fundraising = of_class(FUNDRAISING, fact.restriction)
    return _move(fact.fund, fees, debit=fundraising, credit=DUE_FROM_PARTNER)


def _sale_remitted(fact: CharitySale.Remitted) -> Entry:
    return _move(fact.fund, fact.amount, debit=BANK, credit=DUE_FROM_PARTNER)


def _disbursement_paid(fact: Disbursement.Paid) -> Entry:
    aid = of_class(PROGRAMME, fact.restriction)
    return _move(fact.fund, fact.amount, debit=aid, credit=BANK)


def _disbursement_bounced(fact: Disbursement.Bounced) -> Entry:
    aid = of_class(PROGRAMME, fact.restriction)
    return _move(fact.fund, fact.amount, debit=BANK, credit=aid)


def _disbursement_returned(fact: Disbursement.Returned) -> Entry:
    aid = PRIOR_YEARS if fact.prior_year else of_class(PROGRAMME, fact.restriction)
    return _move(fact.fund, fact.amount, debit=BANK, credit=aid)


MANUAL: Mapping[type[Fact], Callable[[Any], Entry]] = {
    Fund.Opened: _nothing,
    Fund.Frozen: _nothing,
    Fund.Thawed: _nothing,
    Fund.Transferred: _transferred,
    Fund.Closed: _nothing,
    Donation.Pledged: _nothing,
    Donation.PaymentReceived: _payment_received,
    Donation.PaymentConfirmed: _nothing,
    Donation.Withdrawn: _nothing,
    Donation.Refunded: _refunded,
    Donation.ExcessGiven: _excess_given,
    Donation.ExcessReturned: _excess_returned,
    CharitySale.Planned: _nothing,
    CharitySale.Opened: _nothing,
    CharitySale.Ended: _nothing,
    CharitySale.Settled: _sale_settled,
    CharitySale.Remitted: _sale_remitted,
    CharitySale.RemittanceConfirmed: _nothing,
    SaleOrder.Placed: _order_placed,
    SaleOrder.GoodsReturned: _goods_returned,
    Disbursement.Requested: _nothing,
    Disbursement.ApprovalGiven: _nothing,
    Disbursement.Reserved: _nothing,
    Disbursement.Rejected: _nothing,
    Disbursement.Cancelled: _nothing,
    Disbursement.Paid: _disbursement_paid,
    Disbursement.PaymentConfirmed: _nothing,
    Disbursement.Bounced: _disbursement_bounced,
    Disbursement.Acknowledged: _nothing,
    Disbursement.Returned: _disbursement_returned,
}
"""The manual itself: one rule a kind of event."""
