"""Every view that is kept, and every sentence. What follows them needs no more of the program."""

from __future__ import annotations

from ledger.kernel.aggregate import Fact
from projections.kernel.sentences import Sentence, Sentences
from projections.kernel.view import View
from projections.views import (
    disbursements,
    donation_sentences,
    donors,
    fund_balances,
    policies,
    public_logs,
    relations,
    sales,
    staff,
)
from projections.views.audit_trail import AuditTrail
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations
from projections.views.fund_balances import FundBalances
from projections.views.journal import Journal
from projections.views.relations import RelationsDeclared
from projections.views.sales import Sales
from projections.views.statements import Statements
from projections.views.unconfirmed import Unconfirmed

SENTENCES: dict[type[Fact], Sentences] = {
    kind: noun.SENTENCES
    for noun in (
        disbursements,
        donation_sentences,
        donors,
        fund_balances,
        policies,
        public_logs,
        relations,
        sales,
        staff,
    )
    for kind in noun.SENTENCES.tellings
}
"""The sentences that each kind of event is told by."""


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


def sentence(fact: Fact) -> Sentence:
    """Tell an auditor what happened, without naming a person."""
    return SENTENCES[type(fact)].whole(fact)


def public_sentence(fact: Fact) -> Sentence | None:
    """Tell everybody what happened, if it is everybody's business."""
    return SENTENCES[type(fact)].public(fact)
