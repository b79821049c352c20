"""/desk/relations: to whom people declared that they are too close to decide for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.desk import READS_ALL, today
from api.kernel.doors import may
from api.pages.desk.aid import WHO_PAYS_WHOM
from api.pages.kit.colleagues import SHORT, colleagues, payee_called
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import on_day, one_of, text
from api.pages.kit.labels import RELATION_KINDS, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.own_pages import own_page, then
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import CSV, As, sheet
from api.routes.disbursements import READERS
from api.routes.relations import DECLARE
from ledger.aggregates.relations import RelationKind
from ledger.commands.relations import declare_relation
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from projections.views.disbursements import Disbursements, disbursement
from projections.views.relations import RelationsDeclared, relations

router = APIRouter(prefix="/desk/relations", route_class=Entrance, include_in_schema=False)

ROWS_SHOWN = 50

NAME_MAX = 200
"""Characters of an organisation's name, as the API takes it."""

COLUMNS = (
    marked("Event"),
    marked("Declared on"),
    marked("Person"),
    marked("To"),
    marked("Relation"),
)


@router.get("")
@may(*READERS)
def list_relations(
    desk: PageDesk,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    form: As = "",
    aid: UUID | None = None,
    done: int = 0,
) -> Response:
    """Show what was declared: to treasurer and auditor all of it, to others their own.

    The form is filled in with the payee of the request ``aid``, if one is named.
    """
    must_be_level(desk.site)
    if form == CSV:
        say = words(language_of(desk)).gettext
        return sheet("relations", COLUMNS, _rows(desk, say), say)
    said, payee = ({}, None) if aid is None else _of_request(desk, aid)
    return _page(desk, said, payee=payee, after=after, done=done)


def _of_request(desk: PageDesk, aid: UUID) -> tuple[dict[str, str], str | None]:
    """Return how the payee of a request is declared, and what they are called."""
    with desk.read(Disbursements) as reading:
        found = disbursement(reading.connection, str(aid))
    if found is None:
        raise NotFound("disbursement")
    if found["payee_name"] is not None:
        return {"organisation": found["payee_name"]}, None
    knows = not desk.caller.roles.isdisjoint(WHO_PAYS_WHOM)
    payee = found["payee"]
    return {"party": payee}, payee_called(desk, payee, None) if knows else None


def _page(
    desk: PageDesk,
    said: Mapping[str, str],
    *,
    payee: str | None = None,
    after: int = 0,
    done: int = 0,
    refusal: LedgerError | None = None,
) -> Response:
    rows = _part(desk, after, ROWS_SHOWN + 1)
    return own_page(
        desk,
        "relations.html",
        rows=[each | {"to": _to(each)} for each in rows[:ROWS_SHOWN]],
        who=_declarers(desk, rows),
        following=rows[ROWS_SHOWN - 1]["position"] if len(rows) > ROWS_SHOWN else None,
        sees_all=_sees_all(desk),
        may_declare=not desk.caller.roles.isdisjoint(DECLARE),
        kinds=get_args(RelationKind),
        said=said,
        payee=payee,
        name_max=NAME_MAX,
        today=today(),
        done=done,
        refusal=refusal,
    )


def _sees_all(desk: PageDesk) -> bool:
    return not desk.caller.roles.isdisjoint(READS_ALL)


def _part(desk: PageDesk, after: int, limit: int) -> list[dict[str, Any]]:
    whose = None if _sees_all(desk) else desk.caller.person
    with desk.read(RelationsDeclared) as reading:
        return relations(reading.connection, after=after, limit=limit, person=whose)


def _declarers(desk: PageDesk, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return colleagues(desk, ((row["person"], Role.CLERK) for row in rows))


def _to(row: Mapping[str, Any]) -> str:
    """Return to whom: an organisation by its name, a person by the end of their id."""
    return row["organisation"] or f"…{row['party'][-SHORT:]}"


def _rows(desk: PageDesk, say: Callable[[str], str]) -> Iterator[tuple[object, ...]]:
    after = 0
    while rows := _part(desk, after, ROWS_SHOWN * 10):
        who = _declarers(desk, rows)
        for row in rows:
            yield (
                row["position"],
                row["on"],
                who[row["person"]],
                _to(row),
                say(RELATION_KINDS[row["relation"]]),
            )
        after = rows[-1]["position"]


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
        return await run_in_threadpool(_page, desk, desk.fields, refusal=refusal)
    return then(f"/desk/relations?done={receipt.position}")


def _party(said: Mapping[str, str]) -> PartyId | None:
    written = said.get("party", "").strip()
    if not written:
        return None
    try:
        return PartyId(str(UUID(written)))
    except ValueError:
        raise Invalid("party", "is not a valid id, such as the page of a request shows") from None


def _organisation(said: Mapping[str, str]) -> str | None:
    if not said.get("organisation", "").strip():
        return None
    name = text(said, "organisation")
    if len(name) > NAME_MAX:
        raise Invalid("organisation", "must be at most {most} characters", most=NAME_MAX)
    return name
