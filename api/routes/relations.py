"""/v1/people/relations"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import READS_ALL, AtLeast, Desk
from api.kernel.doors import Door, may, takes
from api.kernel.dry_run import DryRun
from api.kernel.forms import Forms, titled
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.texts import marked
from api.kernel.wire import Body, Day, Done, Name, done, example, json_response
from ledger.aggregates.relations import RelationKind
from ledger.commands.relations import declare_relation
from ledger.kernel.roles import Role
from projections.views.relations import RelationsDeclared, relations

router = APIRouter(prefix="/v1/people", tags=["people"], route_class=Door)

DECLARE = tuple(Role(each) for each in declare_relation.by)
"""Roles that have a part in money."""


class NewRelation(Body):
    """To whom the caller is related: an organisation by its name, or a party by its id."""

    model_config = example(organisation="爱丽聋儿康复中心", relation="family", on="2026-03-20")

    organisation: Name | None = Field(
        None,
        description="As anybody spells it; spaces, punctuation, width and case are passed over.",
    )
    party: UUID | None = Field(None, description="Such as the `payee` of a disbursement.")
    relation: RelationKind
    on: Day

    def arguments(self) -> dict[str, Any]:
        """Return what is declared; a party's id is opaque text in the history."""
        return super().arguments() | {"party": None if self.party is None else str(self.party)}


class RelationShown(BaseModel):
    """What somebody declared."""

    position: int
    person: str
    organisation: str | None
    party: str | None
    relation: RelationKind
    on: str


class RelationsShown(BaseModel):
    """A page of relations."""

    items: list[RelationShown]
    next: str | None


@router.post("/relations", response_model=Done | DryRun)
@titled(marked("Declare a relation of your own"))
@takes(declare_relation)
async def declare(body: NewRelation, desk: Desk) -> Response:
    """Declare a relation of your own. You cannot approve for such a payee; it stands for good."""
    return done(await desk.record(declare_relation, **body.arguments()))


@router.get("/relations", response_model=RelationsShown)
@may(*READS_ALL, *(each for each in DECLARE if each not in READS_ALL))
def list_relations(
    desk: Desk,
    person: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
) -> Response:
    """Return what was declared, oldest first; to treasurer and auditor all, to others their own."""
    query = list_query("relations", cursor, limit, person=person)
    whose = query.filters.get("person")
    if desk.role not in READS_ALL:
        mine = desk.caller.person
        if (whose or mine) != mine:
            return json_response({"items": [], "next": None})
        whose = mine
    with desk.read(RelationsDeclared, at_least) as reading:
        rows = relations(reading.connection, after=query.after, limit=query.limit + 1, person=whose)
    return json_response(query.page(rows, lambda row: int(row["position"])))


KINDS = {
    "family": marked("Family"),
    "work": marked("Employment or office"),
    "ownership": marked("A share in it"),
    "other": marked("Something else"),
}
"""How somebody is too close to a payee."""

FORMS = Forms(
    "people",
    labels={"organisation": marked("To which organisation"), "relation": marked("How")},
    hints={
        "organisation": marked("Its whole name, as anybody spells it; or choose a person below."),
        "party": marked("If it is a person who is to be paid: choose the request for them."),
    },
    choices=(KINDS,),
)
