"""/desk/bank: what was recorded and is to be found on a statement that others wrote.

Whoever checks has a statement before them, so its name and the day stay in the address while they
go from payment to payment. A payment goes by the position of the event that recorded it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from sqlalchemy import RowMapping, Select

from api.kernel.desk import today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.desk.confirmations import Confirmable, confirmation_of
from api.pages.kit.colleagues import colleague, colleagues
from api.pages.kit.columns import Column, Filter
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import on_day
from api.pages.kit.labels import CHANNELS, MONEY_KINDS
from api.pages.kit.lists import ListPage
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page, then, why_not
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rendering import query_of
from api.pages.kit.rows import ListQuery, Selected
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import Position
from ledger.kernel.roles import Role
from projections.exports.tables import Kind
from projections.views.unconfirmed import Unconfirmed, to_confirm, unconfirmed_at

router = APIRouter(prefix="/desk/bank", route_class=Entrance, include_in_schema=False)

CONFIRM = (Role.BOOKKEEPER, Role.TREASURER)
"""Roles that confirm; never the person who recorded the payment."""

HELD = ("statement_ref", "on")
"""What stays in the address: the statement that is gone through, and the day."""

STATEMENT_MAX = 64
"""Characters of a statement's name in the address."""

Place = Annotated[int, Path(ge=1, le=2**53)]


def _asked(query: ListQuery[Any]) -> Select[Any]:
    return to_confirm(query.given["kind"], query.given["ref"])


def _with_recorders(query: ListQuery[Any], rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    who = colleagues(query.desk, ((row["recorded_by"], Role.CASHIER) for row in rows))
    held = query_of({name: query.given[name] for name in HELD})
    return [
        {**row, "recorded_by": who[row["recorded_by"]], "page": f"{row['position']}{held}"}
        for row in rows
    ]


TO_CONFIRM = ListPage[dict[str, Any]](
    name="to-confirm",
    title=marked("To be found on a statement"),
    lead=marked(
        "What was recorded here and nobody has found yet on a statement of the bank, the platform"
        " or the till. Whoever recorded a payment does not look for it."
    ),
    view=Unconfirmed,
    rows=Selected(_asked, "position", _with_recorders),
    order="position",
    later=marked("Later payments"),
    filters=(
        Filter(name="kind", title=marked("Money"), kind="choice", words=MONEY_KINDS, strict=True),
        Filter(name="ref", title=marked("Payment reference")),
        Filter(name="statement_ref", title=marked("Statement in hand")),
        Filter(name="on", appears="hidden"),
    ),
    columns=(
        Column(name="position", title=marked("Event"), kind=Kind.EVENT, on_page=False),
        Column(name="on", title=marked("Day"), kind=Kind.DAY, sortable=True),
        Column(
            name="kind",
            title=marked("What"),
            kind=Kind.CODE,
            words=MONEY_KINDS,
            notes=("fund",),
            sortable=True,
        ),
        Column(
            name="fund",
            title=marked("Fund"),
            link=lambda row: f"/funds/{row['fund']}",
            on_page=False,
        ),
        Column(
            name="channel",
            title=marked("Channel"),
            kind=Kind.CODE,
            words=CHANNELS,
            on_page=False,
        ),
        Column(
            name="external_ref",
            title=marked("Payment reference"),
            link=lambda row: f"/desk/bank/{row['page']}",
            heads=True,
            notes=("channel",),
            sortable=True,
        ),
        Column(name="recorded_by", title=marked("Recorded by")),
        Column(name="amount", title=marked("Yuan"), kind=Kind.AMOUNT, sortable=True),
    ),
)


@router.get("")
@may(*BOOKS)
def list_payments(desk: PageDesk, done: int = 0) -> Response:
    """Show payments that nobody has found on a statement yet, the oldest first."""
    return TO_CONFIRM.answer(desk, partial(own_page, desk, "bank.html", done=done))


def _held(fields: Mapping[str, str]) -> dict[str, str | None]:
    """Return the statement that is gone through, and the day, as the address has them."""
    return {name: fields.get(name, "").strip()[:STATEMENT_MAX] or None for name in HELD}


@router.get("/{position}")
@may(*BOOKS)
def show_payment(position: Place, desk: PageDesk) -> Response:
    """Show one payment, and the form that says on which statement it was found."""
    return payment_page(desk, position)


def payment_page(desk: PageDesk, position: int, refusal: LedgerError | None = None) -> Response:
    """Show a payment, after its confirmation was refused, if it was."""
    require_views_ready(desk.site)
    payment = confirmation_of(desk, Position(position))
    with desk.read(Unconfirmed) as reading:
        row = unconfirmed_at(reading.connection, position)
    cannot = None if row is None else _why_not(desk, payment)
    return own_page(
        desk,
        "bank_one.html",
        fact=payment.fact,
        position=position,
        kind=payment.kind,
        matter=payment.matter,
        recorder=colleague(desk, payment.fact.actor, payment.fact.role),
        row=row,
        cannot=cannot,
        held=_held(desk.query_params) if refusal is None else _held(desk.fields),
        today=today(),
        refusal=refusal,
    )


def _why_not(desk: PageDesk, payment: Confirmable) -> LedgerError | None:
    on = today()
    return why_not(desk, payment.command, payment.thing, **payment.named, statement_ref="-", on=on)


@router.post("/{position}/confirmation")
@may(*CONFIRM)
async def confirm(position: Place, desk: PageDesk) -> Response:
    """Record that a payment was found, and go on with the list, the same statement in hand."""
    payment = await run_in_threadpool(confirmation_of, desk, Position(position))
    try:
        receipt = await desk.record(
            payment.command,
            payment.thing,
            **payment.named,
            statement_ref=desk.fields.get("statement_ref", "").strip(),
            on=on_day(desk.fields),
        )
    except LedgerError as refusal:
        return await run_in_threadpool(payment_page, desk, position, refusal)
    return then(f"/desk/bank{query_of(_held(desk.fields) | {'done': receipt.position})}")
