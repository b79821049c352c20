"""Every router under /v1, and of health, in the order in which a request is tried on them."""

from __future__ import annotations

from fastapi import APIRouter

from api.routes import (
    books,
    disbursements,
    donations,
    donors,
    funds,
    health,
    history,
    log,
    people,
    people_tokens,
    policies,
    receipts,
    refusals,
    relations,
    sales,
    verification,
)


def routes() -> tuple[APIRouter, ...]:
    """Return the routers; what is asked for most stands first."""
    return (
        donations.router,
        funds.router,
        donors.router,
        sales.router,
        disbursements.router,
        history.router,
        books.router,
        log.router,
        receipts.router,
        verification.router,
        policies.router,
        relations.router,
        refusals.router,
        people.router,
        people_tokens.router,
        health.router,
    )
