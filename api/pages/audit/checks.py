"""/audit/checks: the check of the history, run at an auditor's word, and what to take away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from api.kernel.desk import READS_ALL
from api.kernel.doors import may
from api.pages.desk.inbox import failing
from api.pages.kit.archive import zipped
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.own_pages import own_page, then
from api.routes.log import text_of
from ledger.kernel.errors import NotFound
from ledger.kernel.roles import Role, RoleForbidden
from ledger.transparency.encoding import to_base64
from projections.audit.export import Export
from projections.audit.live import Live
from projections.exports.plain_text import EXPORTS
from projections.kernel.history import rest
from projections.log.cosigning import policy_of

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
        **_check(desk),
        checkpoint=_newest(desk),
        failing=failing(desk),
        last=desk.ledger.store.last_position(),
        exports=EXPORTS,
    )


def _check(desk: PageDesk) -> dict[str, Any]:
    """Return what the last check came to, how far one is that runs, and why it cannot be run."""
    cannot = None
    if Role.AUDITOR not in desk.caller.roles:
        cannot = RoleForbidden((Role.AUDITOR,))
    check = desk.site.check
    return {"verification": check.latest, "under_way": check.under_way, "cannot": cannot}


@router.get("/audit/checks/verification")
@may(*READS_ALL)
def verification(desk: PageDesk) -> Response:
    """Return the part of the page that says how far the check is, for a page that stays open."""
    return own_page(desk, "verification.html", **_check(desk))


@router.post("/audit/checks/verification")
@may(Role.AUDITOR)
async def verify(desk: PageDesk) -> Response:
    """Have the whole history checked now; while that is under way, no second check begins."""
    desk.site.check.ask()
    return then("/audit/checks#verification")


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


@router.get("/audit/exports/bundle")
@may(*READS_ALL)
def bundle(desk: PageDesk) -> Response:
    """Return the auditor's bundle, as ``leifeng audit export`` writes it, in one archive."""
    site = desk.site
    site.log.newest()  # Or there is nothing to take away yet.
    policy = replace(policy_of(site.cosigning.witnesses), logs=tuple(site.log.verifiers))
    export = Export(Live(site.ledger.store, site.log.engine, site.views), policy)
    name = f"leifeng-audit-{export.checkpoint.size}"
    return StreamingResponse(
        zipped((f"{name}/{path}", content) for path, content in export.files()),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"'},
    )


@router.get("/audit/exports/{name}")
@may(*READS_ALL)
def export(name: str, desk: PageDesk) -> Response:
    """Return the whole history in a format of other people's tools."""
    if name not in EXPORTS:
        raise NotFound("export", by="name")
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
