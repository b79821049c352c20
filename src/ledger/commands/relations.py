"""Commands by which people declare to whom they are related."""

from __future__ import annotations

from datetime import date

from ledger.aggregates.relations import RelationKind, Relations
from ledger.commands.command import Decision, command
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.names import PartyId, PersonId, relations_stream
from ledger.kernel.roles import Role


def relations_of(records: Records, person: PersonId) -> Relations:
    """Return the relations that ``person`` declared, possibly none."""
    stream = relations_stream(person)
    return records.find(Relations, stream) or Relations(stream)


@command(by=(Role.APPROVER, Role.CLERK, Role.CASHIER, Role.BOOKKEEPER, Role.TREASURER))
def declare_relation(
    records: Records,
    act: Act,
    *,
    party: PartyId | None,
    organisation: str | None,
    relation: RelationKind,
    on: date,
) -> Decision:
    """Record to whom the actor is related."""
    relations = relations_of(records, act.actor)
    repeat = relations.declare(
        act, party=party, organisation=organisation, relation=relation, on=on
    )
    return Decision(relations, repeat_of=repeat)
