"""/audit/history and /audit/events: every event, whoever it is about, and its proof."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import Response
from msgspec import Struct
from sqlalchemy import RowMapping, Select

from api.kernel.desk import READS_ALL
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.colleagues import colleagues
from api.pages.kit.columns import Column, Filter, fund_choices
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.own_pages import own_page
from api.pages.kit.rows import ListQuery, Selected
from api.pages.public.events import EventLine, corrections, figures_of
from api.routes.log import covering, proven, text_of
from ledger.books.postings import postings
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import NotFound
from ledger.kernel.names import Position
from ledger.transparency.encoding import to_base64
from projections.exports.tables import Kind
from projections.kernel.sentences import Sentence
from projections.views.audit_trail import AuditTrail, Sought, matching
from projections.views.every import sentence
from projections.views.journal import line

router = APIRouter(route_class=Entrance, include_in_schema=False)

MATTER_MAX = 50
"""Other events of the same matter that are listed beside one."""

POSITION_MAX = 2**53


class _Event(Struct, frozen=True):
    position: Position
    fact: Fact

    @property
    def sentence(self) -> Sentence:
        return sentence(self.fact)


def _asked(query: ListQuery[Any]) -> Select[Any]:
    given = query.given
    return matching(
        Sought(given["fund"], given["stream"], given["actor"], given["from"], given["to"])
    )


def _events(query: ListQuery[Any], rows: Sequence[RowMapping]) -> list[_Event]:
    positions = [Position(row["position"]) for row in rows]
    facts = dict(query.desk.ledger.at(positions))
    return [_Event(each, facts[each]) for each in positions]


HISTORY = ListPage[_Event](
    name="history",
    title=marked("History"),
    view=AuditTrail,
    rows=Selected(_asked, "position", _events),
    order="-position",
    order_of_files="position",
    later=marked("Earlier events"),
    filters=(
        Filter(name="fund", title=marked("Fund"), kind="choice", choices=fund_choices),
        Filter(name="from", title=marked("From day"), kind="day"),
        Filter(name="to", title=marked("To day"), kind="day"),
        Filter(name="actor", title=marked("Person"), appears="given"),
        Filter(name="stream", title=marked("Matter"), kind="id", appears="given"),
    ),
    columns=(
        Column(
            name="position",
            title=marked("Event"),
            kind=Kind.EVENT,
            link=lambda row: f"/audit/events/{row.position}",
            heads=True,
            sortable=True,
        ),
        Column(
            name="on", title=marked("Business day"), kind=Kind.DAY, read=lambda row: row.fact.on
        ),
        Column(
            name="recorded_at",
            title=marked("Written down"),
            kind=Kind.INSTANT,
            read=lambda row: row.fact.recorded_at,
            on_page=False,
        ),
        Column(name="type", title=marked("Kind"), read=lambda row: row.fact.TOPIC, on_page=False),
        Column(name="sentence", title=marked("What happened"), kind=Kind.TRANSLATED),
        Column(name="actor", title=marked("Person"), read=lambda row: row.fact.actor),
        Column(name="role", title=marked("Role"), read=lambda row: row.fact.role, on_page=False),
        Column(
            name="stream",
            title=marked("Matter"),
            read=lambda row: str(row.fact.originator_id),
            on_page=False,
        ),
    ),
)


@router.get("/audit/history")
@may(*READS_ALL)
def history(desk: PageDesk) -> Response:
    """Show events, the newest first, filtered as the address says."""
    return HISTORY.answer(desk, partial(_page, desk))


def _page(desk: PageDesk, listing: ListView[_Event]) -> Response:
    events = tell_all(desk, ((each.position, each.fact) for each in listing.part.rows))
    return own_page(
        desk,
        "history.html",
        listing=listing,
        lines={each.position: each for each in events},
        who=colleagues(desk, ((each.fact.actor, each.fact.role) for each in events)),
    )


def tell_all(desk: PageDesk, events: Any) -> list[EventLine]:
    """Say of events what an auditor may know, which is all but who a person is."""
    return [
        EventLine(position, fact, sentence(fact), *corrections(desk, position, fact))
        for position, fact in events
    ]


@router.get("/audit/events/{position}")
@may(*READS_ALL)
def event(desk: PageDesk, position: Annotated[int, Path(ge=1, le=POSITION_MAX)]) -> Response:
    """Show one event: as it is stored, what it did, who recorded it, and that it is proven."""
    events = list(desk.ledger.at([Position(position)]))
    if not events:
        raise NotFound("event", by="position")
    ((_, fact),) = events
    (stored,) = desk.ledger.store.at([position])
    matter = tell_all(desk, desk.ledger.history(0, MATTER_MAX, stream=fact.originator_id))
    (line,) = tell_all(desk, events)
    return own_page(
        desk,
        "audit_event.html",
        event=line,
        stored=stored.state.decode(),
        size=len(stored.state),
        entry=_entry(fact),
        figures=figures_of(fact),
        matter=matter,
        who=colleagues(desk, ((each.fact.actor, each.fact.role) for each in [*matter, line])),
        proof=_proof(desk, position),
        last=desk.ledger.store.last_position(),
    )


def _entry(fact: Fact) -> list[dict[str, Any]]:
    return [line(*each) for each in postings(fact)]


def _proof(desk: PageDesk, position: int) -> dict[str, Any]:
    published = covering(desk, position)
    (proof,) = desk.site.log.prove(published, [Position(position)])
    return proven(proof) | {
        "sha256": proof.leaf.sha256,
        "size": published.checkpoint.size,
        "root": to_base64(published.checkpoint.root),
        "checkpoint": text_of(published),
    }
