"""/funds/{code}: what one fund has, and its statement for any period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import Desk, Reading, today
from api.kernel.doors import Door, may
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter
from api.pages.kit.forms import day
from api.pages.kit.labels import KINDS
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.rendering import page, query_of
from api.pages.kit.rows import ListQuery, Part
from api.pages.public.flows import Moved
from api.pages.public.front import drawn
from ledger.kernel.errors import Invalid, NotFound
from projections.exports.tables import Kind
from projections.kernel.periods import Period
from projections.views.fund_balances import FundBalances, fund_balance, fund_row
from projections.views.purposes import paid_for
from projections.views.statements import Line, Place, Statements, came_from, openings, statement

router = APIRouter(route_class=Door, include_in_schema=False)

OPENING, CLOSING = "opening", "closing"
CARRIED_FORWARD, CARRIED_OVER = "carried-forward", "carried-over"
"""Rows of a statement that are no lines: they add up what is before and after them."""

SUMS: Mapping[str, str] = {
    OPENING: marked("Opening"),
    CLOSING: marked("Closing"),
    CARRIED_FORWARD: marked("Carried forward"),
    CARRIED_OVER: marked("Carried over"),
}


class Row(Struct, frozen=True):
    """A row of a fund's statement: a line, or a sum. Figures in fen."""

    on: date | None
    kind: str
    balance: int
    events: int | None = None
    came: int | None = None
    went: int | None = None
    href: str | None = None


class _Lines:
    """The lines of a fund's statement, from its opening to its closing."""

    rows_at_once = 600
    in_parts = False

    def part(self, query: ListQuery[Any]) -> Part[Row]:
        """Return the lines that are asked for, and the sums about them."""
        code, period = query.given["code"], query.given["period"]
        page_range = query.range
        after = cast("Place | None", page_range.after)
        account = statement(
            query.reading.connection, code, period, after=after, limit=page_range.limit
        )
        if not page_range.after and not account.lines:
            _must_exist(query.desk, code)
        rows = [_line(code, each) for each in account.lines]
        begin = Row(period.first, CARRIED_FORWARD if page_range.after else OPENING, account.carried)
        end = Row(period.last, CLOSING, account.closing, came=account.came, went=account.went)
        head = []
        if page_range.after:
            head.append(begin)
        else:
            rows.insert(0, begin)
        if not account.more:
            return Part([*rows, end], head=head)
        last = account.lines[-1]
        foot = [Row(None, CARRIED_OVER, last.balance), end]
        return Part(rows, Place(last.on, last.kind), head, foot)

    def read_key(self, text: str, _: object) -> Place:
        """Read which line was the last."""
        on, _tilde, kind = text.partition("~")
        if not kind:
            raise ValueError(text)
        return Place(date.fromisoformat(on), kind)

    def write_key(self, key: Place) -> str:
        """Write which line was the last."""
        return f"{key.on}~{key.kind}"


def _must_exist(desk: Desk, code: str) -> None:
    with desk.read(FundBalances) as reading:
        if fund_row(reading.connection, code) is None:
            raise NotFound("fund", by="code")


def _line(code: str, line: Line) -> Row:
    place = query_of({"on": line.on, "kind": line.kind})
    return Row(
        on=line.on,
        kind=line.kind,
        balance=line.balance,
        events=line.events,
        came=line.came,
        went=line.went,
        href=f"/funds/{code}/lines{place}",
    )


STATEMENT = ListPage[Row](
    name="statement-{code}",
    title=marked("Statement"),
    view=Statements,
    rows=_Lines(),
    size=60,
    later=marked("Later lines"),
    section="#statement",
    is_total=lambda row: row.kind in SUMS,
    filters=(
        Filter(name="from", title=marked("From day"), kind="day"),
        Filter(name="to", title=marked("To day"), kind="day"),
    ),
    columns=(
        Column(name="on", title=marked("Day"), kind=Kind.DAY),
        Column(
            name="kind",
            title=marked("What"),
            kind=Kind.CODE,
            words={**KINDS, **SUMS},
            link=lambda row: row.href,
            heads=True,
        ),
        Column(name="events", title=marked("Events"), kind=Kind.NUMBER, on_page=False),
        Column(name="came", title=marked("Came in"), kind=Kind.AMOUNT, hides_zero=True),
        Column(name="went", title=marked("Went out"), kind=Kind.AMOUNT, hides_zero=True),
        Column(name="balance", title=marked("Balance"), kind=Kind.AMOUNT),
    ),
)


@router.get("/funds/{code}")
@may()
def show_fund(
    code: str,
    desk: Desk,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
) -> Response:
    """Show what a fund has, what came and went in a period, and where to."""
    period = Period(day(first, "from"), day(last, "to"))
    if period.first and period.last and period.last < period.first:
        raise Invalid("to", "{last} is before {first}", last=period.last, first=period.first)
    return STATEMENT.answer(desk, partial(_page, desk, period), code=code, period=period)


def _page(desk: Desk, period: Period, *, listing: ListView[Row]) -> Response:
    code, reading = listing.given["code"], listing.reading
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
        listing=listing,
        period=period,
        flows=drawn(desk, _moved(reading, code, period), {code: fund["name"]}),
        periods=_periods(),
    )


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
