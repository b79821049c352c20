"""The audit trail: one readable sentence an event, with the entry that it made.

Only what a reader may search by is kept here; the sentence and the entry are made from the event
itself when they are read, so they cannot disagree with it.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Column, Connection, Date, Index, String, Table, select

from ledger.aggregate import Fact
from ledger.names import Position
from projections.views import METADATA, Batch, View, insert_all

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


class AuditTrail(View):
    """Keeps what events can be found by."""

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


def trail(  # noqa: PLR0913  # What a reader may ask for.
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 100,
    fund: str | None = None,
    stream: str | None = None,
    actor: str | None = None,
    first: date | None = None,
    last: date | None = None,
) -> list[Position]:
    """Return the positions of up to ``limit`` events after ``after`` that match, in order."""
    place: Column[int] = TRAIL.c.position
    asked = select(place)
    if fund is not None:
        place = FUNDS.c.position
        asked = select(place).join(TRAIL, TRAIL.c.position == place).where(FUNDS.c.fund == fund)
    asked = asked.where(place > after)
    if stream is not None:
        asked = asked.where(TRAIL.c.stream == stream)
    if actor is not None:
        asked = asked.where(TRAIL.c.actor == actor)
    if first is not None:
        asked = asked.where(TRAIL.c.on >= first)
    if last is not None:
        asked = asked.where(TRAIL.c.on <= last)
    found = connection.execute(asked.order_by(place).limit(limit)).scalars()
    return [Position(position) for position in found]
