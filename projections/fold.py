"""The whole history in one straight loop: rows, events, entries, integers, and nothing else.

What it keeps grows with funds, accounts, days and sales, never with events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

from msgspec import Struct, field

from ledger.application import Records
from ledger.donations import Donation
from ledger.funds import Fund
from ledger.movements import Figures, movements
from ledger.names import FundCode, Position
from ledger.postings import postings
from ledger.tallies import HELD, Tally, of_fund, own_changes
from projections.follow import Progress, silent

PAGE = 5_000
"""Rows read at a time."""


def _neither() -> list[int]:
    return [0, 0]


class Books(Struct):
    """What the history adds up to. All figures in fen.

    Attributes:
        position: The last event taken in.
        funds: Each fund's currency.
        days: By fund and business day, what was added to the fund's figures.
        accounts: By account, fund and business day, debits and credits.
        payments: How many payments were counted, each by a tally of its own.
        tallies: The other numbers that guard rules which span streams.

    """

    position: Position = Position(0)
    funds: dict[FundCode, str] = field(default_factory=dict)
    days: defaultdict[tuple[FundCode, date], Figures] = field(
        default_factory=lambda: defaultdict(Figures)
    )
    accounts: defaultdict[tuple[str, FundCode, date], list[int]] = field(
        default_factory=lambda: defaultdict(_neither)
    )
    payments: int = 0
    tallies: Counter[Tally] = field(default_factory=Counter)

    def balances(self) -> dict[FundCode, Figures]:
        """Return the figures of each fund, all days together."""
        totals = {fund: Figures() for fund in self.funds}
        for (fund, _), figures in self.days.items():
            totals[fund].add(figures)
        return totals

    def all_tallies(self) -> Counter[Tally]:
        """Return every tally but those of single payments."""
        found = self.tallies.copy()
        for fund, figures in self.balances().items():
            found.update({of_fund(fund, name): getattr(figures, name) for name in HELD})
        return found


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
        _take_in(books, ledger, min(PAGE, goal - books.position))
        progress(books.position, goal)
    return books


def _take_in(books: Books, ledger: Records, limit: int) -> None:
    read, days, accounts = ledger.form.read, books.days, books.accounts
    for position, topic, state in ledger.store.raw(books.position, limit):
        fact = read(topic, state)
        on = fact.on
        for movement in movements(fact):
            days[movement.fund, on].add(movement)
        for account, fund, amount in postings(fact):
            accounts[account, fund, on][amount < 0] += abs(amount)
        if isinstance(fact, Donation.PaymentReceived):
            books.payments += 1
        else:
            for tally, change in own_changes(fact):
                books.tallies[tally] += change
            if isinstance(fact, Fund.Opened):
                books.funds[fact.fund] = fact.currency
        books.position = position
