"""Every router of pages, in the order in which a request is tried on them."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages.account import account, sign_in, sso
from api.pages.audit import as_of, checks
from api.pages.audit import history as audit_history
from api.pages.desk import (
    aid,
    aid_steps,
    bank,
    books,
    do,
    funds,
    inbox,
    people,
    relations,
    request,
    settlements,
)
from api.pages.donor import giving, mine, my_data
from api.pages.kit import assets
from api.pages.public import events, front, sales, statement, verify


def pages() -> tuple[APIRouter, ...]:
    """Return the routers; what is asked for most stands first."""
    return (
        assets.router,
        front.router,
        statement.router,
        events.router,
        sales.router,
        verify.router,
        sign_in.router,
        sso.router,
        account.home_router,
        account.router,
        giving.router,
        my_data.router,
        mine.router,
        inbox.router,
        aid.router,
        aid_steps.router,
        request.router,
        relations.router,
        settlements.router,
        bank.router,
        books.router,
        do.router,
        funds.router,
        people.router,
        audit_history.router,
        as_of.router,
        checks.router,
    )
