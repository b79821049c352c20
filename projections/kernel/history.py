"""The history as it is handed out: whole, in order, one record an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec

from ledger.commands.records import Records
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position

PAGE = 1_000
"""Events read at a time, so that memory is bounded whatever the length of the history."""


def as_record(position: Position, fact: Fact) -> dict[str, Any]:
    """Return an event in plain words, ready for JSON: who, when and where first, then ``data``.

    ``data`` is what this kind of event says beyond that. The record has every stored field once
    and amounts in fen, so the stored form can be put together again from it.
    """
    fields = msgspec.to_builtins(fact)
    return {
        "position": position,
        "id": fields.pop("stream"),
        "version": fields.pop("version"),
        "type": fact.TOPIC,
        "on": fields.pop("on"),
        "recorded_at": fields.pop("recorded_at"),
        "actor": fields.pop("actor"),
        "role": fields.pop("role"),
        "command": fields.pop("command"),
        "salt": fields.pop("salt"),
        "data": fields,
    }


def rest(
    ledger: Records,
    after: int = 0,
    until: int | None = None,
    *,
    topic: str | None = None,
    stream: UUID | None = None,
) -> Iterator[tuple[Position, Fact]]:
    """Yield every event that follows position ``after``, all or some of them, in order, then end.

    It ends at ``until``, or at what was the newest event when it began: a ledger that is written
    to all the while would otherwise keep its reader for ever.
    """
    newest = ledger.store.last_position()
    goal = newest if until is None else min(until, newest)
    while after < goal:
        page = list(ledger.history(after, PAGE, topic=topic, stream=stream))
        for position, fact in page:
            if position > goal:
                return
            yield position, fact
            after = position
        if len(page) < PAGE:
            return
