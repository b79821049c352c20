"""/funds/{code}: what one fund has, and its statement for any period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.kernel.desk import Desk, Reading, today
from api.kernel.doors import Door, may
from api.pages.kit.forms import day
from api.pages.kit.labels import KINDS, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.readiness import must_be_level
from api.pages.kit.rendering import page
from api.pages.kit.tables import CSV, As, Yuan, sheet
from api.pages.public.flows import Moved
from api.pages.public.front import as_of, drawn
from ledger.kernel.errors import Invalid, NotFound
from projections.kernel.periods import Period
from projections.views.fund_balances import FundBalances, fund_balance, fund_row
from projections.views.purposes import paid_for
from projections.views.statements import Place, Statements, came_from, openings, statement

router = APIRouter(route_class=Door, include_in_schema=False)

LINES_SHOWN = 60
"""Lines of a statement on one page."""

OPENING, CLOSING = marked("Opening"), marked("Closing")

COLUMNS = (
    marked("Day"),
    marked("What"),
    marked("Events"),
    marked("Came in"),
    marked("Went out"),
    marked("Balance"),
)


@router.get("/funds/{code}")
@may()
def show_fund(
    code: str,
    desk: Desk,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    after: Annotated[str, Query(max_length=100)] = "",
    form: As = "",
) -> Response:
    """Show what a fund has, what came and went in a period, and where to."""
    must_be_level(desk.site)
    period = Period(day(first, "from"), day(last, "to"))
    if period.first and period.last and period.last < period.first:
        raise Invalid("to", "{last} is before {first}", last=period.last, first=period.first)
    if form == CSV:
        return _sheet(desk, code, period)
    with desk.read(Statements) as reading:
        shown = statement(reading.connection, code, period, after=_place(after), limit=LINES_SHOWN)
        moved = _moved(reading, code, period)
    with desk.read(FundBalances) as also:
        fund = fund_row(also.connection, code)
        # Of the same event as the statement, however far the ledger went on meanwhile.
        figures = fund_balance(also.connection, code, also.position, known_at=reading.position)
    if fund is None or figures is None:
        raise NotFound("fund", by="code")
    return page(
        desk,
        "fund.html",
        fund=fund,
        figures=figures,
        statement=shown,
        period=period,
        after=after,
        flows=drawn(desk, moved, {code: fund["name"]}),
        periods=_periods(),
        as_of=as_of(desk, reading.position),
    )


def _sheet(desk: Desk, code: str, period: Period) -> Response:
    """Return the whole statement of a period as a file."""
    with desk.read(FundBalances) as reading:
        if fund_row(reading.connection, code) is None:
            raise NotFound("fund", by="code")
    say = words(language_of(desk)).gettext
    return sheet(f"statement-{code}", COLUMNS, _rows(desk, code, period, say), say)


def _rows(
    desk: Desk, code: str, period: Period, say: Callable[[str], str]
) -> Iterator[tuple[object, ...]]:
    """Yield the opening, every line, and the closing."""
    place, more = None, True
    while more:
        with desk.read(Statements) as reading:
            part = statement(reading.connection, code, period, after=place, limit=LINES_SHOWN * 10)
        if place is None:
            yield period.first, say(OPENING), None, None, None, Yuan(part.carried)
        for line in part.lines:
            came, went = Yuan(line.came), Yuan(line.went)
            kind = say(KINDS.get(line.kind, line.kind))
            yield line.on, kind, line.events, came, went, Yuan(line.balance)
            place = Place(line.on, line.kind)
        more = part.more
    sums = Yuan(part.came), Yuan(part.went), Yuan(part.closing)
    yield period.last, say(CLOSING), None, *sums


def _moved(reading: Reading, code: str, period: Period) -> Moved:
    before = {} if period.first is None else openings(reading.connection, period.first, fund=code)
    return Moved(
        came_from(reading.connection, period, fund=code),
        paid_for(reading.connection, period, fund=code),
        before,
    )


def _periods() -> dict[str, Period]:
    """Return the periods that people ask for most."""
    day = today()
    return {
        "always": Period(),
        "year": Period(date(day.year, 1, 1), day),
        "month": Period(day.replace(day=1), day),
    }


def _place(said: str) -> Place | None:
    """Read where a page of lines goes on."""
    if not said:
        return None
    on, _, kind = said.partition("~")
    found = day(on, "after")
    if found is None or not kind:
        raise Invalid("after", "was not issued by this page")
    return Place(found, kind)
