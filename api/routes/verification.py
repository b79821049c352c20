"""/v1/verification: what the server's own check of its history came to"""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may
from api.kernel.wire import json_response

router = APIRouter(prefix="/v1/verification", tags=["log"], route_class=Door)


class FindingShown(BaseModel):
    """Something that does not hold."""

    name: str = Field(examples=["event-differs"])
    rule: str
    detail: str


class VerificationShown(BaseModel):
    """What the server's last check of its own history came to."""

    verified: bool | None = Field(description="null before the first check.")
    events: int | None = Field(description="How many events were hashed again.")
    at: str | None = Field(description="When the check ended, RFC 3339 in UTC.")
    origin: str | None = Field(description="The name of the public log.")
    root: str | None = Field(description="Root of the tree of these events, in hexadecimal.")
    findings: list[FindingShown]


NEVER = dict.fromkeys(("verified", "events", "at", "origin", "root")) | {"findings": []}


@router.get("", response_model=VerificationShown)
@may()
def verification(desk: Desk, at_least: AtLeast = None) -> Response:
    """Return what the last check came to: every event hashed, every figure added up again.

    If it did not reach as far as is asked for, there is none yet.
    """
    desk.must_have(at_least)
    latest = desk.site.check.latest
    covers = latest is not None and latest.events >= (at_least or 0)
    return json_response(latest if covers else NEVER)
