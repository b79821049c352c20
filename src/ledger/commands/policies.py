"""How the charity sets the rules that its people are held to, and they say what binds them."""

from __future__ import annotations

from datetime import date

from ledger.aggregates.policies import ApprovalRule
from ledger.aggregates.relations import RelationKind
from ledger.commands.application import Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import PartyId


class PolicyCommands(Records):
    """Set the rule of approval; declare a relation."""

    def set_approval_policy(
        self,
        act: Act,
        rule: ApprovalRule,
        *,
        currency: Currency,
        effective_from: date,
        basis: str,
    ) -> Decision:
        """Have a rule of approval in force from a day on."""
        policy = self.approval_policy()
        policy.set(act, rule, currency=currency, effective_from=effective_from, basis=basis)
        return Decision(policy)

    def declare_relation(
        self,
        act: Act,
        *,
        party: PartyId | None,
        organisation: str | None,
        relation: RelationKind,
        on: date,
    ) -> Decision:
        """Record to whom the actor is related."""
        relations = self.relations(act.actor)
        repeat = relations.declare(
            act, party=party, organisation=organisation, relation=relation, on=on
        )
        return Decision(relations, repeat_of=repeat)
