"""Every view that is kept. What follows them needs no more of the program than this."""

from __future__ import annotations

from projections.kernel.view import View
from projections.views.audit_trail import AuditTrail
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations
from projections.views.fund_balances import FundBalances
from projections.views.journal import Journal
from projections.views.relations import RelationsDeclared
from projections.views.sales import Sales
from projections.views.statements import Statements
from projections.views.unconfirmed import Unconfirmed


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
