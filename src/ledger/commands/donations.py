"""What donors, and those who keep the books for them, can do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from ledger.aggregates.donations.donation import Cause, Donation, Instalment
from ledger.books.tallies import fund_is_open, fund_lets_go, payment_is_new
from ledger.commands.application import Decision
from ledger.commands.donors import DonorCommands
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import DonationId, DonorId, FundCode
from ledger.kernel.payments import Channel


class DonationCommands(DonorCommands):
    """Pledge, receive, confirm, withdraw, refund."""

    def pledge(  # noqa: PLR0913  # A promise has this many parts.
        self,
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
        """Record a donor's promise to a fund."""
        giving = self.giving(donor)
        donation = Donation.pledge(
            act,
            donor=donor,
            fund=self.fund_terms(fund),
            amount=amount,
            currency=currency,
            pledged_on=pledged_on,
            instalments=instalments,
            public_promise=public_promise,
            note=note,
        )
        return Decision(donation, (fund_is_open(fund), giving))

    def receive_payment(  # noqa: PLR0913  # What a bank line says.
        self,
        act: Act,
        donation_id: DonationId,
        *,
        amount: int,
        channel: Channel,
        external_ref: str,
        received_on: date,
    ) -> Decision:
        """Record money that arrived on a promise. The same payment is never counted twice."""
        donation = self.donation(donation_id)
        repeat = donation.receive(
            act,
            amount=amount,
            channel=channel,
            external_ref=external_ref,
            received_on=received_on,
        )
        expects = (payment_is_new(channel, external_ref), fund_is_open(donation.fund))
        return Decision(donation, expects, repeat)

    def confirm_payment(  # noqa: PLR0913  # Which payment, and where it was found.
        self,
        act: Act,
        donation_id: DonationId,
        *,
        channel: Channel,
        external_ref: str,
        statement_ref: str,
        on: date,
    ) -> Decision:
        """Record that a payment was found on the bank's or platform's statement."""
        donation = self.donation(donation_id)
        repeat = donation.confirm(
            act, channel=channel, external_ref=external_ref, statement_ref=statement_ref, on=on
        )
        return Decision(donation, repeat_of=repeat)

    def withdraw_pledge(self, act: Act, donation_id: DonationId, *, reason: str) -> Decision:
        """Take back what is still open of a promise."""
        donation = self.donation(donation_id)
        donation.withdraw(act, reason=reason)
        return Decision(donation)

    def refund(  # noqa: PLR0913  # How much, why, and when.
        self,
        act: Act,
        donation_id: DonationId,
        *,
        amount: int,
        cause: Cause,
        reason: str,
        on: date | None = None,
    ) -> Decision:
        """Send money back to its donor, today unless said otherwise."""
        donation = self.donation(donation_id)
        donation.refund(act, amount=amount, cause=cause, reason=reason, on=on or act.today)
        return Decision(donation, fund_lets_go(donation.fund))

    def decide_excess(
        self,
        act: Act,
        donation_id: DonationId,
        *,
        amount: int,
        decision: Literal["give", "return"],
        on: date,
    ) -> Decision:
        """Record what the donor decided about money paid beyond the promise."""
        donation = self.donation(donation_id)
        if decision == "give":
            donation.give_excess(act, amount=amount, on=on)
        else:
            donation.return_excess(act, amount=amount, on=on)
        return Decision(donation, [fund_is_open(donation.fund)])
