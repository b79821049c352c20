"""/desk/funds: every fund, and what can be done with it now or why not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import RowMapping, Select

from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter
from api.pages.kit.drawn.steps import DrawnStep, drawn_steps
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.own_pages import own_page
from api.pages.kit.rows import ListQuery, Selected
from api.routes.funds import STATES as FUND_STATES
from ledger.kernel.roles import Role
from projections.exports.tables import Kind
from projections.views.fund_balances import FundBalances, funds_with_money

router = APIRouter(prefix="/desk/funds", route_class=Entrance, include_in_schema=False)


def _select(query: ListQuery[Any]) -> Select[Any]:
    return funds_with_money(query.given["state"])


def _rows(_: ListQuery[Any], rows: Sequence[RowMapping]) -> Sequence[RowMapping]:
    return rows


FUNDS_AT_THE_DESK = ListPage[RowMapping](
    name="funds-and-steps",
    title=marked("Funds and what to do"),
    view=FundBalances,
    rows=Selected(_select, "position", _rows),
    order="fund",
    none=marked("No fund has been opened yet."),
    later=marked("More funds"),
    filters=(
        Filter(name="state", title=marked("State"), kind="choice", words=FUND_STATES, strict=True),
    ),
    columns=(
        Column(name="position", title=marked("Event"), kind=Kind.EVENT, on_page=False),
        Column(
            name="fund",
            title=marked("Fund"),
            link=lambda row: f"/funds/{row['fund']}",
            notes=("state",),
            sortable=True,
        ),
        Column(name="name", title=marked("Name"), heads=True, sortable=True),
        Column(
            name="state", title=marked("State"), kind=Kind.CODE, words=FUND_STATES, on_page=False
        ),
        Column(name="balance", title=marked("Balance"), kind=Kind.AMOUNT, sortable=True),
        Column(name="available", title=marked("Available"), kind=Kind.AMOUNT, sortable=True),
        Column(name="steps", title=marked("What to do"), read=lambda _: None, in_files=False),
    ),
)


@router.get("")
@may(Role.TREASURER)
def list_funds(desk: PageDesk) -> Response:
    """List the funds."""
    return FUNDS_AT_THE_DESK.answer(desk, partial(_page, desk))


def _page(desk: PageDesk, listing: ListView[RowMapping]) -> Response:
    def steps_of(fund: RowMapping) -> list[DrawnStep]:
        return list(drawn_steps(desk, "funds", fund["fund"], fund["state"]))

    return own_page(desk, "desk_funds.html", listing=listing, steps_of=steps_of)
