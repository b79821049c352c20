"""Numbers that stand beside the events, kept exact by the transaction that stores them.

Some rules are not about one stream: a fund is never overspent, whoever approves at the same moment;
no more is sold than was consigned; a payment counts once, whichever donation names it. Each such
rule is a bound on a tally. A command says what it expects of a tally; the events say how it
changes; the store refuses, in the very transaction, what would break the bound. So rivals are
decided exactly, one after the other, and those who are not rivals never wait.

The tallies follow from the events and can be counted again at any time, which replay does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donors import Donor
from ledger.aggregates.funds import Fund, FundClosed, FundFrozen, FundNotEmpty, InsufficientFunds
from ledger.aggregates.sales.orders import Oversold, SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.books.movements import moves
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import FundCode, SaleId
from ledger.kernel.payments import PaymentCounted


class Tally(NamedTuple):
    """One number: which thing it is about, and what it counts there."""

    subject: str
    name: str


class Expectation(NamedTuple):
    """A command's condition on a tally, and the refusal if it does not hold."""

    tally: Tally
    value: int
    otherwise: Callable[[int], LedgerError]
    """Makes the refusal from the value found."""


NAMED_MAX, SALES_MAX = 10_000, 100
"""Tallies, of funds or of one sale, and sales, whose names are remembered: a feed asks for few."""

COUNTED = "counted"
"""Name of the tally of how often a payment counts."""

AVAILABLE, UNSOLD = "available", "unsold "
"""Names of the tallies that never go below zero; the second is followed by an item's sku."""


def floored(tally: Tally) -> bool:
    """Say whether this tally may not go below zero."""
    return tally.name == AVAILABLE or tally.name.startswith(UNSOLD)


def below_floor(tally: Tally, *, found: int, change: int) -> LedgerError:
    """Return the refusal of a ``change`` that would take a tally below zero."""
    if tally.name == AVAILABLE:
        fund = FundCode(tally.subject.removeprefix("fund "))
        return InsufficientFunds(fund, available=found, wanted=-change)
    return Oversold(f"only {found} {tally.name.removeprefix(UNSOLD)} are left to sell")


@lru_cache(NAMED_MAX)
def of_fund(fund: FundCode, name: str) -> Tally:
    """Return a tally of a fund."""
    return Tally(f"fund {fund}", name)


def of_sale(sale: SaleId, name: str) -> Tally:
    """Return a tally of a sale."""
    return _of_sale(sale)[name]


class _Tallies(dict[str, Tally]):
    """Those of one subject, by name; at hand for the next order of the same sale."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self._subject = subject

    def __missing__(self, name: str) -> Tally:
        tally = Tally(self._subject, name)
        if len(self) < NAMED_MAX:
            self[name] = tally
        return tally


@lru_cache(SALES_MAX)
def _of_sale(sale: SaleId) -> _Tallies:
    return _Tallies(f"sale {sale}")


def of_payment(channel: str, external_ref: str) -> Tally:
    """Return the tally of how often a payment counts: once, or not yet."""
    return Tally(f"payment {channel} {external_ref}", COUNTED)


HELD = (AVAILABLE, "reserved", "pledged", "suspense", "receivable")
"""Tallies that are figures of a fund, by the names that ``Movement`` has for them."""

_HELD_BY: Mapping[str, tuple[tuple[str, int], ...]] = {
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
        return lambda found: FundNotEmpty(fund, holding, found)

    return tuple(Expectation(of_fund(fund, each), 0, still(each)) for each in HOLDINGS)


def payment_is_new(channel: str, external_ref: str) -> Expectation:
    """Expect that no donation has counted this payment."""
    tally = of_payment(channel, external_ref)
    return Expectation(tally, 0, lambda _: PaymentCounted(channel, external_ref))


RESTRICTIONS = Tally("donors", "restrictions")
"""How often a donor's details were restricted or erased. Whoever remembers donors, so as not to
read them again for each promise, expects that it is what it was when they were read.
"""

Changes = Iterable[tuple[Tally, int]]


def changes(facts: Iterable[Fact]) -> dict[Tally, int]:
    """Return by how much each tally changes with ``facts``."""
    total: dict[Tally, int] = {}
    for fact in facts:
        kind = type(fact)
        for figure, fund, change in moves(kind)(fact):
            for name, sign in _HELD_BY[figure]:
                tally = of_fund(fund, name)
                total[tally] = total.get(tally, 0) + sign * change
        for tally, change in own_changes(kind)(fact):
            total[tally] = total.get(tally, 0) + change
    return total


def own_changes(kind: type[Fact]) -> Callable[[Any], Changes]:
    """Return the rule of how such facts change the tallies that are not figures of a fund."""
    return _RULES.get(kind, _nothing)


def _nothing(_: Fact) -> Changes:
    return ()


def _sale_planned(fact: CharitySale.Planned) -> Changes:
    sale = SaleId(fact.originator_id)
    return (
        (of_fund(fact.fund, "sales"), 1),
        *[(of_sale(sale, UNSOLD + item.sku), item.consigned) for item in fact.items],
    )


def _sale_settled(fact: CharitySale.Settled) -> Changes:
    return (
        (of_fund(fact.fund, "sales"), -1),
        (of_sale(SaleId(fact.originator_id), "settled"), 1),
    )


def _order_placed(fact: SaleOrder.Placed) -> Changes:
    names = _of_sale(fact.sale)
    return (
        (names["gross"], fact.amount),
        *[(names[UNSOLD + line.sku], -line.quantity) for line in fact.lines],
    )


def _goods_returned(fact: SaleOrder.GoodsReturned) -> Changes:
    names = _of_sale(fact.sale)
    return (
        (names["refunds"], fact.refund),
        *[(names[UNSOLD + line.sku], line.quantity) for line in fact.lines],
    )


_RULES: Mapping[type[Fact], Callable[[Any], Changes]] = {
    Fund.Frozen: lambda fact: [(of_fund(fact.fund, "frozen"), 1)],
    Fund.Thawed: lambda fact: [(of_fund(fact.fund, "frozen"), -1)],
    Fund.Closed: lambda fact: [(of_fund(fact.fund, "closed"), 1)],
    Donor.ProcessingRestricted: lambda _: [(RESTRICTIONS, 1)],
    Donor.Erased: lambda _: [(RESTRICTIONS, 1)],
    Donation.PaymentReceived: lambda fact: [(of_payment(fact.channel, fact.external_ref), 1)],
    CharitySale.Planned: _sale_planned,
    CharitySale.Settled: _sale_settled,
    SaleOrder.Placed: _order_placed,
    SaleOrder.GoodsReturned: _goods_returned,
}

BY_STREAM = frozenset({CharitySale.Planned, CharitySale.Settled})
"""Events that change tallies of the stream that they belong to."""
