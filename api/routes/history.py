"""/v1/events and /v1/audit-trail"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response, StreamingResponse
from msgspec.structs import replace
from pydantic import BaseModel, Field

from api.kernel.desk import READS_ALL, AtLeast, Desk
from api.kernel.doors import Door, may
from api.kernel.paging import Cursor, Limit, ListQuery, list_query
from api.kernel.wire import Day, json_response
from ledger.books.postings import postings
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from ledger.kernel.roles import Role
from projections.exports.plain_text import EXPORTS
from projections.kernel.history import as_record, rest
from projections.views.audit_trail import AuditTrail, Sought, trail
from projections.views.every import sentence
from projections.views.journal import line

router = APIRouter(prefix="/v1", route_class=Door)

NDJSON = "application/x-ndjson"

BLOCK_LINES = 200
"""Events sent at once: a hundred kilobytes or so."""


class EventShown(BaseModel):
    """One event, with everything that is stored of it."""

    position: int
    id: str = Field(description="Its stream.")
    version: int = Field(description="Its place in its stream.")
    type: str = Field(description="The name under which it is stored.", examples=["fund.opened.1"])
    on: str = Field(description="The business day it took effect.")
    recorded_at: str
    actor: str
    role: str
    command: str
    salt: str
    data: dict[str, Any]


class EventsShown(BaseModel):
    """A page of the history."""

    items: list[EventShown]
    next: str | None


class EntryLine(BaseModel):
    """One line of an entry, in fen."""

    account: str
    name_zh: str
    name_en: str
    fund: str
    debit: int
    credit: int


class TrailItem(BaseModel):
    """One event in a sentence, with the entry that it made."""

    position: int
    on: str
    recorded_at: str
    actor: str
    role: str
    type: str
    stream: str
    version: int
    zh: str
    en: str
    entry: list[EntryLine]


class TrailShown(BaseModel):
    """A page of the audit trail."""

    items: list[TrailItem]
    next: str | None


@router.get(
    "/events",
    tags=["history"],
    response_model=EventsShown,
    responses={200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
)
@may(*READS_ALL)
def list_events(
    desk: Desk,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="Begin after this.")] = None,
    type_: Annotated[str | None, Query(alias="type", max_length=100)] = None,
    stream: UUID | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Return the history in order: a page of it or, as NDJSON, all the rest."""
    desk.must_have(at_least)
    query = list_query("events", cursor, limit, type=type_, stream=stream)
    if cursor is None:
        query = replace(query, after=after or 0)
    topic, one = query.filters.get("type"), query.id("stream")
    if NDJSON in accept:
        history = rest(desk.ledger, query.after, topic=topic, stream=one)
        return StreamingResponse(_in_blocks(EXPORTS["ndjson"](history)), media_type=NDJSON)
    facts = desk.ledger.history(query.after, query.limit + 1, topic=topic, stream=one)
    records = [as_record(position, fact) for position, fact in facts]
    return json_response(query.page(records, lambda row: int(row["position"])))


def _in_blocks(lines: Iterator[str]) -> Iterator[str]:
    """Yield ``lines`` many at a time: handing over each alone costs more than making it."""
    while block := "".join(islice(lines, BLOCK_LINES)):
        yield block


@router.get("/audit-trail", tags=["history"], response_model=TrailShown)
@may(Role.TREASURER, Role.AUDITOR, Role.BOOKKEEPER)
def list_trail(
    desk: Desk,
    fund: str | None = None,
    stream: UUID | None = None,
    actor: str | None = None,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
    at_least: AtLeast = None,
) -> Response:
    """Return one readable sentence an event, in both languages, with the entry it made."""
    query = list_query(
        "audit-trail",
        cursor,
        limit,
        fund=fund,
        stream=stream,
        actor=actor,
        **{"from": first, "to": last},
    )
    with desk.read(AuditTrail, at_least) as reading:
        positions = trail(
            reading.connection, _sought(query), after=query.after, limit=query.limit + 1
        )
    items = [_told(position, fact) for position, fact in desk.ledger.at(positions)]
    return json_response(query.page(items, lambda row: int(row["position"])))


def _sought(query: ListQuery) -> Sought:
    ids = {name: query.filters.get(name) for name in ("fund", "stream", "actor")}
    return Sought(**ids, first=query.day("from"), last=query.day("to"))


def _told(position: Position, fact: Fact) -> dict[str, Any]:
    sentences = sentence(fact)
    return {
        "position": position,
        "on": fact.on,
        "recorded_at": fact.recorded_at,
        "actor": fact.actor,
        "role": fact.role,
        "type": fact.TOPIC,
        "stream": fact.originator_id,
        "version": fact.originator_version,
        "zh": sentences.zh,
        "en": sentences.en,
        "entry": [line(each.account, each.fund, each.amount) for each in postings(fact)],
    }
