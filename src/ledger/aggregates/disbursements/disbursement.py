"""Disbursements (拨付): money to those it was given for, which no one person can send alone.

Who asks, who approves, who pays and who checks that against the bank are kept apart by
``ledger.kernel.duties``. An approval binds the amount, the payee and the fund; none of them can
change after the request.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Self, TypeAlias

from ledger.aggregates.disbursements import facts
from ledger.aggregates.disbursements.facts import PayeeKind
from ledger.aggregates.disbursements.states import STEPS
from ledger.aggregates.disbursements.states import DisbursementState as S
from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.confirmations import Confirmation, confirmed_before, not_before_payment
from ledger.kernel.duties import Duty, keep_apart
from ledger.kernel.errors import Refused, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.money import Amount, Currency, positive
from ledger.kernel.names import PartyId, PersonId
from ledger.kernel.sentences import Sentence
from ledger.kernel.terms import FundTerms, Ties
from ledger.kernel.wording import plain, reference


class ReturnExceedsPaid(Refused):
    """No more comes back from a payee than was paid."""

    says = "the payee of disbursement {disbursement} holds {held} yuan, not {amount}"

    def __init__(self, disbursement: object, *, held: int, amount: int) -> None:
        super().__init__(disbursement=disbursement, held=Amount(held), amount=Amount(amount))


class ReturnDiffers(Refused):
    """One reference is one return, and says one amount."""

    says = "return {external_ref} is already recorded, with {amount} yuan"

    def __init__(self, external_ref: str, amount: int) -> None:
        super().__init__(external_ref=external_ref, amount=Amount(amount))


class Disbursement(Aggregate):
    """One payment: asked for, approved by two other people, paid, and acknowledged."""

    TOPIC = "disbursement"

    Requested: TypeAlias = facts.Requested
    ApprovalGiven: TypeAlias = facts.ApprovalGiven
    Reserved: TypeAlias = facts.Reserved
    Rejected: TypeAlias = facts.Rejected
    Cancelled: TypeAlias = facts.Cancelled
    Paid: TypeAlias = facts.Paid
    PaymentConfirmed: TypeAlias = facts.PaymentConfirmed
    Bounced: TypeAlias = facts.Bounced
    Acknowledged: TypeAlias = facts.Acknowledged
    Returned: TypeAlias = facts.Returned

    @classmethod
    def request(  # noqa: PLR0913  # What two people are to approve has this many parts.
        cls,
        act: Act,
        *,
        fund: FundTerms,
        payee_kind: PayeeKind,
        payee: PartyId,
        payee_name: str | None,
        amount: int,
        currency: Currency,
        purpose: str,
        requested_on: date,
        grid: str | None = None,
    ) -> Self:
        """Ask for aid out of a fund."""
        fund.check_currency(currency)
        disbursement = cls(new_id())
        disbursement._record(
            cls.Requested,
            act,
            on=requested_on,
            fund=fund.fund,
            restriction=fund.restriction,
            payee_kind=payee_kind,
            payee=payee,
            payee_name=None if payee_name is None else plain(payee_name, "payee"),
            amount=positive(amount),
            currency=currency,
            purpose=plain(purpose, "purpose"),
            grid=None if grid is None else plain(grid, "grid"),
        )
        return disbursement

    def approve(self, act: Act, *, on: date, needed: int, ties: Ties) -> None:
        """Agree. The last agreement needed sets the money aside.

        Args:
            act: Whose agreement it is.
            on: The business day of it.
            needed: How many people the rule asks for.
            ties: To whom the actor is related.

        """
        hands = dict(self.hands)
        if ties.bind(self.payee, self.payee_name):
            hands[Duty.RELATION] = frozenset({act.actor})
        keep_apart(Duty.APPROVAL, act.actor, hands, self._named)
        self._must_be("approval", S.REQUESTED, S.PARTLY_APPROVED)
        self._note(self.ApprovalGiven, act, on=on, payee=self.payee, amount=self.amount)
        if len(self.hands[Duty.APPROVAL]) >= needed:
            self._note(self.Reserved, act, on=on, amount=self.amount, approvals=needed)

    def reject(self, act: Act, *, reason: str) -> None:
        """Turn the request down."""
        self._must_be("rejection", S.REQUESTED, S.PARTLY_APPROVED)
        reason = plain(reason, "reason")
        self._record(self.Rejected, act, on=act.today, fund=self.fund, reason=reason)

    def cancel(self, act: Act, *, reason: str) -> None:
        """Call the request off, and set free what was set aside for it."""
        self._must_be("cancellation", S.REQUESTED, S.PARTLY_APPROVED, S.APPROVED)
        self._note(
            self.Cancelled,
            act,
            on=act.today,
            released=self.amount if self.state is S.APPROVED else 0,
            reason=plain(reason, "reason"),
        )

    def pay(self, act: Act, *, external_ref: str, paid_on: date) -> None:
        """Record that the bank sent the money."""
        keep_apart(Duty.PAYMENT, act.actor, self.hands, self._named)
        self._must_be("payment", S.APPROVED)
        self._note(
            self.Paid,
            act,
            on=paid_on,
            restriction=self.restriction,
            amount=self.amount,
            external_ref=reference(external_ref),
        )

    def confirm(self, act: Act, *, statement_ref: str, on: date) -> int | None:
        """Record that the payment was found on a statement; return the version of a repeat."""
        keep_apart(Duty.CONFIRMATION, act.actor, self.hands, self._payment)
        self._must_be("confirmation", S.PAID, S.ACKNOWLEDGED, S.RETURNED)
        name = Sentence("payment {external_ref}", external_ref=self.paid_by_ref)
        known = confirmed_before(self.confirmed, name, statement_ref)
        if known is not None:
            return known
        not_before_payment(on, self.paid_on)
        self._note(
            self.PaymentConfirmed,
            act,
            on=on,
            amount=self.amount,
            external_ref=self.paid_by_ref,
            statement_ref=statement_ref,
        )
        return None

    def bounce(self, act: Act, *, reason: str, on: date) -> None:
        """Record that the money came back undelivered. A second payment may follow."""
        self._must_be("bounce", S.PAID)
        if self.held != self.amount:
            raise ReturnExceedsPaid(self.id, held=self.held, amount=self.amount)
        not_before_payment(on, self.paid_on)
        self._note(
            self.Bounced,
            act,
            on=on,
            restriction=self.restriction,
            amount=self.amount,
            reason=plain(reason, "reason"),
        )

    def acknowledge(self, act: Act, *, by: PartyId, on: date) -> None:
        """Record that the payee signed for what they hold."""
        self._must_be("acknowledgement", S.PAID)
        not_before_payment(on, self.paid_on)
        self._note(self.Acknowledged, act, on=on, amount=self.held, by=by)

    def take_back(
        self, act: Act, *, amount: int, external_ref: str, received_on: date
    ) -> int | None:
        """Record money that the payee gave back; return the first record's version of a repeat."""
        amount = positive(amount)
        reference(external_ref)
        known = self.returns.get(external_ref)
        if known is not None:
            version, recorded = known
            if recorded != amount:
                raise ReturnDiffers(external_ref, recorded)
            return version
        self._must_be("return", S.PAID, S.ACKNOWLEDGED)
        if amount > self.held:
            raise ReturnExceedsPaid(self.id, held=self.held, amount=amount)
        not_before_payment(received_on, self.paid_on, "received_on")
        self._note(
            self.Returned,
            act,
            on=received_on,
            restriction=self.restriction,
            amount=amount,
            external_ref=external_ref,
            prior_year=self.paid_on.year < received_on.year,
            acknowledged=self.state is S.ACKNOWLEDGED,
        )
        return None

    @property
    def _named(self) -> Sentence:
        return Sentence("disbursement {disbursement}", disbursement=self.id)

    @property
    def _payment(self) -> Sentence:
        return Sentence("the payment of disbursement {disbursement}", disbursement=self.id)

    def _note(self, kind: type[Fact], act: Act, *, on: date, **fields: Any) -> None:
        """Record something about money of this fund."""
        self._record(kind, act, on=on, fund=self.fund, currency=self.currency, **fields)

    def _must_be(self, step: str, *states: S) -> None:
        if self.state not in states:
            raise WrongState(step, self._named, self.state, STEPS.get(self.state, ()))

    @event(Requested)
    def _requested(self, fact: Requested) -> None:
        self.fund = fact.fund
        self.restriction = fact.restriction
        self.payee = fact.payee
        self.payee_name = fact.payee_name
        self.amount = fact.amount
        self.currency = fact.currency
        self.hands: dict[Duty, frozenset[PersonId]] = {
            Duty.REQUEST: frozenset({fact.actor}),
            Duty.APPROVAL: frozenset(),
        }
        self.confirmed: Confirmation | None = None
        self.held: int = 0
        self.returns: dict[str, tuple[int, int]] = {}
        self.state = S.REQUESTED

    @event(ApprovalGiven)
    def _approval_given(self, fact: ApprovalGiven) -> None:
        self.hands[Duty.APPROVAL] |= {fact.actor}
        self.state = S.PARTLY_APPROVED

    @event(Reserved)
    def _reserved(self, _: Reserved) -> None:
        self.state = S.APPROVED

    @event(Rejected)
    def _rejected(self, _: Rejected) -> None:
        self.state = S.REJECTED

    @event(Cancelled)
    def _cancelled(self, _: Cancelled) -> None:
        self.state = S.CANCELLED

    @event(Paid)
    def _paid(self, fact: Paid) -> None:
        self.hands[Duty.PAYMENT] = frozenset({fact.actor})
        self.held = fact.amount
        self.paid_on = fact.on
        self.paid_by_ref = fact.external_ref
        self.state = S.PAID

    @event(PaymentConfirmed)
    def _payment_confirmed(self, fact: PaymentConfirmed) -> None:
        self.confirmed = Confirmation(fact.originator_version, fact.statement_ref)

    @event(Bounced)
    def _bounced(self, _: Bounced) -> None:
        self.confirmed = None
        self.held = 0
        self.state = S.APPROVED

    @event(Acknowledged)
    def _acknowledged(self, _: Acknowledged) -> None:
        self.state = S.ACKNOWLEDGED

    @event(Returned)
    def _returned(self, fact: Returned) -> None:
        self.held -= fact.amount
        if not self.held:
            self.state = S.RETURNED
        self.returns[fact.external_ref] = (fact.originator_version, fact.amount)
