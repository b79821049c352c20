"""Dry runs (试算): the result of a command, from the very decision that would record it.

A rehearsal records nothing. What it says holds at the moment when it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, ParamSpec

from ledger.books.movements import moves
from ledger.books.postings import Posting, postings
from ledger.books.tallies import AVAILABLE, Tally, of_fund
from ledger.commands.application import Ledger
from ledger.commands.command import Command
from ledger.kernel.aggregate import Act, Fact
from ledger.kernel.names import FundCode
from ledger.store.form import Stored

P = ParamSpec("P")

RESERVED = "reserved"


class FundAfter(NamedTuple):
    """What a fund would have, in fen."""

    balance: int
    available: int


class Rehearsal(NamedTuple):
    """The events that a command would record.

    Attributes:
        facts: The events, none of them recorded; none if it repeats what is recorded.
        entry: The lines that they would make in the books.
        funds: How they would leave the funds whose figures they change.

    """

    facts: Sequence[Fact]
    entry: Sequence[Posting]
    funds: Mapping[FundCode, FundAfter]


def rehearse(
    ledger: Ledger, command: Command[P], act: Act, *args: P.args, **kwargs: P.kwargs
) -> Rehearsal:
    """Work out what ``command`` would record; raise the refusal that it would meet."""
    commit = ledger.rehearse(command, act, *args, **kwargs)
    return come_to(ledger, commit.events, commit.changes)


def come_to(ledger: Ledger, events: Sequence[Stored], changes: Mapping[Tally, int]) -> Rehearsal:
    """Return the entry and the funds that unrecorded events with these changes would leave."""
    facts = [ledger.form.to_domain_event(event) for event in events]
    funds = sorted({fund for fact in facts for _, fund, _ in moves(type(fact))(fact)})
    held = [of_fund(fund, name) for fund in funds for name in (AVAILABLE, RESERVED)]
    kept = ledger.store.tallies(held)
    after = {tally: kept.get(tally, 0) + changes.get(tally, 0) for tally in held}
    return Rehearsal(
        facts,
        [line for fact in facts for line in postings(fact)],
        {fund: _after(fund, after) for fund in funds},
    )


def added_up(entry: Sequence[Posting]) -> list[Posting]:
    """Return an entry with one debit and one credit, at most, of each account and fund."""
    sums: Counter[tuple[str, FundCode, bool]] = Counter()
    for account, fund, amount in entry:
        sums[account, fund, amount < 0] += amount
    return [
        Posting(account, fund, sums[account, fund, less]) for account, fund, less in sorted(sums)
    ]


def _after(fund: FundCode, tallies: Mapping[Tally, int]) -> FundAfter:
    available = tallies[of_fund(fund, AVAILABLE)]
    return FundAfter(available + tallies[of_fund(fund, RESERVED)], available)
