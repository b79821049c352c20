"""The register of declared relations (关联关系): who is too close to whom to decide for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Date, Index, Select, String, Table, select

from ledger.aggregates.relations import Relations
from projections.kernel.sentences import Sentence, Sentences, private
from projections.kernel.view import METADATA, Batch, View, insert_all

RELATIONS = Table(
    "relations",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("person", String, nullable=False),
    Column("organisation", String),
    Column("party", String),
    Column("relation", String, nullable=False),
    Column("on", Date, nullable=False),
    Index("relations_by_person", "person", "position"),
)


class RelationsDeclared(View):
    """Keeps the declared relations."""

    name = "relations"
    tables = (RELATIONS,)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Note each declaration."""
        declared = [
            (position, fact.actor, fact.organisation, fact.party, fact.relation, fact.on)
            for position, fact in batch
            if isinstance(fact, Relations.Declared)
        ]
        insert_all(connection, RELATIONS, declared)


def relations(
    connection: Connection, *, after: int = 0, limit: int = 100, person: str | None = None
) -> list[dict[str, Any]]:
    """Return up to ``limit`` relations declared after position ``after``, oldest first."""
    query = declared(person).where(RELATIONS.c.position > after)
    rows = connection.execute(query.order_by(RELATIONS.c.position).limit(limit)).mappings()
    return [dict(row) for row in rows]


def declared(person: str | None) -> Select[Any]:
    """Return the query of all relations, or those that ``person`` declared, in no order."""
    query = select(RELATIONS)
    return query if person is None else query.where(RELATIONS.c.person == person)


_RELATIONS: Mapping[str, Sentence] = {
    "family": Sentence("亲属", "a relative"),
    "work": Sentence("任职", "employed or in office there"),
    "ownership": Sentence("持有份额", "an owner"),
    "other": Sentence("其他", "close otherwise"),
}


def _related(fact: Relations.Declared) -> Sentence:
    if fact.organisation is None:
        return Sentence("一位当事人", "a party")
    return Sentence(f"「{fact.organisation}」", f"“{fact.organisation}”")


SENTENCES = Sentences(
    {
        Relations.Declared: private(
            "有人申报与{related}有关联（{relation}）",
            "Somebody declared a relation to {related} ({relation})",
        ),
    },
    {"relation": lambda fact: _RELATIONS[fact.relation], "related": _related},
)
"""What its events say."""
