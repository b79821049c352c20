"""The whole history in one straight loop: rows, events, entries, integers, and nothing else.

What it keeps grows with funds, accounts, days and sales, never with events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from msgspec import Struct, field

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import Fund
from ledger.books.movements import Change, Figures, moves
from ledger.books.postings import Entry, posting_rule
from ledger.books.tallies import (
    BY_STREAM,
    HELD,
    Changes,
    ChangesByDay,
    Tally,
    TallyOn,
    of_fund,
    own_changes,
    own_changes_by_day,
)
from ledger.commands.records import Records
from ledger.kernel.aggregate import FACTS, Fact
from ledger.kernel.names import FundCode, Position
from ledger.store.form import NOT_READ, StoredForm, Unreadable, brief
from projections.kernel.follow import Progress, silent

PAGE = 5_000
"""Rows read at a time."""

Rows = Iterable[tuple[Position, str, bytes]]
"""Position, topic and state of events, in order."""


class Day(NamedTuple):
    """One business day's change to one fund, by figure and by account, in fen."""

    figures: defaultdict[str, int]
    debit: defaultdict[str, int]
    credit: defaultdict[str, int]


def _nothing_yet() -> Day:
    return Day(defaultdict(int), defaultdict(int), defaultdict(int))


class Books(Struct):
    """The sums of the history. All figures in fen.

    Attributes:
        position: The last event taken in.
        funds: Each fund's currency.
        days: What was added, by fund and business day.
        payments: How many payments were counted, each by a tally of its own.
        tallies: The other numbers that guard rules which span streams.
        added: What was added to those that have a value per day, on each day.

    """

    position: Position = Position(0)
    funds: dict[FundCode, str] = field(default_factory=dict)
    days: defaultdict[tuple[FundCode, date], Day] = field(
        default_factory=lambda: defaultdict(_nothing_yet)
    )
    payments: int = 0
    tallies: Counter[Tally] = field(default_factory=Counter)
    added: defaultdict[Tally, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))

    def balances(self) -> dict[FundCode, Figures]:
        """Return the figures of each fund, all days together."""
        totals = {fund: Figures() for fund in self.funds}
        for (fund, _), day in self.days.items():
            totals[fund].add(Figures(**day.figures))
        return totals

    @property
    def accounts(self) -> dict[tuple[str, FundCode, date], tuple[int, int]]:
        """Debits and credits by account, fund and business day."""
        return {
            (account, fund, on): (day.debit.get(account, 0), day.credit.get(account, 0))
            for (fund, on), day in self.days.items()
            for account in day.debit.keys() | day.credit.keys()
        }

    def all_days(self) -> Iterator[tuple[TallyOn, int]]:
        """Yield what each tally that has a value per day came to by each day that changed it."""
        for tally, added in sorted(self.added.items()):
            value = 0
            for day in sorted(added):
                value += added[day]
                yield TallyOn(tally, day), value

    def all_tallies(self) -> Counter[Tally]:
        """Return every tally but those of single payments."""
        tallies = self.tallies.copy()
        for fund, figures in self.balances().items():
            tallies.update({of_fund(fund, name): getattr(figures, name) for name in HELD})
        return tallies


def fold(
    ledger: Records,
    *,
    until: Position | None = None,
    progress: Progress = silent,
    books: Books | None = None,
) -> Books:
    """Take in every event from the first, or from where ``books`` end, to ``until`` or the newest.

    Args:
        ledger: Whose history it is.
        until: Stop after this event.
        progress: Told now and then how far it is.
        books: What earlier events added up to.

    """
    goal = ledger.store.last_position()
    if until is not None:
        goal = min(goal, until)
    if books is None:
        books = Books()
    while books.position < goal:
        rows = ledger.store.raw(books.position, min(PAGE, goal - books.position))
        take_in(books, rows, ledger.form)
        progress(books.position, goal)
    return books


def take_in(books: Books, rows: Rows, form: StoredForm) -> None:
    """Add up what ``rows``, which follow on where ``books`` end, say.

    Raises:
        Unreadable: One of them is no event; ``books`` hold what those before it added up to.

    """
    kinds, days, tallies = _Kinds(books, form), books.days, books.tallies
    topic = ""
    try:
        for position, topic, state in rows:
            read, moved, posted, counted = kinds[topic]
            fact = read(state)
            on, touched = fact.on, None
            for figure, fund, change in moved(fact):
                if fund is not touched:  # One day is looked up once, as nearly all touch one fund.
                    touched, (figures, debit, credit) = fund, days[fund, on]
                figures[figure] += change
            for account, fund, amount in posted(fact):
                if fund is not touched:
                    touched, (figures, debit, credit) = fund, days[fund, on]
                if amount < 0:
                    credit[account] -= amount
                else:
                    debit[account] += amount
            for tally, change in counted(fact):
                tallies[tally] += change
            books.position = position
    except NOT_READ as error:
        raise Unreadable(f"{topic}: {error}") from None


class _Kind(NamedTuple):
    """The decoder of events of one topic, and the rules by which they move, post and count."""

    read: Callable[[bytes], Any]
    moved: Callable[[Any], tuple[Change, ...]]
    posted: Callable[[Any], Entry]
    counted: Callable[[Any], Changes]


class _Kinds(dict[str, _Kind]):
    """Every topic, found once an event; one that is retired goes the long way."""

    def __init__(self, books: Books, form: StoredForm) -> None:
        super().__init__(_KINDS)
        self._form = form
        self._books = books
        self._count(Donation.PaymentReceived, self._payment)
        self._count(Fund.Opened, self._fund)
        for kind in FACTS.values():
            if (rule := own_changes_by_day(kind)) is not None:
                self._count(kind, self._both(self[kind.TOPIC].counted, rule))

    def _count(self, kind: type[Fact], counted: Callable[[Any], Changes]) -> None:
        self[kind.TOPIC] = self[kind.TOPIC]._replace(counted=counted)

    def _payment(self, _: Donation.PaymentReceived) -> Changes:
        self._books.payments += 1
        return ()

    def _fund(self, fact: Fund.Opened) -> Changes:
        self._books.funds[fact.fund] = fact.currency
        return ()

    def _both(
        self, counted: Callable[[Any], Changes], rule: Callable[[Any], ChangesByDay]
    ) -> Callable[[Any], Changes]:
        """Count by day as well; facts that nothing counts by day cost nothing more."""
        added = self._books.added

        def both(fact: Any) -> Changes:
            for (tally, day), change in rule(fact):
                added[tally][day] += change
            return counted(fact)

        return both

    def __missing__(self, topic: str) -> _Kind:
        return _Kind(
            partial(self._form.read, topic),
            lambda fact: self[fact.TOPIC].moved(fact),
            lambda fact: self[fact.TOPIC].posted(fact),
            lambda fact: self[fact.TOPIC].counted(fact),
        )


_KINDS = {
    topic: _Kind(
        brief(kind, named=kind in BY_STREAM), moves(kind), posting_rule(kind), own_changes(kind)
    )
    for topic, kind in FACTS.items()
}
