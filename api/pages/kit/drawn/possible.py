"""For which things a step is possible: in the states that the aggregate's own table allows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ledger.aggregates.disbursements.states import STEPS as AID
from ledger.aggregates.donations.states import STEPS as DONATIONS
from ledger.aggregates.donors import STEPS as DONORS
from ledger.aggregates.funds import STEPS as FUNDS
from ledger.aggregates.funds import FundState
from ledger.aggregates.sales.states import STEPS as SALES

States = Collection[str]

Table = Mapping[Any, Sequence[str]]

STEPS: Mapping[str, tuple[Table, str]] = {
    "donations/payments": (DONATIONS, "payment"),
    "donations/withdrawal": (DONATIONS, "withdrawal"),
    "donations/refunds": (DONATIONS, "refund"),
    "donors/restriction": (DONORS, "restriction"),
    "donors/erasure": (DONORS, "erasure"),
    "funds/transfers": (FUNDS, "transfer"),
    "funds/freezing": (FUNDS, "freeze"),
    "funds/thawing": (FUNDS, "thaw"),
    "funds/closing": (FUNDS, "close"),
    "sales/opening": (SALES, "opening"),
    "sales/ending": (SALES, "ending"),
    "sales/settlement": (SALES, "settlement"),
    "sales/remittances": (SALES, "remittance"),
    "sales/remittances-confirmation": (SALES, "remittance"),
    "sales/orders": (SALES, "orders"),
    "sales/returns": (SALES, "returns"),
    "disbursements/approvals": (AID, "approval"),
    "disbursements/rejection": (AID, "rejection"),
    "disbursements/cancellation": (AID, "cancellation"),
    "disbursements/payment": (AID, "payment"),
    "disbursements/payment-confirmation": (AID, "confirmation"),
    "disbursements/bounce": (AID, "bounce"),
    "disbursements/returns": (AID, "return"),
    "disbursements/acknowledgement": (AID, "acknowledgement"),
}
"""Under which word the aggregate's table has the step of an operation."""

TAKES_MONEY = frozenset({FundState.OPEN, FundState.FROZEN})
"""States of a fund that something new is for; only what is closed takes nothing any more."""

OF_THE_BODY: Mapping[str, States] = {"fund": TAKES_MONEY, "to": TAKES_MONEY, "donor": {"active"}}
"""States of things that a body names, whatever is done."""


def states_of(operation: str, field: str, *, in_path: bool) -> States | None:
    """Return the states in which a thing can be chosen; nothing if it does not matter."""
    if not in_path:
        return OF_THE_BODY.get(field)
    if operation not in STEPS:
        return None
    table, step = STEPS[operation]
    return frozenset(str(state) for state, steps in table.items() if step in steps)
