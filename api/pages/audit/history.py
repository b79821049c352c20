"""/audit/history and /audit/events: every event, whoever it is about, and its proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import READS_ALL
from api.kernel.doors import may
from api.pages.kit.colleagues import colleagues
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import day
from api.pages.kit.labels import marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.own_pages import own_page
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import CSV, As, sheet
from api.pages.public.events import Told, corrections, figures_of
from api.routes.log import covering, proven, text_of
from ledger.books.postings import postings
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import Invalid, NotFound
from ledger.kernel.names import Position
from ledger.transparency.encoding import to_base64
from projections.views.audit_trail import AuditTrail, Sought, latest, trail
from projections.views.every import sentence
from projections.views.fund_balances import FundBalances, fund_rows
from projections.views.journal import line

router = APIRouter(route_class=Entrance, include_in_schema=False)

EVENTS_SHOWN = 50

EVENTS_AT_ONCE = 500
"""Events that a file is made of at a time."""

MATTER_MAX = 50
"""Other events of the same matter that are listed beside one."""

POSITION_MAX = 2**53

COLUMNS = (
    marked("Event"),
    marked("Business day"),
    marked("Written down"),
    marked("Kind"),
    marked("What happened"),
    marked("Person"),
    marked("Role"),
    marked("Matter"),
)

PlaceInHistory = Annotated[int | None, Query(ge=1, le=POSITION_MAX)]


class _Filters(Struct, frozen=True):
    """What the address asks for, as it is written there, and as it is looked for."""

    asked: dict[str, str | None]
    sought: Sought


@router.get("/audit/history")
@may(*READS_ALL)
def history(  # What a reader may ask for.
    desk: PageDesk,
    fund: Annotated[str, Query(max_length=32)] = "",
    actor: Annotated[str, Query(max_length=64)] = "",
    stream: Annotated[str, Query(max_length=36)] = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    before: PlaceInHistory = None,
    form: As = "",
) -> Response:
    """Show events, the newest first, filtered as the address says."""
    must_be_level(desk.site)
    asked = {"fund": fund, "actor": actor, "stream": stream, "from": first, "to": last}
    filters = _filters({name: said.strip() or None for name, said in asked.items()})
    if form == CSV:
        say = words(language_of(desk)).gettext
        return sheet("history", COLUMNS, _rows(desk, filters.sought), say)
    with desk.read(AuditTrail) as reading:
        found = latest(reading.connection, filters.sought, before=before, limit=EVENTS_SHOWN + 1)
    with desk.read(FundBalances) as also:
        funds = {each["fund"]: each["name"] for each in fund_rows(also.connection)}
    events = tell_all(desk, reversed(list(desk.ledger.at(found[:EVENTS_SHOWN]))))
    return own_page(
        desk,
        "history.html",
        events=events,
        who=colleagues(desk, ((each.fact.actor, each.fact.role) for each in events)),
        funds=funds,
        asked=filters.asked,
        newest=before is None,
        following=found[EVENTS_SHOWN - 1] if len(found) > EVENTS_SHOWN else None,
    )


def _filters(asked: dict[str, str | None]) -> _Filters:
    if asked["stream"] is not None:
        try:
            asked["stream"] = str(UUID(asked["stream"]))
        except ValueError:
            raise Invalid("stream", "is not a valid id") from None
    first, last = (day(asked[name] or "", name) for name in ("from", "to"))
    return _Filters(asked, Sought(asked["fund"], asked["stream"], asked["actor"], first, last))


def _rows(desk: PageDesk, sought: Sought) -> Iterator[tuple[object, ...]]:
    after, language = 0, language_of(desk)
    while True:
        with desk.read(AuditTrail) as reading:
            found = trail(reading.connection, sought, after=after, limit=EVENTS_AT_ONCE)
        if not found:
            return
        for position, fact in desk.ledger.at(found):
            said = sentence(fact)
            yield (
                position,
                fact.on,
                fact.recorded_at.isoformat(),
                fact.TOPIC,
                said.zh if language == "zh" else said.en,
                fact.actor,
                fact.role,
                fact.originator_id,
            )
        after = found[-1]


def tell_all(desk: PageDesk, found: Any) -> list[Told]:
    """Say of events what an auditor may know, which is all but who a person is."""
    return [
        Told(position, fact, sentence(fact), *corrections(desk, position, fact))
        for position, fact in found
    ]


@router.get("/audit/events/{position}")
@may(*READS_ALL)
def event(desk: PageDesk, position: Annotated[int, Path(ge=1, le=POSITION_MAX)]) -> Response:
    """Show one event: as it is stored, what it did, who recorded it, and that it is proven."""
    found = list(desk.ledger.at([Position(position)]))
    if not found:
        raise NotFound("event", by="position")
    ((_, fact),) = found
    (stored,) = desk.ledger.store.at([position])
    matter = tell_all(desk, desk.ledger.history(0, MATTER_MAX, stream=fact.originator_id))
    (told,) = tell_all(desk, found)
    return own_page(
        desk,
        "audit_event.html",
        event=told,
        stored=stored.state.decode(),
        size=len(stored.state),
        entry=_entry(fact),
        figures=figures_of(fact),
        matter=matter,
        who=colleagues(desk, ((each.fact.actor, each.fact.role) for each in [*matter, told])),
        proof=_proof(desk, position),
        last=desk.ledger.store.last_position(),
    )


def _entry(fact: Fact) -> list[dict[str, Any]]:
    return [line(*each) for each in postings(fact)]


def _proof(desk: PageDesk, position: int) -> dict[str, Any]:
    published = covering(desk, position)
    (found,) = desk.site.log.prove(published, [Position(position)])
    return proven(found) | {
        "sha256": found.leaf.sha256,
        "size": published.checkpoint.size,
        "root": to_base64(published.checkpoint.root),
        "checkpoint": text_of(published),
    }
