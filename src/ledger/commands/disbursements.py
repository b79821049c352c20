"""What it takes for money to reach those it was given for."""

from __future__ import annotations

from datetime import date

from ledger.aggregates.disbursements.disbursement import Disbursement, PayeeKind
from ledger.books.tallies import fund_is_open, fund_lets_go
from ledger.commands.application import Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import DisbursementId, FundCode, PartyId


class DisbursementCommands(Records):
    """Request, approve, reject, cancel, pay, confirm, bounce, acknowledge, take back."""

    def request_aid(  # noqa: PLR0913  # What two people are to approve has this many parts.
        self,
        act: Act,
        *,
        fund: FundCode,
        payee_kind: PayeeKind,
        payee: PartyId,
        payee_name: str | None,
        amount: int,
        currency: Currency,
        purpose: str,
        requested_on: date,
        grid: str | None = None,
    ) -> Decision:
        """Ask for aid out of a fund."""
        wanted = Disbursement.request(
            act,
            fund=self.fund_terms(fund),
            payee_kind=payee_kind,
            payee=payee,
            payee_name=payee_name,
            amount=amount,
            currency=currency,
            purpose=purpose,
            requested_on=requested_on,
            grid=grid,
        )
        return Decision(wanted, [fund_is_open(fund)])

    def approve(self, act: Act, disbursement_id: DisbursementId, *, on: date) -> Decision:
        """Agree to a disbursement. The last agreement that the rule asks for sets it aside."""
        wanted = self.disbursement(disbursement_id)
        needed = self.approval_policy().needed(wanted.amount, on=on, today=act.today)
        wanted.approve(act, on=on, needed=needed, ties=self.relations(act.actor).ties)
        return Decision(wanted, fund_lets_go(wanted.fund))

    def reject(self, act: Act, disbursement_id: DisbursementId, *, reason: str) -> Decision:
        """Turn a request down."""
        wanted = self.disbursement(disbursement_id)
        wanted.reject(act, reason=reason)
        return Decision(wanted)

    def cancel(self, act: Act, disbursement_id: DisbursementId, *, reason: str) -> Decision:
        """Call a request off."""
        wanted = self.disbursement(disbursement_id)
        wanted.cancel(act, reason=reason)
        return Decision(wanted)

    def pay(
        self, act: Act, disbursement_id: DisbursementId, *, external_ref: str, paid_on: date
    ) -> Decision:
        """Record that the bank sent the money."""
        wanted = self.disbursement(disbursement_id)
        wanted.pay(act, external_ref=external_ref, paid_on=paid_on)
        return Decision(wanted, fund_lets_go(wanted.fund))

    def confirm_payout(
        self, act: Act, disbursement_id: DisbursementId, *, statement_ref: str, on: date
    ) -> Decision:
        """Record that the payment was found on the bank's statement."""
        wanted = self.disbursement(disbursement_id)
        repeat = wanted.confirm(act, statement_ref=statement_ref, on=on)
        return Decision(wanted, repeat_of=repeat)

    def bounce(
        self, act: Act, disbursement_id: DisbursementId, *, reason: str, on: date
    ) -> Decision:
        """Record that the money came back undelivered."""
        wanted = self.disbursement(disbursement_id)
        wanted.bounce(act, reason=reason, on=on)
        return Decision(wanted, [fund_is_open(wanted.fund)])

    def acknowledge(
        self, act: Act, disbursement_id: DisbursementId, *, by: PartyId, on: date
    ) -> Decision:
        """Record that the payee signed for the money."""
        wanted = self.disbursement(disbursement_id)
        wanted.acknowledge(act, by=by, on=on)
        return Decision(wanted)

    def take_back(  # What a bank line says.
        self,
        act: Act,
        disbursement_id: DisbursementId,
        *,
        amount: int,
        external_ref: str,
        received_on: date,
    ) -> Decision:
        """Record money that the payee gave back."""
        wanted = self.disbursement(disbursement_id)
        repeat = wanted.take_back(
            act, amount=amount, external_ref=external_ref, received_on=received_on
        )
        return Decision(wanted, [fund_is_open(wanted.fund)], repeat)
