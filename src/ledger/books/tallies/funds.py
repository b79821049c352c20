"""Tallies of a fund: its figures, whether it is frozen or closed; it is never overspent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from ledger.aggregates.funds import Fund, FundClosed, FundFrozen, FundNotEmpty, InsufficientFunds
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import FundCode
from ledger.kernel.tallies import Bound, Breach, Expectation, Tallied, Tally

NAMED_MAX = 10_000
"""Tallies whose names are remembered: a feed asks for few."""

FUND = "fund "
"""Begins the subject of a fund's tallies, before its code."""

AVAILABLE = "available"

HELD = (AVAILABLE, "reserved", "pledged", "suspense", "receivable")
"""Tallies that are figures of a fund, by the names that ``Movement`` has for them."""

HELD_BY: Mapping[str, tuple[tuple[str, int], ...]] = {
    "received": ((AVAILABLE, 1),),
    "reserved": (("reserved", 1), (AVAILABLE, -1)),
    "paid": ((AVAILABLE, -1),),
    "acknowledged": (),
    "pledged": (("pledged", 1),),
    "suspense": (("suspense", 1),),
    "receivable": (("receivable", 1),),
}
"""Which of them each figure moves, and which way."""

HOLDINGS = (*HELD, "sales")
"""What must be nothing before a fund is closed."""


@lru_cache(NAMED_MAX)
def of_fund(fund: FundCode, name: str) -> Tally:
    """Return a tally of a fund."""
    return Tally(f"{FUND}{fund}", name)


def fund_is_open(fund: FundCode) -> Expectation:
    """Expect that ``fund`` takes part in new things."""
    return Expectation(of_fund(fund, "closed"), 0, lambda _: FundClosed(fund))


def fund_lets_go(fund: FundCode) -> tuple[Expectation, ...]:
    """Expect that money may leave ``fund``."""
    frozen = Expectation(of_fund(fund, "frozen"), 0, lambda _: FundFrozen(fund))
    return fund_is_open(fund), frozen


def fund_is_empty(fund: FundCode) -> tuple[Expectation, ...]:
    """Expect that ``fund`` has nothing, owes nothing and awaits nothing."""

    def still(holding: str) -> Callable[[int], LedgerError]:
        return lambda value: FundNotEmpty(fund, holding, value)

    return tuple(Expectation(of_fund(fund, each), 0, still(each)) for each in HOLDINGS)


def _overspent(breach: Breach) -> LedgerError:
    fund = FundCode(breach.tally.subject.removeprefix(FUND))
    return InsufficientFunds(fund, available=breach.value, wanted=-breach.change)


TALLIED = Tallied(
    changes={
        Fund.Frozen: lambda fact: [(of_fund(fact.fund, "frozen"), 1)],
        Fund.Thawed: lambda fact: [(of_fund(fact.fund, "frozen"), -1)],
        Fund.Closed: lambda fact: [(of_fund(fact.fund, "closed"), 1)],
    },
    bounds={("fund", AVAILABLE): Bound(0, _overspent)},
)
