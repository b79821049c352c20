"""/desk/sales: a partner's statement beside ours, to a difference of nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.desk import today
from api.kernel.doors import may, takes
from api.pages.kit.drawn.steps import drawn_steps
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import fen, fen_or_none, on_day
from api.pages.kit.labels import STATEMENT_FIGURES, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page, then, why_not
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import CSV, As, Yuan, sheet
from api.routes.disbursements import READERS
from ledger.aggregates.sales.settlements import Statement
from ledger.commands.sales import remit, settle_sale
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.money import yuan
from ledger.kernel.names import SaleId
from projections.views.fund_balances import FundBalances, fund_row
from projections.views.sales import Sales, sale

BY_HAND = frozenset({"settlement", "remittances"})
"""Steps of which the page of a sale has forms of its own."""

router = APIRouter(route_class=Entrance, include_in_schema=False)

SIDES = ("theirs", "ours", "difference")

COLUMNS = (
    marked("Figure"),
    marked("Theirs, yuan"),
    marked("Ours, yuan"),
    marked("Difference"),
)


@router.get("/desk/sales/{sale_id}")
@may(*READERS)
def compare(sale_id: UUID, desk: PageDesk, done: int = 0, form: As = "") -> Response:
    """Show both accounts of a sale; what the partner says is in the address."""
    theirs, refusal = read_figures(desk.query_params)
    if form == CSV and refusal is None:
        return _sheet(desk, SaleId(sale_id), theirs)
    return sale_page(desk, SaleId(sale_id), theirs, done=done, refusal=refusal)


def read_figures(said: Mapping[str, str]) -> tuple[dict[str, int | None], LedgerError | None]:
    """Return the figures that are said, and what is wrong with one of them, if anything is."""
    found: dict[str, int | None] = dict.fromkeys(STATEMENT_FIGURES)
    for name in found:
        try:
            found[name] = fen_or_none(said, name)
        except Invalid as refusal:
            return found, refusal
    return found, None


def _sheet(desk: PageDesk, sale_id: SaleId, theirs: Mapping[str, int | None]) -> Response:
    """Return both accounts as a file."""
    say, found = words(language_of(desk)).gettext, _sale(desk, sale_id)
    sides = (_beside(name, theirs[name], found[name]) for name in STATEMENT_FIGURES)
    rows = (
        (say(STATEMENT_FIGURES[each["name"]]), *(_cell(each[side]) for side in SIDES))
        for each in sides
    )
    return sheet("settlement", COLUMNS, rows, say)


def _cell(fen: int | None) -> Yuan | None:
    return None if fen is None else Yuan(fen)


def _sale(desk: PageDesk, sale_id: SaleId) -> dict[str, Any]:
    must_be_level(desk.site)
    with desk.read(Sales) as reading:
        found = sale(reading.connection, str(sale_id))
    if found is None:
        raise NotFound("sale")
    return found


def sale_page(
    desk: PageDesk,
    sale_id: SaleId,
    theirs: Mapping[str, int | None],
    *,
    done: int = 0,
    refusal: LedgerError | None = None,
) -> Response:
    """Show a sale, their figures beside ours, and what can be done next."""
    found = _sale(desk, sale_id)
    with desk.read(FundBalances) as also:
        fund = fund_row(also.connection, found["fund"])
    ours = Statement(**{name: found[name] for name in STATEMENT_FIGURES})
    return own_page(
        desk,
        "settlement.html",
        sale=found,
        fund=fund,
        figures=[_beside(name, theirs[name], found[name]) for name in STATEMENT_FIGURES],
        drawn=list(drawn_steps(desk, "sales", str(sale_id), found["state"], but=BY_HAND)),
        agrees=all(theirs[name] == found[name] for name in STATEMENT_FIGURES),
        why_not=_why_not(desk, sale_id, found["state"], ours),
        said={name: yuan(fen) for name, fen in theirs.items() if fen is not None},
        reads_books=not desk.caller.roles.isdisjoint(BOOKS),
        today=today(),
        done=done,
        refusal=refusal,
    )


def _beside(name: str, theirs: int | None, ours: int) -> dict[str, Any]:
    difference = None if theirs is None else theirs - ours
    return {"name": name, "theirs": theirs, "ours": ours, "difference": difference}


def _why_not(
    desk: PageDesk, sale_id: SaleId, state: str, ours: Statement
) -> dict[str, LedgerError | None]:
    """Say why the reader could not settle the sale if every figure agreed, or record money."""
    found: dict[str, LedgerError | None] = {}
    if state != "settled":
        found["settlement"] = why_not(desk, settle_sale, sale_id, ours, agreed_on=today())
    else:
        found["remittance"] = why_not(
            desk,
            remit,
            sale_id,
            amount=1,
            external_ref="-",
            received_on=today(),
        )
    return found


@router.post("/desk/sales/{sale_id}/settlement")
@takes(settle_sale)
async def settle(sale_id: UUID, desk: PageDesk) -> Response:
    """Agree with the partner's statement, if every figure is ours to the fen."""
    theirs, refusal = read_figures(desk.fields)
    try:
        if refusal is not None:
            raise refusal
        said = Statement(**{name: _said(theirs, name) for name in STATEMENT_FIGURES})
        receipt = await desk.record(
            settle_sale,
            SaleId(sale_id),
            said,
            agreed_on=on_day(desk.fields, "agreed_on"),
        )
    except LedgerError as error:
        return await run_in_threadpool(sale_page, desk, SaleId(sale_id), theirs, refusal=error)
    return then(f"/desk/sales/{sale_id}?done={receipt.position}")


def _said(theirs: Mapping[str, int | None], name: str) -> int:
    found = theirs[name]
    if found is None:
        raise Invalid(name, "is required")
    return found


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
