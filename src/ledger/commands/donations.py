"""Commands about a promise, the money that arrives on it, and what goes back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.facts import Cause, Instalment
from ledger.books.tallies import fund_is_open, fund_lets_go, payment_is_new
from ledger.commands.command import Decision, command, step
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import DonationId, DonorId, FundCode
from ledger.kernel.payments import Channel
from ledger.kernel.roles import Role


def _promised_by(*, donor: DonorId, **_: Any) -> DonorId:
    return donor


@command(by=(Role.CLERK, Role.DONOR), owner=_promised_by)
def pledge(
    records: Records,
    act: Act,
    *,
    donor: DonorId,
    fund: FundCode,
    amount: int,
    currency: Currency,
    pledged_on: date,
    instalments: Sequence[Instalment] = (),
    public_promise: bool = False,
    note: str | None = None,
) -> Decision:
    """Record a promise: as a clerk anybody's, as a donor one's own."""
    may_give = records.donors.may_give(donor)
    donation = Donation.pledge(
        act,
        donor=donor,
        fund=records.fund_terms(fund),
        amount=amount,
        currency=currency,
        pledged_on=pledged_on,
        instalments=instalments,
        public_promise=public_promise,
        note=note,
    )
    return Decision(donation, (fund_is_open(fund), may_give))


@command(by=(Role.CASHIER,))
def receive_payment(
    records: Records,
    act: Act,
    donation_id: DonationId,
    *,
    amount: int,
    channel: Channel,
    external_ref: str,
    received_on: date,
) -> Decision:
    """Record money that arrived. The same channel and reference never count twice."""
    donation = records.get(Donation, donation_id)
    repeat = donation.receive(
        act, amount=amount, channel=channel, external_ref=external_ref, received_on=received_on
    )
    expects = (payment_is_new(channel, external_ref), fund_is_open(donation.fund))
    return Decision(donation, expects, repeat)


confirm_payment = step(
    Donation,
    Donation.confirm,
    by=(Role.BOOKKEEPER, Role.TREASURER),
    name="confirm_payment",
    purpose="Record that a payment was found on a statement, by somebody who did not record it.",
)

withdraw_pledge = step(
    Donation,
    Donation.withdraw,
    by=(Role.CLERK, Role.DONOR),
    owner=lambda donation: donation.donor,
    name="withdraw_pledge",
)


@command(by=(Role.TREASURER,))
def refund(
    records: Records,
    act: Act,
    donation_id: DonationId,
    *,
    amount: int,
    cause: Cause,
    reason: str,
    on: date | None = None,
) -> Decision:
    """Send money back the way it came. The cause decides what the books debit."""
    donation = records.get(Donation, donation_id)
    donation.refund(act, amount=amount, cause=cause, reason=reason, on=on or act.today)
    return Decision(donation, fund_lets_go(donation.fund))


@command(by=(Role.CLERK,))
def decide_excess(
    records: Records,
    act: Act,
    donation_id: DonationId,
    *,
    amount: int,
    decision: Literal["give", "return"],
    on: date,
) -> Decision:
    """Record what the donor decided about money paid beyond the promise."""
    donation = records.get(Donation, donation_id)
    if decision == "give":
        donation.give_excess(act, amount=amount, on=on)
    else:
        donation.return_excess(act, amount=amount, on=on)
    return Decision(donation, [fund_is_open(donation.fund)])
