"""/audit/time: what every fund had at any event or on any day, and what differs from now.

An event says what had been written down by then, a day what had happened by then; together they
say what one could have known of that day.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import READS_ALL, Reading, today
from api.kernel.doors import may
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import day
from api.pages.kit.labels import FIGURES, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.own_pages import own_page
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import CSV, As, Yuan, sheet
from api.pages.public.front import as_of
from ledger.kernel.errors import Invalid
from ledger.kernel.names import Position
from projections.views.fund_balances import FundBalance, FundBalances, fund_balance, fund_rows

router = APIRouter(route_class=Entrance, include_in_schema=False)

SHOWN = ("received", "reserved", "paid", "acknowledged", "pledged")
"""Figures that are compared, beside the balance."""

COLUMNS = (
    marked("Fund"),
    marked("Figure"),
    marked("Then, yuan"),
    marked("Now, yuan"),
    marked("Difference, yuan"),
)

BALANCE = marked("Balance")

STEPS = (-1_000, -100, -10, -1, 1, 10, 100, 1_000)
"""How many events the links beside the slider go back and forth."""


class Then(Struct, frozen=True):
    """What a fund had then, and has now."""

    code: str
    name: str
    then: FundBalance
    now: FundBalance

    @property
    def differs(self) -> bool:
        """Some figure has changed since."""
        return any(each["then"] != each["now"] for each in self.figures)

    @property
    def figures(self) -> list[dict[str, Any]]:
        """Each figure, then and now, in fen."""
        return [
            {"name": name, "then": getattr(self.then, name), "now": getattr(self.now, name)}
            for name in SHOWN
        ]


@router.get("/audit/time")
@may(*READS_ALL)
def moment(
    desk: PageDesk,
    at: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    on: Annotated[str, Query(max_length=10)] = "",
    form: As = "",
) -> Response:
    """Show what was known at event ``at`` of the time up to day ``on``."""
    must_be_level(desk.site)
    of_day = day(on, "on")
    with desk.read(FundBalances) as reading:
        last = reading.position
        if at is not None and at > last:
            raise Invalid("at", "the ledger has {last} events so far", last=last)
        known_at = Position(last if at is None else at)
        funds = _funds(reading, known_at, {"as_of": of_day})
    if form == CSV:
        say = words(language_of(desk)).gettext
        return sheet("balances-then-and-now", COLUMNS, _rows(funds, say), say)
    return own_page(
        desk,
        "as_of.html",
        funds=funds,
        at=known_at,
        on=of_day,
        last=last,
        today=today(),
        steps=[step for step in STEPS if 0 <= known_at + step <= last],
        as_of=as_of(desk, known_at) if known_at else {"position": 0, "at": None},
    )


def _funds(reading: Reading, known_at: Position, asked: Mapping[str, Any]) -> list[Then]:
    found = []
    for row in fund_rows(reading.connection):
        code = row["fund"]
        then = fund_balance(reading.connection, code, reading.position, known_at=known_at, **asked)
        now = fund_balance(reading.connection, code, reading.position)
        if then is not None and now is not None:
            found.append(Then(code, row["name"], then, now))
    return found


def _rows(funds: list[Then], say: Any) -> list[tuple[object, ...]]:
    return [
        (each.code, say(name), Yuan(then), Yuan(now), Yuan(then - now))
        for each in funds
        for name, then, now in (
            *((FIGURES[one["name"]], one["then"], one["now"]) for one in each.figures),
            (BALANCE, each.then.balance, each.now.balance),
        )
    ]
