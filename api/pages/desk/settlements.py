"""/desk/sales: a partner's statement beside ours, to a difference of nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.desk import today
from api.kernel.doors import may, takes
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter
from api.pages.kit.drawn.steps import drawn_steps
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import fen, fen_or_none, on_day
from api.pages.kit.labels import STATEMENT_FIGURES
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page, then, why_not
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rows import ListQuery, Whole
from api.routes.disbursements import READERS
from ledger.aggregates.sales.settlements import Statement
from ledger.commands.sales import remit, settle_sale
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.names import SaleId
from projections.exports.tables import Kind
from projections.views.fund_balances import FundBalances, fund_row
from projections.views.sales import Sales, sale

BY_HAND = frozenset({"settlement", "remittances"})
"""Steps of which the page of a sale has forms of its own."""

router = APIRouter(route_class=Entrance, include_in_schema=False)


def _sides(query: ListQuery[Any]) -> list[dict[str, Any]]:
    planned, theirs = query.given["sale"], query.given["theirs"]
    return [_beside(name, theirs[name], planned[name]) for name in STATEMENT_FIGURES]


SETTLEMENT = ListPage[dict[str, Any]](
    name="settlement",
    title=marked("Settlement"),
    view=Sales,
    rows=Whole(_sides),
    filters=tuple(
        Filter(name=name, title=title, appears="hidden")
        for name, title in STATEMENT_FIGURES.items()
    ),
    columns=(
        Column(
            name="figure",
            title=marked("Figure"),
            kind=Kind.CODE,
            words=STATEMENT_FIGURES,
            heads=True,
        ),
        Column(name="theirs", title=marked("Theirs, yuan"), kind=Kind.AMOUNT),
        Column(name="ours", title=marked("Ours, yuan"), kind=Kind.AMOUNT),
        Column(
            name="difference",
            title=marked("Difference"),
            kind=Kind.AMOUNT,
            marks_difference=True,
        ),
    ),
)


@router.get("/desk/sales/{sale_id}")
@may(*READERS)
def compare(sale_id: UUID, desk: PageDesk, done: int = 0) -> Response:
    """Show both accounts of a sale; what the partner says is in the address."""
    theirs, refusal = read_figures(desk.query_params)
    if refusal is not None:
        return sale_page(desk, SaleId(sale_id), theirs, refusal=refusal)
    planned = _sale(desk, SaleId(sale_id))
    draw = partial(_page, desk, planned, theirs, done=done)
    return SETTLEMENT.answer(desk, draw, sale=planned, theirs=theirs)


def read_figures(fields: Mapping[str, str]) -> tuple[dict[str, int | None], LedgerError | None]:
    """Return the figures entered, and the fault of the first wrong one, if any."""
    figures: dict[str, int | None] = dict.fromkeys(STATEMENT_FIGURES)
    for name in figures:
        try:
            figures[name] = fen_or_none(fields, name)
        except Invalid as refusal:
            return figures, refusal
    return figures, None


def _sale(desk: PageDesk, sale_id: SaleId) -> dict[str, Any]:
    require_views_ready(desk.site)
    with desk.read(Sales) as reading:
        row = sale(reading.connection, str(sale_id))
    if row is None:
        raise NotFound("sale")
    return row


def sale_page(
    desk: PageDesk, sale_id: SaleId, theirs: Mapping[str, int | None], *, refusal: LedgerError
) -> Response:
    """Show a sale after something was refused."""
    planned = _sale(desk, sale_id)
    draw = partial(_page, desk, planned, theirs, refusal=refusal)
    return SETTLEMENT.page(desk, draw, sale=planned, theirs=theirs)


def _page(
    desk: PageDesk,
    planned: dict[str, Any],
    theirs: Mapping[str, int | None],
    *,
    listing: ListView[Any],
    done: int = 0,
    refusal: LedgerError | None = None,
) -> Response:
    """Show a sale, their figures beside ours, and what can be done next."""
    with desk.read(FundBalances) as also:
        fund = fund_row(also.connection, planned["fund"])
    ours = Statement(**{name: planned[name] for name in STATEMENT_FIGURES})
    sale_id = SaleId(UUID(planned["id"]))
    return own_page(
        desk,
        "settlement.html",
        sale=planned,
        fund=fund,
        listing=listing,
        figures=listing.part.rows,
        drawn=list(drawn_steps(desk, "sales", str(sale_id), planned["state"], but=BY_HAND)),
        agrees=all(theirs[name] == planned[name] for name in STATEMENT_FIGURES),
        why_not=_why_not(desk, sale_id, planned["state"], ours),
        reads_books=not desk.caller.roles.isdisjoint(BOOKS),
        today=today(),
        done=done,
        refusal=refusal,
    )


def _beside(name: str, theirs: int | None, ours: int) -> dict[str, Any]:
    difference = None if theirs is None else theirs - ours
    return {"figure": name, "theirs": theirs, "ours": ours, "difference": difference}


def _why_not(
    desk: PageDesk, sale_id: SaleId, state: str, ours: Statement
) -> dict[str, LedgerError | None]:
    """Say why the reader could not settle the sale if every figure agreed, or record money."""
    reasons: dict[str, LedgerError | None] = {}
    if state != "settled":
        reasons["settlement"] = why_not(desk, settle_sale, sale_id, ours, agreed_on=today())
    else:
        reasons["remittance"] = why_not(
            desk,
            remit,
            sale_id,
            amount=1,
            external_ref="-",
            received_on=today(),
        )
    return reasons


@router.post("/desk/sales/{sale_id}/settlement")
@takes(settle_sale)
async def settle(sale_id: UUID, desk: PageDesk) -> Response:
    """Agree with the partner's statement, if every figure is ours to the fen."""
    theirs, refusal = read_figures(desk.fields)
    try:
        if refusal is not None:
            raise refusal
        statement = Statement(**{name: _required(theirs, name) for name in STATEMENT_FIGURES})
        receipt = await desk.record(
            settle_sale,
            SaleId(sale_id),
            statement,
            agreed_on=on_day(desk.fields, "agreed_on"),
        )
    except LedgerError as error:
        return await run_in_threadpool(sale_page, desk, SaleId(sale_id), theirs, refusal=error)
    return then(f"/desk/sales/{sale_id}?done={receipt.position}")


def _required(theirs: Mapping[str, int | None], name: str) -> int:
    figure = theirs[name]
    if figure is None:
        raise Invalid(name, "is required")
    return figure


@router.post("/desk/sales/{sale_id}/remittance")
@takes(remit)
async def record_remittance(sale_id: UUID, desk: PageDesk) -> Response:
    """Record money that the partner paid over; it may come in parts."""
    try:
        receipt = await desk.record(
            remit,
            SaleId(sale_id),
            amount=fen(desk.fields),
            external_ref=desk.fields.get("external_ref", "").strip(),
            received_on=on_day(desk.fields, "received_on"),
        )
    except LedgerError as error:
        nothing = dict.fromkeys(STATEMENT_FIGURES)
        return await run_in_threadpool(sale_page, desk, SaleId(sale_id), nothing, refusal=error)
    return then(f"/desk/sales/{sale_id}?done={receipt.position}")
