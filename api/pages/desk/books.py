"""/desk/journal and /desk/trial-balance: the books, with filters that stay in the address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.doors import may
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import day
from api.pages.kit.labels import marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import CSV, As, Yuan, sheet
from api.pages.public.front import as_of
from ledger.books.accounts import ACCOUNTS
from projections.views.fund_balances import FundBalances, fund_rows
from projections.views.journal import Journal, entries, trial_balance

router = APIRouter(route_class=Entrance, include_in_schema=False)

ENTRIES_SHOWN = 40
ENTRIES_AT_ONCE = 500
"""Entries on a page, and at a time in a file."""

ENTRY_COLUMNS = (
    marked("Event"),
    marked("Business day"),
    marked("Kind"),
    marked("Account"),
    marked("Name of the account"),
    marked("Fund"),
    marked("Debit"),
    marked("Credit"),
)

BALANCE_COLUMNS = (
    marked("Account"),
    marked("Name of the account"),
    marked("Debit"),
    marked("Credit"),
    marked("Balance"),
)

Code = Annotated[str, Query(max_length=32)]
Day = Annotated[str, Query(max_length=10)]


class _Wanted(Struct, frozen=True):
    """Which entries are asked for."""

    first: date | None
    last: date | None
    fund: str | None
    account: str | None

    def asked(self) -> dict[str, Any]:
        """Return it as the address says it."""
        return {"from": self.first, "to": self.last, "fund": self.fund, "account": self.account}

    def read(self, desk: PageDesk, after: int, limit: int) -> list[dict[str, Any]]:
        """Return up to ``limit`` entries after a position."""
        with desk.read(Journal) as reading:
            return entries(
                reading.connection,
                after=after,
                limit=limit,
                first=self.first,
                last=self.last,
                fund=self.fund,
                account=self.account,
            )


@router.get("/desk/journal")
@may(*BOOKS)
def journal(  # What a reader may ask for.
    desk: PageDesk,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    fund: Code = "",
    account: Code = "",
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    form: As = "",
) -> Response:
    """Show entries in the order in which they were recorded."""
    must_be_level(desk.site)
    wanted = _Wanted(day(first, "from"), day(last, "to"), fund or None, account or None)
    if form == CSV:
        say = words(language_of(desk)).gettext
        return sheet("journal", ENTRY_COLUMNS, _entry_rows(desk, wanted), say)
    found = wanted.read(desk, after, ENTRIES_SHOWN + 1)
    return own_page(
        desk,
        "journal.html",
        entries=found[:ENTRIES_SHOWN],
        following=found[ENTRIES_SHOWN - 1]["position"] if len(found) > ENTRIES_SHOWN else None,
        asked=wanted.asked(),
        funds=_funds(desk),
        accounts=ACCOUNTS,
    )


def _funds(desk: PageDesk) -> dict[str, str]:
    with desk.read(FundBalances) as reading:
        return {each["fund"]: each["name"] for each in fund_rows(reading.connection)}


def _entry_rows(desk: PageDesk, wanted: _Wanted) -> Iterator[tuple[object, ...]]:
    after, name = 0, f"name_{language_of(desk)}"
    while found := wanted.read(desk, after, ENTRIES_AT_ONCE):
        for entry in found:
            for each in entry["lines"]:
                yield (
                    entry["position"],
                    entry["on"],
                    entry["type"],
                    each["account"],
                    each[name],
                    each["fund"],
                    Yuan(each["debit"]),
                    Yuan(each["credit"]),
                )
        after = found[-1]["position"]


@router.get("/desk/trial-balance")
@may(*BOOKS)
def balances(
    desk: PageDesk,
    on: Day = "",
    fund: Code = "",
    form: As = "",
) -> Response:
    """Show what every account took and holds; each row leads to its entries."""
    must_be_level(desk.site)
    until, name = day(on, "on"), f"name_{language_of(desk)}"
    with desk.read(Journal) as reading:
        accounts = trial_balance(reading.connection, as_of=until, fund=fund or None)
    if form == CSV:
        rows = (
            (
                each["account"],
                each[name],
                *(Yuan(each[side]) for side in ("debit", "credit", "balance")),
            )
            for each in accounts
        )
        say = words(language_of(desk)).gettext
        return sheet("trial-balance", BALANCE_COLUMNS, rows, say)
    return own_page(
        desk,
        "trial_balance.html",
        accounts=accounts,
        debit=sum(each["debit"] for each in accounts),
        credit=sum(each["credit"] for each in accounts),
        asked={"on": until, "fund": fund or None},
        funds=_funds(desk),
        as_of=as_of(desk, reading.position),
    )
