"""Commands for approval rules and declared conflicts of interest."""

from __future__ import annotations

from datetime import date

from ledger.aggregates.policies import ApprovalPolicy, ApprovalRule
from ledger.commands.command import Decision, command
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import APPROVAL_POLICY
from ledger.kernel.roles import Role


def approval_policy(records: Records) -> ApprovalPolicy:
    """Return the rules of approval; before the first was set, there are none."""
    return records.find(ApprovalPolicy, APPROVAL_POLICY) or ApprovalPolicy(APPROVAL_POLICY)


@command(by=(Role.TREASURER,))
def set_approval_policy(
    records: Records,
    act: Act,
    rule: ApprovalRule,
    *,
    currency: Currency,
    effective_from: date,
    basis: str,
) -> Decision:
    """Have a rule of approval in force from a day on."""
    policy = approval_policy(records)
    policy.set(act, rule, currency=currency, effective_from=effective_from, basis=basis)
    return Decision(policy)
