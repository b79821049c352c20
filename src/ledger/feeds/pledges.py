"""Feeds of promises, such as a drive's list: one a line, with its payment if that came at once.

A line calls itself by a ``ref`` of its sender's. The donation's id follows from sender and ref, so
a line that comes again meets what it recorded, with no table of what was seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar, cast
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from ledger.aggregates.donations.donation import Donation, in_order
from ledger.aggregates.donations.facts import Instalment
from ledger.aggregates.donors import Donor
from ledger.books.tallies import (
    RESTRICTIONS,
    Expectation,
    Tally,
    of_fund,
    of_payment,
    payment_is_new,
)
from ledger.commands import Ledger
from ledger.feeds.chunk_store import ChunkStore
from ledger.feeds.feed import Chunk, Feed, Intake, Named, Taken, check_day, name
from ledger.kernel.aggregate import Act, Fact
from ledger.kernel.errors import Conflict, Invalid, NotFound
from ledger.kernel.lines import (
    AmountInvalid,
    DateInvalid,
    LineMalformed,
    LineRefused,
    Suspect,
    reader,
)
from ledger.kernel.money import Currency, Fen
from ledger.kernel.names import DonationId, DonorId, FundCode, pledge_stream
from ledger.kernel.payments import Channel, named_payment
from ledger.kernel.roles import Role
from ledger.kernel.sentences import FieldName, Sentence, Several
from ledger.kernel.terms import FundTerms
from ledger.kernel.wording import REFERENCE, REFERENCE_MAX, code

VERSIONS_OF_A_LINE = 2
"""A line records a promise, and perhaps its payment; what follows was done by other requests."""


_STOPPING = (Donor.ProcessingRestricted.TOPIC, Donor.Erased.TOPIC)


class PledgeConflict(LineRefused):
    """A pledge, once recorded under a ref, does not change."""

    code = "pledge.conflict"


class DonorUnknown(LineRefused):
    """Who promises is registered first."""

    code = "donor.unknown"


class DonorStopped(LineRefused):
    """Details that are restricted or erased are used for nothing new."""

    code = "donor.processing-stopped"


class FundUnknown(LineRefused):
    """A promise is to a fund that was opened."""

    code = "fund.unknown"


class FundIsClosed(LineRefused):
    """Nothing new is promised to a fund that is closed."""

    code = "fund.closed"


class PaymentIsCounted(LineRefused):
    """The same payment is never counted twice."""

    code = "payment.counted"


class CashierNeeded(LineRefused):
    """Money that arrived is a cashier's to record."""

    code = "role.forbidden"


class Payment(Struct, frozen=True, forbid_unknown_fields=True):
    """Money that came with a promise."""

    amount: Fen
    channel: Channel
    external_ref: str
    received_on: date


