"""/v1/refusals, and how an attempt comes to be counted there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from api.kernel.desk import READS_ALL, AtLeast, Desk, today
from api.kernel.doors import Door, caller_of, may
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.problems import problem, respond
from api.kernel.site import Site
from api.kernel.wire import Day, json_response
from ledger.aggregates.funds import InsufficientFunds
from ledger.kernel.errors import LedgerError, SamePerson
from ledger.kernel.roles import RoleForbidden
from ledger.people.refusals import By, Refusal

router = APIRouter(prefix="/v1/refusals", tags=["history"], route_class=Door)

ASKED_ABOUT = (SamePerson, InsufficientFunds, RoleForbidden)
"""What an auditor asks about: one person in two places, overspending, another's task."""

Kind = Annotated[
    str | None,
    Query(
        max_length=100,
        description=f"One of {', '.join(each.problem_name() for each in ASKED_ABOUT)}.",
    ),
]
First = Annotated[Day | None, Query(alias="from")]
Last = Annotated[Day | None, Query(alias="to")]


class RefusalShown(BaseModel):
    """What somebody tried on a day, and how often.

    `route` and `about` are empty where a person had too many rows for that day.
    """

    number: int
    day: str
    kind: str
    rule: str
    person: str
    route: str
    about: str
    times: int


class RefusalsShown(BaseModel):
    """A page of refused attempts."""

    items: list[RefusalShown]
    next: str | None


class Counts(BaseModel):
    """How often attempts were refused."""

    by: By
    total: int
    counts: dict[str, int]


@router.get("", response_model=RefusalsShown)
@may(*READS_ALL)
def list_refusals(
    desk: Desk,
    kind: Kind = None,
    person: str | None = None,
    first: First = None,
    last: Last = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
) -> Response:
    """Return refused attempts of the kinds that an auditor asks about, a row for each thing."""
    desk.must_have(at_least)
    days = {"from": first, "to": last}
    query = list_query("refusals", cursor, limit, kind=kind, person=person, **days)
    rows = desk.site.refusals.rows(
        after=query.after,
        limit=query.limit + 1,
        kind=query.filters.get("kind"),
        person=query.filters.get("person"),
        first=query.day("from"),
        last=query.day("to"),
    )
    return json_response(query.page(rows, lambda row: int(row["number"])))


@router.get("/counts", response_model=Counts)
@may(*READS_ALL)
def count_refusals(
    desk: Desk,
    by: By = "kind",
    kind: Kind = None,
    person: str | None = None,
    first: First = None,
    last: Last = None,
    at_least: AtLeast = None,
) -> Response:
    """Return how many attempts were refused, by kind, rule, person or day."""
    desk.must_have(at_least)
    counts = desk.site.refusals.counts(by, kind=kind, person=person, first=first, last=last)
    return json_response({"by": by, "total": sum(counts.values()), "counts": counts})


def install(app: FastAPI) -> None:
    """Count what an auditor asks about, when it is answered."""
    for kind in ASKED_ABOUT:
        app.add_exception_handler(kind, _count)


async def _count(request: Request, error: Exception) -> Response:
    assert isinstance(error, LedgerError)  # noqa: S101  # Registered for these alone.
    caller = await caller_of(request)
    if caller is not None:
        site: Site = request.app.state.site
        site.refusals.note(
            Refusal(
                day=today(),
                kind=error.problem_name(),
                rule=error.rule_name(),
                person=caller.person,
                route=f"{request.method} {request.scope['route'].path}",
                about="" if isinstance(error, RoleForbidden) else _about(request.path_params),
            )
        )
    return respond(problem(error))


def _about(path: Mapping[str, Any]) -> str:
    """Return the id in a path that led to something, in the one way of writing it."""
    for value in path.values():
        try:
            return str(UUID(value))
        except ValueError:
            return str(value)  # A fund's code.
    return ""
