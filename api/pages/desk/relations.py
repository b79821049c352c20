"""/desk/relations: to whom people declared that they are too close to decide for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, get_args
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import RowMapping, Select

from api.kernel.desk import READS_ALL, Desk, today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.kernel.things import short
from api.pages.desk.aid import WHO_PAYS_WHOM
from api.pages.kit.colleagues import colleagues, payee_called
from api.pages.kit.columns import Column
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import on_day, one_of, text
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.own_pages import own_page, then
from api.pages.kit.rows import ListQuery, Selected
from api.routes.disbursements import READERS
from api.routes.relations import DECLARE
from api.routes.relations import KINDS as RELATION_KINDS
from ledger.aggregates.relations import RelationKind
from ledger.commands.relations import declare_relation
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from projections.exports.tables import Kind
from projections.views.disbursements import Disbursements, disbursement
from projections.views.relations import RelationsDeclared, declared

router = APIRouter(prefix="/desk/relations", route_class=Entrance, include_in_schema=False)

NAME_MAX = 200
"""Characters of an organisation's name, as the API takes it."""


def _asked(query: ListQuery[Any]) -> Select[Any]:
    return declared(None if _sees_all(query.desk) else query.desk.caller.person)


def _with_declarers(query: ListQuery[Any], rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    who = colleagues(query.desk, ((row["person"], Role.CLERK) for row in rows))
    return [{**row, "person": who[row["person"]], "to": _to(dict(row))} for row in rows]


RELATIONS = ListPage[dict[str, Any]](
    name="relations",
    title=marked("Declared relations"),
    view=RelationsDeclared,
    rows=Selected(_asked, "position", _with_declarers),
    order="position",
    none=marked("Nothing was declared yet."),
    later=marked("Later declarations"),
    columns=(
        Column(name="position", title=marked("Event"), kind=Kind.EVENT, on_page=False),
        Column(name="on", title=marked("Declared on"), kind=Kind.DAY, sortable=True),
        Column(name="person", title=marked("Person")),
        Column(name="to", title=marked("To"), heads=True),
        Column(
            name="relation",
            title=marked("Relation"),
            kind=Kind.CODE,
            words=RELATION_KINDS,
            sortable=True,
        ),
    ),
)


@router.get("")
@may(*READERS)
def list_relations(desk: PageDesk, aid: UUID | None = None, done: int = 0) -> Response:
    """Show what was declared: to treasurer and auditor all of it, to others their own.

    The form is filled in with the payee of the request ``aid``, if one is named.
    """
    values, payee = ({}, None) if aid is None else _of_request(desk, aid)
    return RELATIONS.answer(desk, partial(_page, desk, values, payee=payee, done=done))


def _of_request(desk: PageDesk, aid: UUID) -> tuple[dict[str, str], str | None]:
    """Return how the payee of a request is declared, and what they are called."""
    with desk.read(Disbursements) as reading:
        request = disbursement(reading.connection, str(aid))
    if request is None:
        raise NotFound("disbursement")
    if request["payee_name"] is not None:
        return {"organisation": request["payee_name"]}, None
    knows = not desk.caller.roles.isdisjoint(WHO_PAYS_WHOM)
    payee = request["payee"]
    return {"party": payee}, payee_called(desk, payee, None) if knows else None


def _page(
    desk: PageDesk,
    values: Mapping[str, str],
    *,
    listing: ListView[Any],
    payee: str | None = None,
    done: int = 0,
    refusal: LedgerError | None = None,
) -> Response:
    return own_page(
        desk,
        "relations.html",
        listing=listing,
        sees_all=_sees_all(desk),
        may_declare=not desk.caller.roles.isdisjoint(DECLARE),
        kinds=get_args(RelationKind),
        values=values,
        payee=payee,
        name_max=NAME_MAX,
        today=today(),
        done=done,
        refusal=refusal,
    )


def _sees_all(desk: Desk) -> bool:
    return not desk.caller.roles.isdisjoint(READS_ALL)


def _to(row: Mapping[str, Any]) -> str:
    """Return to whom: an organisation by its name, a person by the end of their id."""
    return row["organisation"] or short(row["party"])


@router.post("")
@may(*DECLARE)
async def declare(desk: PageDesk) -> Response:
    """Record a relation of one's own."""
    try:
        receipt = await desk.record(
            declare_relation,
            party=_party(desk.fields),
            organisation=_organisation(desk.fields),
            relation=one_of(desk.fields, "relation", RelationKind),
            on=on_day(desk.fields),
        )
    except LedgerError as refusal:
        draw = partial(_page, desk, desk.fields, refusal=refusal)
        return await run_in_threadpool(RELATIONS.page, desk, draw)
    return then(f"/desk/relations?done={receipt.position}")


def _party(fields: Mapping[str, str]) -> PartyId | None:
    written = fields.get("party", "").strip()
    if not written:
        return None
    try:
        return PartyId(str(UUID(written)))
    except ValueError:
        raise Invalid("party", "is not a valid id, such as the page of a request shows") from None


def _organisation(fields: Mapping[str, str]) -> str | None:
    if not fields.get("organisation", "").strip():
        return None
    name = text(fields, "organisation")
    if len(name) > NAME_MAX:
        raise Invalid("organisation", "must be at most {most} characters", most=NAME_MAX)
    return name
