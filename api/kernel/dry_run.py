"""``?dry_run=true``: what a request would come to, or the refusal that it would meet (试算)."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from ledger.commands.rehearsal import Rehearsal
from ledger.kernel.aggregate import ENVELOPE, Fact
from ledger.kernel.errors import Invalid

NAME = "dry_run"

PARAMETER = {
    "name": NAME,
    "in": "query",
    "required": False,
    "description": "Answer what the request would record, or its refusal; record nothing. It then"
    " needs no Idempotency-Key and remembers none.",
    "schema": {"type": "boolean", "default": False},
}


class EventForeseen(BaseModel):
    """An event that would be recorded."""

    type: str
    stream: str
    data: dict[str, Any]


class LineForeseen(BaseModel):
    """A line that would stand in the books, in fen."""

    account: str
    fund: str
    debit: int
    credit: int


class FundForeseen(BaseModel):
    """What a fund would have, in fen."""

    balance: int
    available: int


class DryRun(BaseModel):
    """What a request would come to. Nothing was recorded."""

    dry_run: bool = Field(examples=[True])
    status: int = Field(description="Of the answer that it would have.")
    events: list[EventForeseen]
    entry: list[LineForeseen]
    funds: dict[str, FundForeseen]


FORESEEN: dict[int | str, dict[str, Any]] = {200: {"model": DryRun}}
"""The documented answer to the rehearsal of what would answer 201."""


NOTHING = Rehearsal((), (), {})
"""What is rehearsed that records nothing in the history, such as a token."""


class Rehearsed(Exception):  # No error: it carries the answer past what records.
    """Ends a request that was only to be rehearsed."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        super().__init__()
        self.rehearsal = rehearsal


def wants_dry_run(request: Request) -> bool:
    """Say whether the request is only to be rehearsed."""
    values = request.query_params.getlist(NAME)
    if not values:
        return False
    if len(values) > 1 or values[0] not in {"true", "false"}:
        raise Invalid(NAME, "must be true or false")
    return values[0] == "true"


def foreseen(rehearsal: Rehearsal, status: int) -> Response:
    """Answer what a request would come to; ``status`` is of the answer that it would have."""
    body = msgspec.json.encode(as_foreseen(rehearsal, status))
    return Response(body, media_type="application/json")


def as_foreseen(rehearsal: Rehearsal, status: int) -> dict[str, Any]:
    """Return what a request would come to, as it is answered."""
    return {
        "dry_run": True,
        "status": status,
        "events": [_event(fact) for fact in rehearsal.facts],
        "entry": [
            {
                "account": account,
                "fund": fund,
                "debit": max(amount, 0),
                "credit": max(-amount, 0),
            }
            for account, fund, amount in rehearsal.entry
        ],
        "funds": {fund: after._asdict() for fund, after in rehearsal.funds.items()},
    }


def _event(fact: Fact) -> dict[str, Any]:
    fields = msgspec.to_builtins(fact)
    stream = fields["stream"]
    data = {name: value for name, value in fields.items() if name == "on" or name not in ENVELOPE}
    return {"type": fact.TOPIC, "stream": stream, "data": data}
