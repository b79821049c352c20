"""Tallies of a charity sale: what it took, whether it is settled, and that nothing is oversold."""

from __future__ import annotations

from functools import lru_cache

from ledger.aggregates.sales.orders import Oversold, SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.books.tallies.funds import NAMED_MAX, of_fund
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import SaleId
from ledger.kernel.tallies import Bound, Breach, Changes, Tallied, Tally

SALES_MAX = 100
"""Sales whose tallies are remembered."""

UNSOLD = "unsold "
"""Begins the name of the tally of what is left of an item, before its sku."""


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


def _planned(fact: CharitySale.Planned) -> Changes:
    sale = SaleId(fact.originator_id)
    return (
        (of_fund(fact.fund, "sales"), 1),
        *[(of_sale(sale, UNSOLD + item.sku), item.consigned) for item in fact.items],
    )


def _settled(fact: CharitySale.Settled) -> Changes:
    return (
        (of_fund(fact.fund, "sales"), -1),
        (of_sale(SaleId(fact.originator_id), "settled"), 1),
    )


def _placed(fact: SaleOrder.Placed) -> Changes:
    names = _of_sale(fact.sale)
    return (
        (names["gross"], fact.amount),
        *[(names[UNSOLD + line.sku], -line.quantity) for line in fact.lines],
    )


def _returned(fact: SaleOrder.GoodsReturned) -> Changes:
    names = _of_sale(fact.sale)
    return (
        (names["refunds"], fact.refund),
        *[(names[UNSOLD + line.sku], line.quantity) for line in fact.lines],
    )


def _oversold(breach: Breach) -> LedgerError:
    sku = breach.tally.name.removeprefix(UNSOLD)
    return Oversold("only {left} {sku} are left to sell", left=breach.value, sku=sku)


TALLIED = Tallied(
    changes={
        CharitySale.Planned: _planned,
        CharitySale.Settled: _settled,
        SaleOrder.Placed: _placed,
        SaleOrder.GoodsReturned: _returned,
    },
    bounds={("sale", UNSOLD.strip()): Bound(0, _oversold)},
    by_stream=frozenset({CharitySale.Planned, CharitySale.Settled}),
)
