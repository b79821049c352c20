"""The rule of approval beside a request: how many people it takes, and who said so."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from api.kernel.desk import Desk
from ledger.aggregates.policies import ApprovalRule, Version
from ledger.commands.policies import approval_policy
from ledger.kernel.names import APPROVAL_POLICY, Position

RULES_MAX = 1_000
"""Rules that are looked through for the event of one; a charity sets a few in its life."""


class RuleInForce(Struct, frozen=True):
    """How many people must approve an amount, and why.

    Attributes:
        needed: So many.
        rule: It in figures.
        since: Its first day; nothing if no rule was ever set, and it is two people's.
        basis: Which resolution says so.
        position: Of the event that set it.

    """

    needed: int
    rule: ApprovalRule
    since: date | None = None
    basis: str | None = None
    position: Position | None = None


def rule_in_force(desk: Desk, amount: int, day: date) -> RuleInForce:
    """Return the rule that says how many must approve ``amount`` fen on ``day``."""
    policy = approval_policy(desk.ledger)
    rule, version = policy.in_force(day), policy.version_of(day)
    if version is None:
        return RuleInForce(rule.needed(amount), rule)
    said_at = _position(desk, version)
    return RuleInForce(rule.needed(amount), rule, version.effective_from, version.basis, said_at)


def _position(desk: Desk, version: Version) -> Position | None:
    for position, fact in desk.ledger.history(0, RULES_MAX, stream=APPROVAL_POLICY):
        if fact.originator_version == version.number:
            return position
    return None
