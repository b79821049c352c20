"""Relations (关联关系) that people declare: to whom they are too close to decide about money for.

Each person has a stream of their own. What is declared stands: nobody steps out of it in the hour
before they approve. An organisation is known by its name as anybody may spell it, a person by the
opaque id that a request shows for its payee, since no name of a person is in the history.
"""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.errors import Invalid
from ledger.kernel.names import PartyId
from ledger.kernel.terms import Ties
from ledger.kernel.wording import plain, spelled_alike

RelationKind = Literal["family", "work", "ownership", "other"]
"""Kin, employment or office, a share in it, or something else."""


class Relations(Aggregate):
    """The relations that one person declared."""

    TOPIC = "relation"
    MOVES_MONEY = False

    class Declared(Fact, frozen=True):
        """The actor is related to somebody: either a party, by id, or an organisation, by name."""

        TOPIC = "relation.declared.1"
        party: PartyId | None
        organisation: str | None
        relation: RelationKind

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.declared: dict[str, int] = {}
        self.ties = Ties()

    def declare(
        self,
        act: Act,
        *,
        party: PartyId | None,
        organisation: str | None,
        relation: RelationKind,
        on: date,
    ) -> int | None:
        """Say so; return the version that said the same before, if one did."""
        if (party is None) == (organisation is None):
            raise Invalid("organisation", "name either an organisation or a party")
        if organisation is not None and not spelled_alike(plain(organisation, "organisation")):
            raise Invalid("organisation", "has neither a letter nor a digit")
        known = self.declared.get(_key(party, organisation))
        if known is not None:
            return known
        self._record(
            self.Declared, act, on=on, party=party, organisation=organisation, relation=relation
        )
        return None

    @event(Declared)
    def _declared(self, fact: Declared) -> None:
        self.declared[_key(fact.party, fact.organisation)] = fact.originator_version
        self.ties = self.ties.and_to(fact.party, fact.organisation)


def _key(party: PartyId | None, organisation: str | None) -> str:
    return f"party {party}" if party else f"organisation {spelled_alike(organisation or '')}"
