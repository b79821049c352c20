"""Every noun's tallies: how facts change them, and which of them have a bound.

A command says what it expects of a tally; the events say how it changes; the store refuses, in the
very transaction, what would break a bound. So rivals are decided exactly, one after the other, and
those who are not rivals never wait. The tallies follow from the events and can be counted again at
any time, which replay does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ledger.books.movements import moves
from ledger.books.tallies import donations, donors, funds, sales
from ledger.books.tallies.donations import COUNTED, of_payment, payment_is_new
from ledger.books.tallies.donors import RESTRICTIONS
from ledger.books.tallies.funds import (
    AVAILABLE,
    HELD,
    HELD_BY,
    HOLDINGS,
    fund_is_empty,
    fund_is_open,
    fund_lets_go,
    of_fund,
)
from ledger.books.tallies.sales import UNSOLD, of_sale
from ledger.kernel.aggregate import Fact
from ledger.kernel.tallies import (
    Bounds,
    Changes,
    ChangesByDay,
    Expectation,
    Tallied,
    Tally,
    TallyOn,
)

__all__ = [
    "AVAILABLE",
    "BOUNDS",
    "BY_STREAM",
    "COUNTED",
    "HELD",
    "HOLDINGS",
    "RESTRICTIONS",
    "UNSOLD",
    "Changes",
    "ChangesByDay",
    "Expectation",
    "Tally",
    "TallyOn",
    "changes",
    "changes_by_day",
    "fund_is_empty",
    "fund_is_open",
    "fund_lets_go",
    "of_fund",
    "of_payment",
    "of_sale",
    "own_changes",
    "own_changes_by_day",
    "payment_is_new",
]

K = TypeVar("K")
V = TypeVar("V")

NOUNS: tuple[Tallied, ...] = (funds.TALLIED, donors.TALLIED, donations.TALLIED, sales.TALLIED)
"""Every noun of whose facts anything is counted."""


def _all(tables: Iterable[Mapping[K, V]]) -> dict[K, V]:
    """Return all rows of ``tables``; what two nouns declare would be counted by one of them."""
    rows: dict[K, V] = {}
    for table in tables:
        if twice := rows.keys() & table.keys():
            raise TypeError(f"declared by two nouns: {twice}")
        rows.update(table)
    return rows


_RULES: Mapping[type[Fact], Callable[[Any], Changes]] = _all(noun.changes for noun in NOUNS)
_RULES_BY_DAY: Mapping[type[Fact], Callable[[Any], ChangesByDay]] = _all(
    noun.by_day for noun in NOUNS
)

BOUNDS = Bounds(_all(noun.bounds for noun in NOUNS))
"""Which tallies have a floor, and which refusal a breach is."""

BY_STREAM = frozenset(kind for noun in NOUNS for kind in noun.by_stream)
"""Events whose rules read the stream that they belong to."""


def changes(facts: Iterable[Fact]) -> dict[Tally, int]:
    """Return by how much each tally changes with ``facts``."""
    total: dict[Tally, int] = {}
    for fact in facts:
        kind = type(fact)
        for figure, fund, change in moves(kind)(fact):
            for name, sign in HELD_BY[figure]:
                tally = of_fund(fund, name)
                total[tally] = total.get(tally, 0) + sign * change
        for tally, change in own_changes(kind)(fact):
            total[tally] = total.get(tally, 0) + change
    return total


def own_changes(kind: type[Fact]) -> Callable[[Any], Changes]:
    """Return the rule of how such facts change the tallies that are not figures of a fund."""
    return _RULES.get(kind, _nothing)


def changes_by_day(facts: Iterable[Fact]) -> dict[TallyOn, int]:
    """Return by how much each tally with a value per day changes with ``facts``, from which day."""
    total: dict[TallyOn, int] = {}
    rule_of = _RULES_BY_DAY.get
    for fact in facts:
        if (rule := rule_of(type(fact))) is not None:  # Every fact passes here, and few have one.
            for tally_on, change in rule(fact):
                total[tally_on] = total.get(tally_on, 0) + change
    return total


def own_changes_by_day(kind: type[Fact]) -> Callable[[Any], ChangesByDay] | None:
    """Return the rule of how such facts change tallies with a value per day, if they change any."""
    return _RULES_BY_DAY.get(kind)


def _nothing(_: Fact) -> Changes:
    return ()
