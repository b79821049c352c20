"""/sales: what each sale sold, took back and brought, while it happens."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from functools import cache, lru_cache, partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import Connection

from api.kernel.desk import Desk
from api.kernel.doors import Door, may
from api.pages.kit.languages import Language, language_of
from api.pages.kit.lists import ListView
from api.pages.kit.moments import as_of
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rendering import page, render
from api.pages.kit.server_sent_events import HEARTBEAT, EventStream, message
from api.pages.public.live import Live, Shown
from api.pages.public.sale_lists import GOODS, SALES
from ledger.kernel.errors import NotFound
from ledger.kernel.names import Position
from projections.views.fund_balances import FundBalances, fund_row
from projections.views.sales import RunningTotal, Sales, running_totals, sale

router = APIRouter(route_class=Door, include_in_schema=False)

Face = Literal["page", "wall"]

POSITION = re.compile(r"[0-9]{1,19}")
"""What an id of a message of ours looks like; any other is as good as none."""

GAP_S: Mapping[Face, float] = {"page": 0.5, "wall": 1.0}
"""Seconds between two totals at least: a studio's viewers read digits, and not a slot machine."""


@router.get("/sales")
@may()
def list_sales(desk: Desk) -> Response:
    """Show every sale, the newest first."""
    return SALES.answer(desk, partial(page, desk, "list.html"))


@router.get("/sales/{sale_id}")
@may()
def show_sale(sale_id: UUID, desk: Desk) -> Response:
    """Show a sale with its running total."""
    planned = cache(partial(_sale, sale_id))  # Read once for the goods and the rest of the page.
    return GOODS.answer(desk, partial(_with_goods, desk, planned), sale=planned)


def _with_goods(
    desk: Desk, planned: Callable[[Connection], dict[str, Any]], listing: ListView[Any]
) -> Response:
    connection, position = listing.reading
    row = planned(connection)
    (total,) = running_totals(connection, [row["id"]])
    return _shown(desk, "sale.html", row, total, position, listing=listing)


def _sale(sale_id: UUID, connection: Connection) -> dict[str, Any]:
    row = sale(connection, str(sale_id))
    if row is None:
        raise NotFound("sale")
    return row


@router.get("/sales/{sale_id}/wall")
@may()
def show_wall(sale_id: UUID, desk: Desk) -> Response:
    """Show a sale's total so large that a studio can read it."""
    require_views_ready(desk.site)
    with desk.read(Sales) as reading:
        planned = _sale(sale_id, reading.connection)
        (total,) = running_totals(reading.connection, [str(sale_id)])
    return _shown(desk, "wall.html", planned, total, reading.position)


def _shown(  # What a page of a sale is made of.
    desk: Desk,
    template: str,
    planned: dict[str, Any],
    total: RunningTotal,
    position: Position,
    **more: Any,
) -> Response:
    with desk.read(FundBalances) as also:
        fund = fund_row(also.connection, planned["fund"])
    return page(
        desk,
        template,
        sale=planned,
        fund=fund,
        **_said(total),
        **as_of(desk, position),
        **more,
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
        async for snapshot in totals:
            yield HEARTBEAT if snapshot is None else drawn(snapshot, face, language)


@lru_cache(maxsize=64)
def drawn(snapshot: Shown, face: Face, language: Language) -> bytes:
    """Return the message that puts a total on a page: drawn once for all who look at it."""
    text = render(
        f"{face}_total.html",
        language,
        position=snapshot.position,
        at=snapshot.at,
        **_said(snapshot.total, snapshot.returned),
    )
    return message(text, snapshot.position)
