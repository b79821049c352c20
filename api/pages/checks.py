"""/audit/checks: what the check of the history came to, and the history to take away."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from api.doors import READS_ALL, may
from api.log import text_of
from api.pages.entrance import Entrance, PageDesk
from api.pages.inbox import failing
from api.pages.own_pages import own_page
from ledger.errors import NotFound
from ledger.transparency.encoding import to_base64
from projections.exports import EXPORTS
from projections.history import rest

router = APIRouter(route_class=Entrance, include_in_schema=False)

ENDINGS = {"beancount": "beancount", "hledger": "journal", "ndjson": "ndjson"}
"""What the name of each export ends in."""

LINES_AT_ONCE = 200


@router.get("/audit/checks")
@may(*READS_ALL)
def checks(desk: PageDesk) -> Response:
    """Show the last verification, the newest checkpoint and the exports."""
    return own_page(
        desk,
        "checks.html",
        verification=desk.site.check.latest,
        checkpoint=_newest(desk),
        failing=failing(desk),
        last=desk.ledger.store.last_position(),
        exports=EXPORTS,
    )


def _newest(desk: PageDesk) -> dict[str, Any] | None:
    try:
        newest = desk.site.cosigning.prefer_cosigned(desk.site.log.newest())
    except NotFound:
        return None
    return {
        "size": newest.checkpoint.size,
        "root": to_base64(newest.checkpoint.root),
        "at": newest.at,
        "note": text_of(newest),
    }


@router.get("/audit/exports/{name}")
@may(*READS_ALL)
def export(name: str, desk: PageDesk) -> Response:
    """Return the whole history in a format of other people's tools."""
    if name not in EXPORTS:
        raise NotFound("export", "of this name")
    return StreamingResponse(
        _blocks(EXPORTS[name](rest(desk.ledger))),
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="leifeng.{ENDINGS[name]}"',
            "Cache-Control": "no-store",
        },
    )


def _blocks(lines: Iterator[str]) -> Iterator[str]:
    while block := "".join(islice(lines, LINES_AT_ONCE)):
        yield block
