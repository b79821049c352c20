"""/funds/{code}/lines and /events/{position}: the events that a figure is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import Desk
from api.kernel.doors import Door, may
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter
from api.pages.kit.forms import day
from api.pages.kit.lists import ListPage
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rendering import page
from api.pages.kit.rows import Keyed, ListQuery, Part
from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.books.movements import COLUMNS, movements
from ledger.books.postings import postings
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import Invalid, NotFound
from ledger.kernel.names import Position
from projections.exports.tables import Kind
from projections.kernel.keyset import Key
from projections.kernel.sentences import Sentence
from projections.views.corrections import Correction
from projections.views.every import public_sentence
from projections.views.journal import Journal, line
from projections.views.statements import Place, Span, Statements, events_within, kind_of, span

router = APIRouter(route_class=Door, include_in_schema=False)

EVENTS_SHOWN = 50
"""Events of one matter on the page of one of them."""

STREAM_MAX = 1_000
"""Events of one matter that are looked through for corrections; few have ten."""

POSITION_MAX = 2**53

MAY_BE_CORRECTED = (
    Disbursement.Paid,
    Disbursement.Bounced,
    Donation.PaymentReceived,
    Donation.Refunded,
)
"""Events that are looked up beside the others of their stream, to see what put them right."""


class EventLine(Struct, frozen=True):
    """An event as everybody may see it.

    Attributes:
        position: Its place in the history.
        fact: The event.
        sentence: It in a sentence.
        corrected_by: The event that undid it.
        corrects: The event that it undid.

    """

    position: Position
    fact: Fact
    sentence: Sentence
    corrected_by: Position | None
    corrects: Position | None


def money(fact: Fact, fund: str) -> int:
    """Return what an event brought ``fund`` in money, in fen."""
    return sum(each.received - each.paid for each in movements(fact) if each.fund == fund)


class OfLine(Struct, frozen=True):
    """An event that a line of a statement is made of, and what it brought the fund, in fen."""

    position: Position
    on: date
    sentence: Sentence
    amount: int
    corrected_by: Position | None
    corrects: Position | None


class _Events(Keyed):
    """The events that a line of a statement is made of."""

    def part(self, query: ListQuery[Any]) -> Part[OfLine]:
        """Return the events that are asked for."""
        code, place, where = (query.given[name] for name in ("code", "place", "where"))
        page_range = query.range
        after = 0 if page_range.after is None else page_range.after.position
        rest = Span(Position(max(where.first, after + 1)), min(where.last, page_range.until))
        with query.desk.read(Journal) as entries:  # As far as the statement, or farther.
            positions = events_within(
                entries.connection, rest, code, place, limit=page_range.limit + 1
            )
        part = positions[: page_range.limit]
        following = Key(part[-1], part[-1]) if len(positions) > len(part) else None
        return Part(list(_of_line(query.desk, code, part)), following)


def _of_line(desk: Desk, code: str, positions: Sequence[Position]) -> Iterator[OfLine]:
    for each in tell(desk, list(desk.ledger.at(positions))):
        amount = money(each.fact, code)
        if amount:
            by, of = each.corrected_by, each.corrects
            yield OfLine(each.position, each.fact.on, each.sentence, amount, by, of)


EVENTS = ListPage[OfLine](
    name="events",
    title=marked("Events"),
    view=Statements,
    rows=_Events(),
    order="position",
    later=marked("Later events"),
    filters=(
        Filter(name="on", kind="day", appears="hidden"),
        Filter(name="kind", appears="hidden", max_length=100),
    ),
    columns=(
        Column(
            name="position",
            title=marked("Event"),
            kind=Kind.EVENT,
            link=lambda row: f"/events/{row.position}",
        ),
        Column(name="on", title=marked("Business day"), kind=Kind.DAY, on_page=False),
        Column(name="sentence", title=marked("What happened"), kind=Kind.TRANSLATED),
        Column(
            name="amount",
            title=marked("Yuan"),
            kind=Kind.AMOUNT,
            struck=lambda row: row.corrected_by is not None,
        ),
    ),
)


@router.get("/funds/{code}/lines")
@may()
def show_line(
    code: str,
    desk: Desk,
    on: Annotated[str, Query(max_length=10)],
    kind: Annotated[str, Query(max_length=100)],
) -> Response:
    """Show the events that one line of a fund's statement is made of."""
    require_views_ready(desk.site)
    of_day = day(on, "on")
    if of_day is None:
        raise Invalid("on", "must be a day such as 2026-03-20")
    place = Place(of_day, kind)
    with desk.read(Statements) as reading:
        where = span(reading.connection, code, place)
    if where is None:
        raise NotFound("line", by="fund, day and kind")
    draw = partial(page, desk, "line.html", code=code, place=place)
    return EVENTS.answer(desk, draw, code=code, place=place, where=where)


@router.get("/events/{position}")
@may()
def show_event(desk: Desk, position: Annotated[int, Path(ge=1, le=POSITION_MAX)]) -> Response:
    """Show what everybody may know of one event, and of what else happened in the same matter."""
    events = list(desk.ledger.at([Position(position)]))
    if not events:
        raise NotFound("event", by="position")
    lines = tell(desk, events)
    if not lines:
        return page(desk, "event_hidden.html", position=position)
    (event,) = lines
    stream = event.fact.originator_id
    matter = list(desk.ledger.history(0, EVENTS_SHOWN, stream=stream))
    return page(
        desk,
        "event.html",
        event=event,
        kind=kind_of(event.fact),
        entry=[line(*each) for each in postings(event.fact)],
        figures=figures_of(event.fact),
        matter=tell(desk, matter),
    )


def tell(desk: Desk, events: Sequence[tuple[Position, Fact]]) -> list[EventLine]:
    """Say of these events what everybody may know; leave out those that are not public."""
    lines = []
    for position, fact in events:
        sentence = public_sentence(fact)
        if sentence is not None:
            by, of = corrections(desk, position, fact)
            lines.append(EventLine(position, fact, sentence, by, of))
    return lines


def corrections(
    desk: Desk, position: Position, fact: Fact
) -> tuple[Position | None, Position | None]:
    """Return the event that undid this one, and the event that this one undid, if any did."""
    if not isinstance(fact, MAY_BE_CORRECTED):
        return None, None
    correction = Correction(desk.ledger.history(0, STREAM_MAX, stream=fact.originator_id))
    return correction.by.get(position), correction.of.get(position)


def figures_of(fact: Fact) -> list[dict[str, Any]]:
    """Return how each figure of each fund changed."""
    return [
        {"fund": each.fund, "name": name, "change": getattr(each, name)}
        for each in movements(fact)
        for name in COLUMNS
        if getattr(each, name)
    ]
