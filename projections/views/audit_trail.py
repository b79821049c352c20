"""The audit trail: one readable sentence an event, with the entry that it made.

Only what a reader may search by is kept here; the sentence and the entry are made from the event
itself when they are read, so they cannot disagree with it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from itertools import islice
from typing import NamedTuple

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Index,
    Select,
    String,
    Table,
    func,
    select,
)

from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from projections.kernel.view import METADATA, Batch, View, insert_all

TRAIL = Table(
    "audit_trail",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("on", Date, nullable=False),
    Column("stream", String, nullable=False),
    Column("actor", String, nullable=False),
    Index("audit_trail_by_stream", "stream", "position"),
    Index("audit_trail_by_actor", "actor", "position"),
    Index("audit_trail_by_day", "on", "position"),
)

FUNDS = Table(
    "audit_trail_funds",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("position", BigInteger, primary_key=True),
)
"""Which funds each event touches; a transfer touches two."""


STREAMS_AT_ONCE = 5_000
"""Streams that are looked up in one query; databases take some 30,000 values."""


class AuditTrail(View):
    """Indexes events by day, stream, actor and fund."""

    name = "audit_trail"
    tables = (TRAIL, FUNDS)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Note where each event is found."""
        trail = [
            (position, fact.on, str(fact.originator_id), fact.actor) for position, fact in batch
        ]
        funds = [(fund, position) for position, fact in batch for fund in _funds(fact)]
        insert_all(connection, TRAIL, trail)
        insert_all(connection, FUNDS, funds)


def _funds(fact: Fact) -> list[str]:
    return [getattr(fact, side) for side in ("fund", "to") if getattr(fact, side, None) is not None]


class Beginning(NamedTuple):
    """The first event of a stream: its position and its business day."""

    position: Position
    on: date


def beginnings(connection: Connection, streams: Collection[str]) -> dict[str, Beginning]:
    """Return how each of these streams began, but for those that have no event."""
    begun: dict[str, Beginning] = {}
    rest = iter(streams)
    while some := list(islice(rest, STREAMS_AT_ONCE)):
        first = (
            select(func.min(TRAIL.c.position))
            .where(TRAIL.c.stream.in_(some))
            .group_by(TRAIL.c.stream)
        )
        query = select(TRAIL.c.stream, TRAIL.c.position, TRAIL.c.on)
        for stream, position, on in connection.execute(query.where(TRAIL.c.position.in_(first))):
            begun[stream] = Beginning(Position(position), on)
    return begun


class Sought(Struct, frozen=True):
    """Criteria for events; None matches any.

    Attributes:
        fund: They touch this fund.
        stream: They are of this matter.
        actor: This person recorded them.
        first: They are of this business day or later.
        last: They are of this business day or earlier.

    """

    fund: str | None = None
    stream: str | None = None
    actor: str | None = None
    first: date | None = None
    last: date | None = None


def trail(
    connection: Connection, sought: Sought, *, after: int = 0, limit: int = 100
) -> list[Position]:
    """Return the positions of up to ``limit`` events after ``after`` that match, in order."""
    query = matching(sought)
    place = query.selected_columns["position"]
    positions = connection.execute(
        query.where(place > after).order_by(place).limit(limit)
    ).scalars()
    return [Position(position) for position in positions]


def matching(sought: Sought) -> Select[int]:
    """Return the query of the positions of all events that match, in no order."""
    place: Column[int] = TRAIL.c.position
    query = select(place)
    if sought.fund is not None:
        place = FUNDS.c.position
        query = select(place).join(TRAIL, TRAIL.c.position == place)
        query = query.where(FUNDS.c.fund == sought.fund)
    if sought.stream is not None:
        query = query.where(TRAIL.c.stream == sought.stream)
    if sought.actor is not None:
        query = query.where(TRAIL.c.actor == sought.actor)
    if sought.first is not None:
        query = query.where(TRAIL.c.on >= sought.first)
    if sought.last is not None:
        query = query.where(TRAIL.c.on <= sought.last)
    return query