class Pledge(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of a feed of promises; ``instalments`` in the order in which they are due."""

    ref: str
    donor: DonorId
    fund: FundCode
    amount: Fen
    currency: Currency
    pledged_on: date
    instalments: tuple[Instalment, ...] = ()
    public_promise: bool = False
    note: str | None = None
    payment: Payment | None = None


class PledgeFeed(Feed[Pledge]):
    """A feed of promises.

    Attributes:
        cashier: The same act in the role that records payments, if the sender has it.
        donations: Which lines were recorded, as what; the first of them.
        repeats: Which lines were recorded before, as what; the first of them.

    """

    by: ClassVar[tuple[Role, ...]] = (Role.CLERK,)

    codes: ClassVar[dict[str, str]] = {
        "amount": AmountInvalid.code,
        "pledged_on": DateInvalid.code,
        "received_on": DateInvalid.code,
    }

    def __init__(self, ledger: Ledger, act: Act, *, receives: bool) -> None:
        """Begin a feed; ``receives`` says whether its sender may record payments as well."""
        super().__init__(ledger, act, about=str(act.command))
        self.cashier = replace(self.act, role=Role.CASHIER.value) if receives else None
        self.donations: list[Named] = []
        self.repeats: list[Named] = []

    def summary(self) -> dict[str, Any]:
        """Return what came of the feed, with the ids that lines were recorded under."""
        named = {"donations": self.donations, "repeats": self.repeats}
        return super().summary() | {
            what: [each._asdict() for each in lines] for what, lines in named.items()
        }

    def _count(self, chunk: Chunk[Pledge]) -> None:
        super()._count(chunk)
        name(chunk.accepted, among=self.donations)
        name(chunk.repeated, among=self.repeats)

    def _read(self, line: bytes) -> Pledge:
        return read_pledge(line)

    def _intake(self, lines: Sequence[Pledge]) -> Intake[Pledge]:
        return _Pledges(self, lines)


class _Pledges(Intake[Pledge]):
    """Decides promises."""

    def __init__(self, feed: PledgeFeed, lines: Sequence[Pledge]) -> None:
        self._act = feed.act
        self._cashier = feed.cashier
        self._streams = {each.ref: pledge_stream(feed.act.actor, each.ref) for each in lines}
        self._recorded: dict[UUID, Pledge] = {}
        self._donors: set[UUID] = set()
        self._stopped: set[UUID] = set()
        self._restrictions = _restrictions(feed.store)  # Asked before donors are looked up.
        self._terms = {code: _terms(feed.ledger, code) for code in {each.fund for each in lines}}
        payments = {_counted(each.payment) for each in lines if each.payment is not None}
        closed = [_closed(code) for code, terms in self._terms.items() if terms is not None]
        self._tallies = feed.store.tallies([*closed, *payments])
        self._look_up(feed, {each.donor for each in lines})
        self._funds: set[FundCode] = set()
        self._payments: list[Payment] = []

    def take(self, pledge: Pledge) -> Taken:
        """Record a promise, and its payment if there is one, unless both are recorded."""
        if pledge.payment is not None and self._cashier is None:
            raise CashierNeeded("to record a payment takes the role of cashier as well")
        stream = self._streams[pledge.ref]
        recorded = self._recorded.get(stream)
        if recorded is not None:
            _must_be_the_same(recorded, pledge)
            return Taken(stream)
        facts = self._promise(pledge, stream)
        self._recorded[stream] = pledge
        self._funds.add(pledge.fund)
        if pledge.payment is not None:
            self._tallies[_counted(pledge.payment)] = 1
            self._payments.append(pledge.payment)
        return Taken(stream, facts)

    def expects(self) -> Sequence[Expectation]:
        """Expect that no fund was closed, payment counted or donor erased meanwhile."""
        return [
            *(
                Expectation(_closed(code), 0, lambda _: Conflict("just closed"))
                for code in self._funds
            ),
            self._restrictions,
            *(payment_is_new(each.channel, each.external_ref) for each in self._payments),
        ]

    def _look_up(self, feed: PledgeFeed, donors: set[DonorId]) -> None:
        """Read which ``donors`` exist, and what is recorded under the lines' refs."""
        refs: dict[UUID, str] = {stream: ref for ref, stream in self._streams.items()}
        facts: defaultdict[UUID, list[Fact]] = defaultdict(list)
        for stored in feed.store.streams([*donors, *refs]):
            stream = cast("UUID", stored.originator_id)
            if stored.topic == Donor.Registered.TOPIC:
                self._donors.add(stream)
            elif stored.topic in _STOPPING:
                self._stopped.add(stream)
            elif stream in refs and stored.originator_version <= VERSIONS_OF_A_LINE:
                facts[stream].append(feed.ledger.form.to_domain_event(stored))
        for stream, stored_facts in facts.items():
            self._recorded[stream] = _as_sent(refs[stream], stored_facts)

    def _promise(self, pledge: Pledge, stream: DonationId) -> Sequence[Fact]:
        if pledge.donor not in self._donors:
            raise DonorUnknown("there is no donor {donor}", donor=pledge.donor)
        if pledge.donor in self._stopped:
            raise DonorStopped("donor {donor} is restricted or erased", donor=pledge.donor)
        terms = self._terms[pledge.fund]
        if terms is None:
            raise FundUnknown("there is no fund {fund}", fund=pledge.fund)
        if self._tallies.get(_closed(pledge.fund)):
            raise FundIsClosed("fund {fund} is closed", fund=pledge.fund)
        with _day_called("pledged_on"):
            donation = Donation.pledge(
                self._act,
                donor=pledge.donor,
                fund=terms,
                amount=pledge.amount,
                currency=pledge.currency,
                pledged_on=pledge.pledged_on,
                instalments=pledge.instalments,
                public_promise=pledge.public_promise,
                note=pledge.note,
                stream=stream,
            )
        if pledge.payment is not None and self._cashier is not None:
            self._receive(donation, pledge.payment, self._cashier)
        return donation.collect_events()

    def _receive(self, donation: Donation, payment: Payment, cashier: Act) -> None:
        if self._tallies.get(_counted(payment)):
            raise PaymentIsCounted(
                "{payment} is already counted",
                payment=named_payment(payment.channel, payment.external_ref),
            )
        with _day_called("received_on"):
            check_day(payment.received_on)
            donation.receive(
                cashier,
                amount=payment.amount,
                channel=payment.channel,
                external_ref=payment.external_ref,
                received_on=payment.received_on,
            )


def _terms(ledger: Ledger, code: FundCode) -> FundTerms | None:
    try:
        return ledger.fund_terms(code)
    except NotFound:
        return None


def _restrictions(store: ChunkStore) -> Expectation:
    """Expect that no donor was restricted or erased after this was asked."""
    count = store.tallies([RESTRICTIONS]).get(RESTRICTIONS, 0)
    return Expectation(RESTRICTIONS, count, lambda _: Conflict("a donor was just restricted"))


def _closed(code: FundCode) -> Tally:
    return of_fund(code, "closed")


def _counted(payment: Payment) -> Tally:
    return of_payment(payment.channel, payment.external_ref)


@contextmanager
def _day_called(field: str) -> Iterator[None]:
    """Name the business day, which the history calls ``on``, by the sender's word for it."""
    try:
        yield
    except Invalid as error:
        if error.field == "on":
            raise Invalid(field, error.fault) from None
        raise


def _as_sent(ref: str, facts: Sequence[Fact]) -> Pledge:
    """Return the line that a stream began with, without payments of other requests."""
    pledged, *then = facts
    assert isinstance(pledged, Donation.Pledged)  # noqa: S101  # No donation begins otherwise.
    payment = None
    for fact in then:
        if isinstance(fact, Donation.PaymentReceived) and fact.command == pledged.command:
            payment = Payment(fact.amount, fact.channel, fact.external_ref, fact.on)
    return Pledge(
        ref=ref,
        donor=pledged.donor,
        fund=pledged.fund,
        amount=pledged.amount,
        currency=pledged.currency,
        pledged_on=pledged.on,
        instalments=pledged.instalments,
        public_promise=pledged.public_promise,
        note=pledged.note,
        payment=payment,
    )


def _must_be_the_same(recorded: Pledge, pledge: Pledge) -> None:
    if recorded != pledge:
        differing = [
            each
            for each in Pledge.__struct_fields__
            if getattr(recorded, each) != getattr(pledge, each)
        ]
        raise PledgeConflict(
            "{ref} is already recorded with other {fields}",
            ref=pledge.ref,
            fields=Several(map(FieldName, differing)),
        )


# What a line says.


def _day(field: str) -> Suspect:
    return Suspect(field, date, DateInvalid, Sentence("must be a day such as 2026-03-20"))


_pledge = reader(
    Pledge,
    Suspect("amount", int, AmountInvalid, Sentence("must be a whole number of fen")),
    *map(_day, ("pledged_on", "received_on", "due_on")),
)


def read_pledge(line: bytes) -> Pledge:
    """Return the promise that a feed line spells; raise ``LineRefused`` by the first fault."""
    pledge = _pledge(line)
    try:
        code(pledge.ref, "ref")
    except Invalid as fault:
        raise LineMalformed(fault.says, **fault.facts) from None
    if pledge.payment is not None:
        _check_reference(pledge.payment.external_ref)
    if any(each.amount <= 0 for each in pledge.instalments):
        raise AmountInvalid("amount of an instalment must be above zero")
    return (
        replace(pledge, instalments=in_order(pledge.instalments)) if pledge.instalments else pledge
    )


def _check_reference(text: str) -> None:
    if not REFERENCE.fullmatch(text):
        raise LineMalformed(
            "external_ref must be 1 to {most} visible ASCII characters", most=REFERENCE_MAX
        )
