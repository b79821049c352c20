"""Sentences of the audit trail about the rules of approval."""

from __future__ import annotations

from ledger.aggregates.policies import ApprovalPolicy
from ledger.kernel.money import yuan
from projections.kernel.sentences import Sentence, Sentences, private


def _petty(fact: ApprovalPolicy.Set) -> Sentence:
    if not fact.one_approval_up_to:
        return Sentence("", "")
    limit = yuan(fact.one_approval_up_to)
    return Sentence(f"{limit}元以内一人审批，", f"one person approves up to {limit}, ")


def _large(fact: ApprovalPolicy.Set) -> Sentence:
    if fact.three_approvals_above is None:
        return Sentence("", "")
    limit = yuan(fact.three_approvals_above)
    return Sentence(f"，超过{limit}元三人审批", f", three above {limit}")


SENTENCES = Sentences(
    {
        ApprovalPolicy.Set: private(
            "自{effective_from}起拨付审批：{petty}一般两人审批{large}，依据：{basis}",
            "From {effective_from}, {petty}two people approve{large}; basis: {basis}",
        ),
    },
    {"petty": _petty, "large": _large},
)
"""What its events say."""
