"""Every view that is kept. What follows them needs no more of the program than this."""

from __future__ import annotations

from projections.audit_trail import AuditTrail
from projections.disbursements import Disbursements
from projections.donations import Donations
from projections.fund_balances import FundBalances
from projections.journal import Journal
from projections.relations import RelationsDeclared
from projections.sales import Sales
from projections.statements import Statements
from projections.unconfirmed import Unconfirmed
from projections.views import View


def all_views() -> tuple[View, ...]:
    """Return every view that is kept."""
    return (
        FundBalances(),
        Journal(),
        Donations(),
        Sales(),
        Disbursements(),
        AuditTrail(),
        RelationsDeclared(),
        Statements(),
        Unconfirmed(),
    )
