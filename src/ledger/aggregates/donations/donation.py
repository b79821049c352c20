"""Donations: a promise (认捐), the money that follows it, and what goes back.

A promise is no income until money arrives (民间非营利组织会计制度 2024: a pledge is disclosed in
the notes). One made in public must be kept (慈善法 art. 41); any other may be withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Self, TypeAlias

from ledger.aggregates.donations import facts
from ledger.aggregates.donations.facts import INSTALMENTS_MAX, Cause, Instalment
from ledger.aggregates.donations.rules import NothingInSuspense, PublicPromiseBinds
from ledger.aggregates.donations.states import STEPS, DonationState
from ledger.kernel.aggregate import Act, Aggregate, event
from ledger.kernel.confirmations import Confirmation, check_confirmation
from ledger.kernel.errors import Invalid, NotFound, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.money import Currency, Fen, positive
from ledger.kernel.names import DonationId, DonorId
from ledger.kernel.payments import (
    Channel,
    Part,
    Payment,
    PaymentDiffers,
    RefundExceedsReceived,
    back,
    named_payment,
    take,
)
from ledger.kernel.sentences import Sentence, Term
from ledger.kernel.terms import FundTerms
from ledger.kernel.wording import plain, reference


class Donation(Aggregate):
    """One promise to one fund, and everything paid on it."""

    TOPIC = "donation"

    Pledged: TypeAlias = facts.Pledged
    PaymentReceived: TypeAlias = facts.PaymentReceived
    PaymentConfirmed: TypeAlias = facts.PaymentConfirmed
    Withdrawn: TypeAlias = facts.Withdrawn
    Refunded: TypeAlias = facts.Refunded
    ExcessGiven: TypeAlias = facts.ExcessGiven
    ExcessReturned: TypeAlias = facts.ExcessReturned

    @classmethod
    def pledge(  # noqa: PLR0913  # A promise has this many parts.
        cls,
        act: Act,
        *,
        donor: DonorId,
        fund: FundTerms,
        amount: int,
        currency: Currency,
        pledged_on: date,
        instalments: Sequence[Instalment] = (),
        public_promise: bool = False,
        note: str | None = None,
        stream: DonationId | None = None,
    ) -> Self:
        """Promise to give ``amount`` to ``fund``, at once or in instalments."""
        fund.check_currency(currency)
        donation = cls(stream or new_id())
        donation._record(
            cls.Pledged,
            act,
            on=pledged_on,
            donor=donor,
            fund=fund.fund,
            amount=positive(amount),
            currency=currency,
            restriction=fund.restriction,
            instalments=_schedule(amount, pledged_on, instalments),
            public_promise=public_promise,
            note=None if note is None else plain(note, "note"),
        )
        return donation

    def receive(
        self, act: Act, *, amount: int, channel: Channel, external_ref: str, received_on: date
    ) -> int | None:
        """Record money that arrived; return the version of the first record if it is a repeat."""
        amount = positive(amount)
        reference(external_ref)
        known = self.payments.get((channel, external_ref))
        if known is not None:
            if known.amount != amount:
                raise PaymentDiffers(channel, external_ref, known.amount)
            return known.version
        if self.state is DonationState.WITHDRAWN:
            raise self._cannot("payment")
        self._record(
            self.PaymentReceived,
            act,
            on=received_on,
            fund=self.fund,
            restriction=self.restriction,
            amount=amount,
            excess=max(0, amount - self.open),
            currency=self.currency,
            channel=channel,
            external_ref=external_ref,
        )
        return None

    def confirm(
        self, act: Act, *, channel: Channel, external_ref: str, statement_ref: str, on: date
    ) -> int | None:
        """Record that a payment was found on a statement; return the version of a repeat."""
        payment = self.payments.get((channel, external_ref))
        if payment is None:
            raise NotFound("payment", by="channel and reference")
        known = check_confirmation(
            act,
            payment,
            self.confirmed.get((channel, external_ref)),
            named=named_payment(channel, external_ref),
            statement_ref=statement_ref,
            on=on,
        )
        if known is not None:
            return known
        self._record(
            self.PaymentConfirmed,
            act,
            on=on,
            fund=self.fund,
            amount=payment.amount,
            currency=self.currency,
            channel=channel,
            external_ref=external_ref,
            statement_ref=statement_ref,
        )
        return None

    def withdraw(self, act: Act, *, reason: str) -> None:
        """Take back what is still open of a promise that does not bind."""
        if self.state not in {DonationState.PLEDGED, DonationState.PARTIALLY_SETTLED}:
            raise self._cannot("withdrawal")
        if self.public_promise:
            raise PublicPromiseBinds(self.id)
        self._record(
            self.Withdrawn,
            act,
            on=act.today,
            fund=self.fund,
            open=self.open,
            currency=self.currency,
            reason=plain(reason, "reason"),
        )

    def refund(self, act: Act, *, amount: int, cause: Cause, reason: str, on: date) -> None:
        """Send back money that had counted for the fund, newest payment first."""
        amount = positive(amount)
        left = sum(part.left for part in self.kept)
        if left == 0 and self.state is DonationState.PLEDGED:
            raise self._cannot("refund")
        if amount > left:
            raise RefundExceedsReceived(self.id, left=left, wanted=amount)
        self._record(
            self.Refunded,
            act,
            on=on,
            fund=self.fund,
            restriction=self.restriction,
            amount=amount,
            currency=self.currency,
            cause=cause,
            reason=plain(reason, "reason"),
            back=back(self.kept, amount, on.year),
        )

    def give_excess(self, act: Act, *, amount: int, on: date) -> None:
        """Let money that waits in suspense count as a gift, as the donor decided."""
        self._record(
            self.ExcessGiven,
            act,
            on=on,
            fund=self.fund,
            restriction=self.restriction,
            amount=self._waiting(amount),
            currency=self.currency,
        )

    def return_excess(self, act: Act, *, amount: int, on: date) -> None:
        """Send money that waits in suspense back, as the donor decided."""
        amount = self._waiting(amount)
        self._record(
            self.ExcessReturned,
            act,
            on=on,
            fund=self.fund,
            amount=amount,
            currency=self.currency,
            back=back(self.excess, amount, on.year),
        )

    def _waiting(self, amount: int) -> Fen:
        waiting = sum(part.left for part in self.excess)
        if positive(amount) > waiting:
            raise NothingInSuspense(self.id, waiting=waiting, wanted=amount)
        return Fen(amount)

    def _cannot(self, step: Term) -> WrongState:
        thing = Sentence("donation {donation}", donation=self.id)
        return WrongState(step, thing, self.state, STEPS[self.state])

    @event(Pledged)
    def _pledged(self, fact: Pledged) -> None:
        self.fund = fact.fund
        self.donor = fact.donor
        self.restriction = fact.restriction
        self.currency = fact.currency
        self.public_promise = fact.public_promise
        self.open: int = fact.amount
        self.payments: dict[tuple[Channel, str], Payment] = {}
        self.confirmed: dict[tuple[Channel, str], Confirmation] = {}
        self.kept: list[Part] = []
        self.excess: list[Part] = []
        self.state = DonationState.PLEDGED

    @event(PaymentReceived)
    def _payment_received(self, fact: PaymentReceived) -> None:
        kept = fact.amount - fact.excess
        self.open -= kept
        self.payments[fact.channel, fact.external_ref] = Payment(
            fact.originator_version, fact.amount, fact.on, fact.actor
        )
        self.kept.append(Part(fact.channel, fact.on.year, kept))
        self.excess.append(Part(fact.channel, fact.on.year, fact.excess))
        self.state = DonationState.PARTIALLY_SETTLED if self.open else DonationState.FULFILLED

    @event(PaymentConfirmed)
    def _payment_confirmed(self, fact: PaymentConfirmed) -> None:
        confirmation = Confirmation(fact.originator_version, fact.statement_ref)
        self.confirmed[fact.channel, fact.external_ref] = confirmation

    @event(Withdrawn)
    def _withdrawn(self, _: Withdrawn) -> None:
        self.open = 0
        self.state = DonationState.WITHDRAWN

    @event(Refunded)
    def _refunded(self, fact: Refunded) -> None:
        take(self.kept, fact.amount)

    @event(ExcessReturned)
    def _excess_returned(self, fact: ExcessReturned) -> None:
        take(self.excess, fact.amount)

    @event(ExcessGiven)
    def _excess_given(self, fact: ExcessGiven) -> None:
        """Let it count since this year, whenever it came: this is the year of its income."""
        given = take(self.excess, fact.amount)
        self.kept += [Part(part.channel, fact.on.year, part.left) for part in reversed(given)]


def _schedule(
    amount: int, pledged_on: date, instalments: Sequence[Instalment]
) -> tuple[Instalment, ...]:
    if not instalments:
        return ()
    if len(instalments) > INSTALMENTS_MAX:
        raise Invalid("instalments", "must be at most {most}", most=INSTALMENTS_MAX)
    for each in instalments:
        positive(each.amount, "instalments")
        if each.due_on < pledged_on:
            raise Invalid("instalments", "{on} is before the day of the pledge", on=each.due_on)
    total = sum(each.amount for each in instalments)
    if total != amount:
        raise Invalid(
            "instalments",
            "add up to {total} fen, not to the {amount} promised",
            total=total,
            amount=amount,
        )
    return in_order(instalments)


def in_order(instalments: Sequence[Instalment]) -> tuple[Instalment, ...]:
    """Return ``instalments`` in the order in which they are due."""
    return tuple(sorted(instalments, key=lambda each: each.due_on))
