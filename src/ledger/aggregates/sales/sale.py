"""Charity sales (义卖): goods given to be sold, by a partner who collects and remits the money.

Viewers may return what they bought within seven days without a reason (消费者权益保护法 art. 25),
so a sale is settled only after its return window. The partner may hold nothing back but the fees
agreed beforehand: all receipts belong in the charity's account (慈善法 art. 26).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Self, TypeAlias

from ledger.aggregates.sales import facts
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.rules import (
    RemittanceDiffers,
    RemittanceExceedsOutstanding,
    ReturnWindowOpen,
)
from ledger.aggregates.sales.settlements import SettlementMismatch, Statement
from ledger.aggregates.sales.states import STEPS, SaleState
from ledger.kernel.aggregate import Act, Aggregate, event
from ledger.kernel.confirmations import Confirmation, check_confirmation
from ledger.kernel.errors import Invalid, NotFound, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.money import BASIS_POINTS, Fen, fee, positive
from ledger.kernel.names import SaleId
from ledger.kernel.payments import Payment
from ledger.kernel.sentences import Sentence
from ledger.kernel.terms import UNITS_MAX, FundTerms, SaleTerms
from ledger.kernel.wording import plain, printable, reference

ITEMS_MAX = 1000
"""Lines of a catalogue. A shopping channel shows a few dozen."""

RETURN_DAYS_MAX = 90

LAST_DAY_MAX = date(2999, 12, 31)
"""A later last day would have a return window that no calendar has."""


class CharitySale(Aggregate):
    """One sale from its plan to the last remittance. Its orders are streams of their own."""

    TOPIC = "sale"

    Planned: TypeAlias = facts.Planned
    Opened: TypeAlias = facts.Opened
    Ended: TypeAlias = facts.Ended
    Settled: TypeAlias = facts.Settled
    Remitted: TypeAlias = facts.Remitted
    RemittanceConfirmed: TypeAlias = facts.RemittanceConfirmed

    @classmethod
    def plan(  # noqa: PLR0913  # The plan of Charity Law art. 24 has this many parts.
        cls,
        act: Act,
        *,
        name: str,
        fund: FundTerms,
        partner: str,
        starts_on: date,
        ends_on: date,
        return_days: int,
        partner_fee_bp: int,
        channel_fee_bp: int,
        items: Sequence[Item],
        plan_filing: str | None = None,
    ) -> Self:
        """Agree on a sale for the good of ``fund``."""
        if ends_on > LAST_DAY_MAX:
            raise Invalid("ends_on", "must not be later than {last}", last=LAST_DAY_MAX)
        if ends_on < starts_on:
            raise Invalid(
                "ends_on",
                "{on} is before the first day, {starts_on}",
                on=ends_on,
                starts_on=starts_on,
            )
        if not 0 <= return_days <= RETURN_DAYS_MAX:
            raise Invalid(
                "return_days", "must be from {least} to {most}", least=0, most=RETURN_DAYS_MAX
            )
        if (
            partner_fee_bp < 0
            or channel_fee_bp < 0
            or partner_fee_bp + channel_fee_bp >= BASIS_POINTS
        ):
            raise Invalid("partner_fee_bp", "the fees must leave something for the fund")
        sale = cls(new_id())
        sale._record(
            cls.Planned,
            act,
            on=act.today,
            name=plain(name, "name"),
            fund=fund.fund,
            restriction=fund.restriction,
            currency=fund.currency,
            partner=plain(partner, "partner"),
            starts_on=starts_on,
            ends_on=ends_on,
            return_days=return_days,
            partner_fee_bp=partner_fee_bp,
            channel_fee_bp=channel_fee_bp,
            items=_catalogue(items),
            plan_filing=None if plan_filing is None else plain(plan_filing, "plan_filing"),
        )
        return sale

    def open(self, act: Act, *, on: date) -> None:
        """Begin to take orders."""
        self.must_be("opening", SaleState.PLANNED)
        self._record(self.Opened, act, on=on, fund=self.fund)

    def end(self, act: Act, *, on: date) -> None:
        """Stop selling; returns are taken for as long as the plan says."""
        self.must_be("ending", SaleState.OPEN)
        if on < self.opened_on:
            raise Invalid(
                "on", "{on} is before the opening, {opened_on}", on=on, opened_on=self.opened_on
            )
        self._record(self.Ended, act, on=on, fund=self.fund)

    def settle(
        self, act: Act, theirs: Statement, *, gross: int, refunds: int, agreed_on: date
    ) -> None:
        """Agree with the partner's statement, given what our orders and returns add up to."""
        self.must_be("settlement", SaleState.ENDED)
        if agreed_on <= self.last_return_day:
            raise ReturnWindowOpen(self.id, self.last_return_day)
        ours = self.statement(gross=gross, refunds=refunds)
        differing = theirs.differs_from(ours)
        if differing:
            raise SettlementMismatch(self.id, differing)
        self._record(
            self.Settled,
            act,
            on=agreed_on,
            fund=self.fund,
            restriction=self.restriction,
            currency=self.currency,
            gross=ours.gross,
            refunds=ours.refunds,
            partner_fee=ours.partner_fee,
            channel_fee=ours.channel_fee,
            net_proceeds=ours.net_proceeds,
        )

    def remit(self, act: Act, *, amount: int, external_ref: str, received_on: date) -> int | None:
        """Record money from the partner; return the version of the first record of a repeat."""
        amount = positive(amount)
        reference(external_ref)
        known = self.remittances.get(external_ref)
        if known is not None:
            if known.amount != amount:
                raise RemittanceDiffers(external_ref, known.amount)
            return known.version
        self.must_be("remittance", SaleState.SETTLED)
        if amount > self.outstanding:
            raise RemittanceExceedsOutstanding(self.id, outstanding=self.outstanding, amount=amount)
        self._record(
            self.Remitted,
            act,
            on=received_on,
            fund=self.fund,
            amount=amount,
            currency=self.currency,
            external_ref=external_ref,
        )
        return None

    def confirm(self, act: Act, *, external_ref: str, statement_ref: str, on: date) -> int | None:
        """Record that a remittance was found on a statement; return the version of a repeat."""
        remittance = self.remittances.get(external_ref)
        if remittance is None:
            raise NotFound("remittance", by="reference")
        known = check_confirmation(
            act,
            remittance,
            self.confirmed.get(external_ref),
            named=Sentence("remittance {external_ref}", external_ref=external_ref),
            statement_ref=statement_ref,
            on=on,
        )
        if known is not None:
            return known
        self._record(
            self.RemittanceConfirmed,
            act,
            on=on,
            fund=self.fund,
            amount=remittance.amount,
            currency=self.currency,
            external_ref=external_ref,
            statement_ref=statement_ref,
        )
        return None

    def statement(self, *, gross: int, refunds: int) -> Statement:
        """Return our own account. Fees are on what stayed sold, half a fen rounded up."""
        net_sales = gross - refunds
        partner_fee = fee(net_sales, self.partner_fee_bp)
        channel_fee = fee(net_sales, self.channel_fee_bp)
        return Statement(
            gross=gross,
            refunds=refunds,
            partner_fee=partner_fee,
            channel_fee=channel_fee,
            net_proceeds=net_sales - partner_fee - channel_fee,
        )

    @property
    def last_return_day(self) -> date:
        """The last day on which goods can be returned."""
        return self.last_day + timedelta(days=self.return_days)

    @property
    def terms(self) -> SaleTerms:
        """What its orders and returns are held to."""
        fund = FundTerms(self.fund, self.restriction, self.currency)
        return SaleTerms(SaleId(self.id), fund, self.prices, self.last_return_day)

    def must_be(self, step: str, *states: SaleState) -> None:
        """Refuse a step that does not belong to any of ``states``."""
        if self.state not in states:
            thing = Sentence("sale {sale}", sale=self.id)
            raise WrongState(step, thing, self.state, STEPS[self.state])

    @event(Planned)
    def _planned(self, fact: Planned) -> None:
        self.fund = fact.fund
        self.restriction = fact.restriction
        self.currency = fact.currency
        self.last_day = fact.ends_on
        self.return_days = fact.return_days
        self.partner_fee_bp = fact.partner_fee_bp
        self.channel_fee_bp = fact.channel_fee_bp
        self.prices: Mapping[str, Fen] = {each.sku: each.unit_price for each in fact.items}
        self.remittances: dict[str, Payment] = {}
        self.confirmed: dict[str, Confirmation] = {}
        self.outstanding = 0
        self.state = SaleState.PLANNED

    @event(Opened)
    def _opened(self, fact: Opened) -> None:
        self.opened_on = fact.on
        self.state = SaleState.OPEN

    @event(Ended)
    def _ended(self, fact: Ended) -> None:
        self.last_day = fact.on
        self.state = SaleState.ENDED

    @event(Settled)
    def _settled(self, fact: Settled) -> None:
        self.outstanding = fact.net_proceeds
        self.state = SaleState.SETTLED

    @event(Remitted)
    def _remitted(self, fact: Remitted) -> None:
        self.outstanding -= fact.amount
        self.remittances[fact.external_ref] = Payment(
            fact.originator_version, fact.amount, fact.on, fact.actor
        )

    @event(RemittanceConfirmed)
    def _remittance_confirmed(self, fact: RemittanceConfirmed) -> None:
        self.confirmed[fact.external_ref] = Confirmation(
            fact.originator_version, fact.statement_ref
        )


def _catalogue(items: Sequence[Item]) -> tuple[Item, ...]:
    if not 1 <= len(items) <= ITEMS_MAX:
        raise Invalid("items", "must be from {least} to {most}", least=1, most=ITEMS_MAX)
    if len({each.sku for each in items}) != len(items):
        raise Invalid("items", "names the same sku twice")
    for each in items:
        printable(each.sku, "items")
        plain(each.name, "items")
        positive(each.unit_price, "items")
        if not 0 < each.consigned <= UNITS_MAX:
            raise Invalid("items", "consigned must be from 1 to {most}", most=UNITS_MAX)
    return tuple(items)
