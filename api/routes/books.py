"""/v1/journal and /v1/trial-balance"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.wire import Day, json_response
from api.routes.history import EntryLine
from ledger.kernel.roles import Role
from projections.views.journal import Journal, entries, trial_balance

router = APIRouter(prefix="/v1", tags=["books"], route_class=Door)

READERS = (Role.BOOKKEEPER, Role.TREASURER, Role.AUDITOR)


class EntryShown(BaseModel):
    """One entry, made by the event at its position."""

    position: int
    on: str
    type: str
    lines: list[EntryLine]


class JournalShown(BaseModel):
    """A page of the journal."""

    items: list[EntryShown]
    next: str | None


class AccountShown(BaseModel):
    """What one account took and holds, in fen; debit positive."""

    account: str
    name_zh: str
    name_en: str
    debit: int
    credit: int
    balance: int


class TrialBalanceShown(BaseModel):
    """Every account, and both totals, which are the same."""

    position: int
    as_of: str | None
    fund: str | None
    debit: int = Field(description="All debits.")
    credit: int = Field(description="All credits.")
    accounts: list[AccountShown]


@router.get("/journal", response_model=JournalShown)
@may(*READERS)
def list_journal(
    desk: Desk,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    fund: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
) -> Response:
    """Return entries in the order in which they were recorded."""
    query = list_query("journal", cursor, limit, fund=fund, **{"from": first, "to": last})
    with desk.read(Journal, at_least) as reading:
        rows = entries(
            reading.connection,
            after=query.after,
            limit=query.limit + 1,
            first=query.day("from"),
            last=query.day("to"),
            fund=query.filters.get("fund"),
        )
    return json_response(query.page(rows, lambda row: int(row["position"])))


@router.get("/trial-balance", response_model=TrialBalanceShown)
@may(*READERS)
def show_trial_balance(
    desk: Desk, as_of: Day | None = None, fund: str | None = None, at_least: AtLeast = None
) -> Response:
    """Return what every account took and holds (试算平衡表)."""
    with desk.read(Journal, at_least) as reading:
        accounts = trial_balance(reading.connection, as_of=as_of, fund=fund)
    return json_response(
        {
            "position": reading.position,
            "as_of": as_of,
            "fund": fund,
            "debit": sum(each["debit"] for each in accounts),
            "credit": sum(each["credit"] for each in accounts),
            "accounts": accounts,
        }
    )
