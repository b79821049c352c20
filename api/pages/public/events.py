"""/funds/{code}/lines and /events/{position}: the events that a figure is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import Desk
from api.kernel.doors import Door, may
from api.pages.kit.forms import day
from api.pages.kit.labels import marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.readiness import must_be_level
from api.pages.kit.rendering import page
from api.pages.kit.tables import CSV, As, Yuan, sheet
from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.books.movements import COLUMNS, movements
from ledger.books.postings import postings
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import Invalid, NotFound
from ledger.kernel.names import Position
from projections.kernel.sentences import Sentence
from projections.views.corrections import Correction
from projections.views.every import public_sentence
from projections.views.journal import Journal, line
from projections.views.statements import Place, Span, Statements, events_within, kind_of, span

router = APIRouter(route_class=Door, include_in_schema=False)

EVENTS_SHOWN = 50
"""Events on one page."""

STREAM_MAX = 1_000
"""Events of one matter that are looked through for corrections; few have ten."""

POSITION_MAX = 2**53

EVENT_COLUMNS = (
    marked("Event"),
    marked("Business day"),
    marked("What happened"),
    marked("Yuan"),
)

MAY_BE_CORRECTED = (
    Disbursement.Paid,
    Disbursement.Bounced,
    Donation.PaymentReceived,
    Donation.Refunded,
)
"""Events that are looked up beside the others of their stream, to see what put them right."""


class Told(Struct, frozen=True):
    """An event as everybody may see it.

    Attributes:
        position: Its place in the history.
        fact: The event.
        said: It in a sentence.
        corrected_by: The event that undid it.
        corrects: The event that it undid.

    """

    position: Position
    fact: Fact
    said: Sentence
    corrected_by: Position | None
    corrects: Position | None

    def money(self, fund: str) -> int:
        """Return what it brought ``fund`` in money, in fen."""
        return sum(each.received - each.paid for each in movements(self.fact) if each.fund == fund)


@router.get("/funds/{code}/lines")
@may()
def show_line(
    code: str,
    desk: Desk,
    on: Annotated[str, Query(max_length=10)],
    kind: Annotated[str, Query(max_length=100)],
    after: Annotated[int, Query(ge=0, le=POSITION_MAX)] = 0,
    form: As = "",
) -> Response:
    """Show the events that one line of a fund's statement is made of."""
    must_be_level(desk.site)
    of_day = day(on, "on")
    if of_day is None:
        raise Invalid("on", "must be a day such as 2026-03-20")
    place = Place(of_day, kind)
    with desk.read(Statements) as reading:
        where = span(reading.connection, code, place)
    if where is None:
        raise NotFound("line", by="fund, day and kind")
    found = _LineOf(code, place, where)
    if form == CSV:
        return sheet("events", EVENT_COLUMNS, _rows(desk, found), words(language_of(desk)).gettext)
    told, following = found.part(desk, after)
    return page(desk, "line.html", code=code, place=place, told=told, following=following)


class _LineOf(Struct, frozen=True):
    """A line of a fund's statement, and where its events stand."""

    code: str
    place: Place
    where: Span

    def part(self, desk: Desk, after: int) -> tuple[list[Told], Position | None]:
        """Return its next events after a position, and where those end, if more follow."""
        rest = Span(Position(max(self.where.first, after + 1)), self.where.last)
        with desk.read(Journal) as entries:  # It has read as far as the statement, or farther.
            found = events_within(
                entries.connection, rest, self.code, self.place, limit=EVENTS_SHOWN + 1
            )
        told = tell(desk, list(desk.ledger.at(found[:EVENTS_SHOWN])))
        following = found[EVENTS_SHOWN - 1] if len(found) > EVENTS_SHOWN else None
        return [each for each in told if each.money(self.code)], following


def _rows(desk: Desk, of: _LineOf) -> Iterator[tuple[object, ...]]:
    after: Position | None = Position(0)
    while after is not None:
        told, after = of.part(desk, after)
        for each in told:
            said = each.said.zh if language_of(desk) == "zh" else each.said.en
            yield each.position, each.fact.on, said, Yuan(each.money(of.code))


@router.get("/events/{position}")
@may()
def show_event(desk: Desk, position: Annotated[int, Path(ge=1, le=POSITION_MAX)]) -> Response:
    """Show what everybody may know of one event, and of what else happened in the same matter."""
    found = list(desk.ledger.at([Position(position)]))
    if not found:
        raise NotFound("event", by="position")
    told = tell(desk, found)
    if not told:
        return page(desk, "event_hidden.html", position=position)
    (shown,) = told
    stream = shown.fact.originator_id
    matter = list(desk.ledger.history(0, EVENTS_SHOWN, stream=stream))
    return page(
        desk,
        "event.html",
        event=shown,
        kind=kind_of(shown.fact),
        entry=[line(*each) for each in postings(shown.fact)],
        figures=figures_of(shown.fact),
        matter=tell(desk, matter),
    )


def tell(desk: Desk, found: Sequence[tuple[Position, Fact]]) -> list[Told]:
    """Say of these events what everybody may know; leave out those that are not public."""
    told = []
    for position, fact in found:
        said = public_sentence(fact)
        if said is not None:
            by, of = corrections(desk, position, fact)
            told.append(Told(position, fact, said, by, of))
    return told


def corrections(
    desk: Desk, position: Position, fact: Fact
) -> tuple[Position | None, Position | None]:
    """Return the event that undid this one, and the event that this one undid, if any did."""
    if not isinstance(fact, MAY_BE_CORRECTED):
        return None, None
    found = Correction(desk.ledger.history(0, STREAM_MAX, stream=fact.originator_id))
    return found.by.get(position), found.of.get(position)


def figures_of(fact: Fact) -> list[dict[str, Any]]:
    """Return how each figure of each fund changed."""
    return [
        {"fund": each.fund, "name": name, "change": getattr(each, name)}
        for each in movements(fact)
        for name in COLUMNS
        if getattr(each, name)
    ]
