"""/audit/time: what every fund had at any event or on any day, and what differs from now.

An event says what had been written down by then, a day what had happened by then; together they
say what one could have known of that day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import READS_ALL, today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import day
from api.pages.kit.labels import FIGURES
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.moments import as_of
from api.pages.kit.own_pages import own_page
from api.pages.kit.rows import ListQuery, Whole
from ledger.kernel.errors import Invalid
from ledger.kernel.names import Position
from projections.exports.tables import Kind
from projections.views.fund_balances import FundBalances, fund_balance, fund_rows

router = APIRouter(route_class=Entrance, include_in_schema=False)

COMPARED: Mapping[str, str] = {
    **{name: FIGURES[name] for name in ("received", "reserved", "paid", "acknowledged", "pledged")},
    "balance": marked("Balance"),
}
"""Figures that are compared."""

STEPS = (-1_000, -100, -10, -1, 1, 10, 100, 1_000)
"""How many events the links beside the slider go back and forth."""


class Then(Struct, frozen=True):
    """A figure of a fund, as it was then and as it is now, in fen."""

    fund: str
    fund_name: str
    figure: str
    then: int
    now: int

    @property
    def difference(self) -> int:
        """What it was then beyond what it is now."""
        return self.then - self.now


def _figures(query: ListQuery[Any]) -> Iterator[Then]:
    reading, given = query.reading, query.given
    for row in fund_rows(reading.connection):
        code = row["fund"]
        read = partial(fund_balance, reading.connection, code, reading.position)
        then, now = read(known_at=given["known_at"], as_of=given["on"]), read()
        for name in COMPARED:
            figure = Then(code, row["name"], name, getattr(then, name), getattr(now, name))
            if given["differs"] is None or figure.difference:
                yield figure


BALANCES = ListPage[Then](
    name="balances-then-and-now",
    title=marked("Balances then and now"),
    view=FundBalances,
    rows=Whole(_figures),
    none=marked("None: this is how it stands now."),
    filters=(
        Filter(name="at", appears="hidden"),
        Filter(name="on", kind="day", appears="hidden"),
        Filter(name="differs", appears="hidden"),
    ),
    columns=(
        Column(
            name="fund",
            title=marked("Fund"),
            link=lambda row: f"/funds/{row.fund}",
            heads=True,
            notes=("fund_name",),
        ),
        Column(name="fund_name", title=marked("Name"), on_page=False, in_files=False),
        Column(name="figure", title=marked("Figure"), kind=Kind.CODE, words=COMPARED),
        Column(name="then", title=marked("Then, yuan"), kind=Kind.AMOUNT),
        Column(name="now", title=marked("Now, yuan"), kind=Kind.AMOUNT),
        Column(
            name="difference",
            title=marked("Difference, yuan"),
            kind=Kind.AMOUNT,
            sortable=True,
            marks_difference=True,
        ),
    ),
)


@router.get("/audit/time")
@may(*READS_ALL)
def moment(
    desk: PageDesk,
    at: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    on: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Show what was known at event ``at`` of the time up to day ``on``."""
    last = desk.ledger.store.last_position()
    if at is not None and at > last:
        raise Invalid("at", "the ledger has {last} events so far", last=last)
    known_at = Position(last if at is None else at)
    draw = partial(_page, desk, known_at, day(on, "on"))
    return BALANCES.answer(desk, draw, known_at=known_at)


def _page(
    desk: PageDesk, known_at: Position, of_day: date | None, *, listing: ListView[Then]
) -> Response:
    last = listing.reading.position
    return own_page(
        desk,
        "as_of.html",
        listing=listing,
        at=known_at,
        on=of_day,
        last=last,
        differing="differs" in desk.query_params,
        today=today(),
        steps=[step for step in STEPS if 0 <= known_at + step <= last],
        as_of=as_of(desk, known_at) if known_at else {"position": 0, "at": None},
    )
