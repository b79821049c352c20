"""/sales: what each sale sold, took back and brought, while it happens."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.desk import Desk
from api.kernel.doors import Door, may
from api.pages.kit.languages import Language, language_of
from api.pages.kit.readiness import must_be_level
from api.pages.kit.rendering import page, render
from api.pages.kit.server_sent_events import HEARTBEAT, EventStream, message
from api.pages.kit.tables import CSV, As
from api.pages.public.front import as_of
from api.pages.public.live import Live, Shown
from api.pages.public.sale_sheets import all_sales, goods
from ledger.kernel.errors import NotFound
from projections.views.fund_balances import FundBalances, fund_row
from projections.views.sales import RunningTotal, Sales, running_totals, sale, sales_of_late

router = APIRouter(route_class=Door, include_in_schema=False)

SALES_SHOWN = 20
"""Sales on one page."""

Face = Literal["page", "wall"]

POSITION = re.compile(r"[0-9]{1,19}")
"""What an id of a message of ours looks like; any other is as good as none."""

GAP_S: Mapping[Face, float] = {"page": 0.5, "wall": 1.0}
"""Seconds between two totals at least: a studio's viewers read digits, and not a slot machine."""


@router.get("/sales")
@may()
def list_sales(
    desk: Desk, before: Annotated[int | None, Query(ge=1, le=2**53)] = None, form: As = ""
) -> Response:
    """Show every sale, the newest first."""
    must_be_level(desk.site)
    if form == CSV:
        return all_sales(desk)
    with desk.read(Sales) as reading:
        found = sales_of_late(reading.connection, before=before, limit=SALES_SHOWN + 1)
    return page(
        desk,
        "sales.html",
        sales=found[:SALES_SHOWN],
        following=found[SALES_SHOWN - 1]["position"] if len(found) > SALES_SHOWN else None,
        as_of=as_of(desk, reading.position),
    )


@router.get("/sales/{sale_id}")
@may()
def show_sale(sale_id: UUID, desk: Desk, form: As = "") -> Response:
    """Show a sale with its running total."""
    if form == CSV:
        return goods(desk, sale_id)
    return _shown(desk, sale_id, "sale.html")


@router.get("/sales/{sale_id}/wall")
@may()
def show_wall(sale_id: UUID, desk: Desk) -> Response:
    """Show a sale's total so large that a studio can read it."""
    return _shown(desk, sale_id, "wall.html")


def _shown(desk: Desk, sale_id: UUID, template: str) -> Response:
    must_be_level(desk.site)
    with desk.read(Sales) as reading:
        found = sale(reading.connection, str(sale_id))
        totals = running_totals(reading.connection, [str(sale_id)])
    if found is None:
        raise NotFound("sale")
    with desk.read(FundBalances) as also:
        fund = fund_row(also.connection, found["fund"])
    return page(
        desk,
        template,
        sale=found,
        fund=fund,
        **_said(totals[0]),
        **as_of(desk, reading.position),
    )


def _said(total: RunningTotal, returned: Any = None) -> dict[str, Any]:
    return {"total": total, "returned": returned}


@router.get("/sales/{sale_id}/live")
@may()
async def listen(
    sale_id: UUID,
    desk: Desk,
    face: Annotated[Face, Query()] = "page",
    seen: Annotated[str, Header(alias="last-event-id")] = "",
) -> Response:
    """Send a sale's total as it changes (server-sent events), drawn for one of its pages."""
    await run_in_threadpool(_must_exist, desk, sale_id)
    live: Live = desk.app.state.live
    live.must_have_room()
    position = int(seen) if POSITION.fullmatch(seen) else 0
    return EventStream(
        _messages(live, str(sale_id), face, language_of(desk), position), live.closing
    )


def _must_exist(desk: Desk, sale_id: UUID) -> None:
    with desk.read(Sales) as reading:
        if not running_totals(reading.connection, [str(sale_id)]):
            raise NotFound("sale")


async def _messages(
    live: Live, sale_id: str, face: Face, language: Language, seen: int
) -> AsyncGenerator[bytes, None]:
    async with aclosing(live.totals(sale_id, gap=GAP_S[face], seen=seen)) as totals:
        async for shown in totals:
            yield HEARTBEAT if shown is None else drawn(shown, face, language)


@lru_cache(maxsize=64)
def drawn(shown: Shown, face: Face, language: Language) -> bytes:
    """Return the message that puts a total on a page: drawn once for all who look at it."""
    text = render(
        f"{face}_total.html",
        language,
        position=shown.position,
        at=shown.at,
        **_said(shown.total, shown.returned),
    )
    return message(text, shown.position)
