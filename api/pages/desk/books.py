"""/desk/journal and /desk/trial-balance: the books, with filters that stay in the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import RowMapping, Select

from api.kernel.desk import Desk
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter, fund_choices
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.languages import language_of
from api.pages.kit.lists import ListPage
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page
from api.pages.kit.rendering import query_of
from api.pages.kit.rows import ListQuery, Selected, Whole
from ledger.books.accounts import ACCOUNTS
from projections.exports.tables import Kind
from projections.views.journal import Journal, entries_at, entries_of, trial_balance

router = APIRouter(route_class=Entrance, include_in_schema=False)

FUND = Filter(name="fund", title=marked("Fund"), kind="choice", choices=fund_choices)


def _accounts(desk: Desk) -> dict[str, str]:
    language = language_of(desk)
    return {code: f"{code} {getattr(each, language)}" for code, each in ACCOUNTS.items()}


def _asked(query: ListQuery[Any]) -> Select[Any]:
    given = query.given
    return entries_of(
        first=given["from"], last=given["to"], fund=given["fund"], account=given["account"]
    )


def _lines(query: ListQuery[Any], rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Return the lines of whole entries."""
    positions = [row["position"] for row in rows]
    entries = {each["position"]: each for each in entries_at(query.reading.connection, positions)}
    return [
        {"position": position, "on": entry["on"], "type": entry["type"], **line}
        for position, entry in ((each, entries[each]) for each in positions)
        for line in entry["lines"]
    ]


JOURNAL = ListPage[dict[str, Any]](
    name="journal",
    title=marked("Journal"),
    view=Journal,
    rows=Selected(_asked, "position", _lines),
    order="position",
    size=40,
    later=marked("Later entries"),
    group=lambda row: row["position"],
    grouped=("position", "on"),
    filters=(
        Filter(name="from", title=marked("From day"), kind="day"),
        Filter(name="to", title=marked("To day"), kind="day"),
        FUND,
        Filter(name="account", title=marked("Account"), kind="choice", choices=_accounts),
    ),
    columns=(
        Column(
            name="position",
            title=marked("Event"),
            kind=Kind.EVENT,
            link=lambda row: f"/events/{row['position']}",
            heads=True,
            sortable=True,
        ),
        Column(name="on", title=marked("Business day"), kind=Kind.DAY),
        Column(name="type", title=marked("Kind"), on_page=False),
        Column(name="account", title=marked("Account"), notes=("account_name",)),
        Column(
            name="account_name",
            title=marked("Name of the account"),
            kind=Kind.TRANSLATED,
            read=lambda row: ACCOUNTS[row["account"]],
            on_page=False,
        ),
        Column(name="fund", title=marked("Fund")),
        Column(name="debit", title=marked("Debit"), kind=Kind.AMOUNT, hides_zero=True),
        Column(name="credit", title=marked("Credit"), kind=Kind.AMOUNT, hides_zero=True),
    ),
)

SIDES = ("debit", "credit", "balance")


def _entries_of(row: Mapping[str, Any]) -> str | None:
    """Return where the entries stand that an account's balance is made of."""
    return row["account"] and f"/desk/journal{row['query']}"


def _balances(query: ListQuery[Any]) -> list[dict[str, Any]]:
    on, fund = query.given["on"], query.given["fund"]
    rows = trial_balance(query.reading.connection, as_of=on, fund=fund)
    return [
        row | {"query": query_of({"account": row["account"], "fund": fund, "to": on})}
        for row in rows
    ]


def _totals(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"account": None} | {side: sum(row[side] for row in rows) for side in SIDES}]


TRIAL_BALANCE = ListPage[dict[str, Any]](
    name="trial-balance",
    title=marked("Trial balance"),
    view=Journal,
    rows=Whole(_balances, foot=_totals),
    filters=(Filter(name="on", title=marked("By the end of day"), kind="day"), FUND),
    columns=(
        Column(
            name="account",
            title=marked("Account"),
            none=marked("Total"),
            link=_entries_of,
            heads=True,
            notes=("account_name",),
        ),
        Column(
            name="account_name",
            title=marked("Name of the account"),
            kind=Kind.TRANSLATED,
            read=lambda row: row["account"] and ACCOUNTS[row["account"]],
            on_page=False,
        ),
        Column(name="debit", title=marked("Debit"), kind=Kind.AMOUNT, sortable=True),
        Column(name="credit", title=marked("Credit"), kind=Kind.AMOUNT, sortable=True),
        Column(name="balance", title=marked("Balance"), kind=Kind.AMOUNT, sortable=True),
    ),
)


@router.get("/desk/journal")
@may(*BOOKS)
def journal(desk: PageDesk) -> Response:
    """Show entries in the order in which they were recorded."""
    return JOURNAL.answer(desk, partial(own_page, desk, "list.html"))


@router.get("/desk/trial-balance")
@may(*BOOKS)
def balances(desk: PageDesk) -> Response:
    """Show what every account took and holds; each row leads to its entries."""
    return TRIAL_BALANCE.answer(desk, partial(own_page, desk, "trial_balance.html"))
