"""/desk/bank: what was recorded and is to be found on a statement that others wrote.

Whoever checks has a statement before them, so its name and the day stay in the address while they
go from payment to payment. A payment goes by the position of the event that recorded it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path, Query
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.desk import today
from api.kernel.doors import may
from api.pages.desk.confirmations import Confirmable, confirmation_of
from api.pages.kit.colleagues import colleague, colleagues
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import on_day
from api.pages.kit.labels import CHANNELS, MONEY_KINDS, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.menu import BOOKS
from api.pages.kit.own_pages import own_page, then, why_not
from api.pages.kit.readiness import must_be_level
from api.pages.kit.rendering import query_of
from api.pages.kit.tables import CSV, As, Yuan, sheet
from ledger.kernel.errors import Invalid, LedgerError
from ledger.kernel.names import Position
from ledger.kernel.roles import Role
from projections.views.unconfirmed import MoneyKind, Unconfirmed, unconfirmed, unconfirmed_at

router = APIRouter(prefix="/desk/bank", route_class=Entrance, include_in_schema=False)

CONFIRM = (Role.BOOKKEEPER, Role.TREASURER)
"""Roles that confirm; never the person who recorded the payment."""

ROWS_SHOWN = 50

COLUMNS = (
    marked("Event"),
    marked("Day"),
    marked("What"),
    marked("Fund"),
    marked("Channel"),
    marked("Payment reference"),
    marked("Recorded by"),
    marked("Yuan"),
)

Place = Annotated[int, Path(ge=1, le=2**53)]

Word = Annotated[str, Query(max_length=64)]


@router.get("")
@may(*BOOKS)
def list_payments(  # What a reader may ask for.
    desk: PageDesk,
    kind: Annotated[str, Query(max_length=20)] = "",
    ref: Word = "",
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    form: As = "",
    done: int = 0,
) -> Response:
    """Show payments that nobody has found on a statement yet, the oldest first."""
    must_be_level(desk.site)
    if kind and kind not in get_args(MoneyKind):
        raise Invalid("kind", "choose one")
    asked = {"kind": kind or None, "ref": ref.strip() or None}
    held = _held(desk.query_params)
    if form == CSV:
        say = words(language_of(desk)).gettext
        return sheet("to-confirm", COLUMNS, _rows(desk, asked, say), say)
    rows = _part(desk, asked, after, ROWS_SHOWN + 1)
    return own_page(
        desk,
        "bank.html",
        rows=rows[:ROWS_SHOWN],
        who=_recorders(desk, rows),
        following=rows[ROWS_SHOWN - 1]["position"] if len(rows) > ROWS_SHOWN else None,
        asked=asked,
        held=held,
        kept=asked | held,
        done=done,
    )


def _held(said: Mapping[str, str]) -> dict[str, str | None]:
    """Return the statement that is gone through, and the day, as the address has them."""
    return {name: said.get(name, "").strip()[:64] or None for name in ("statement_ref", "on")}


def _part(
    desk: PageDesk, asked: Mapping[str, str | None], after: int, limit: int
) -> list[dict[str, Any]]:
    with desk.read(Unconfirmed) as reading:
        return unconfirmed(
            reading.connection,
            after=after,
            limit=limit,
            kind=asked["kind"],
            external_ref=asked["ref"],
        )


def _recorders(desk: PageDesk, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return colleagues(desk, ((row["recorded_by"], Role.CASHIER) for row in rows))


def _rows(
    desk: PageDesk, asked: Mapping[str, str | None], say: Callable[[str], str]
) -> Iterator[tuple[object, ...]]:
    after = 0
    while rows := _part(desk, asked, after, ROWS_SHOWN * 10):
        who = _recorders(desk, rows)
        for row in rows:
            yield (
                row["position"],
                row["on"],
                say(MONEY_KINDS[row["kind"]]),
                row["fund"],
                say(CHANNELS[row["channel"]]),
                row["external_ref"],
                who[row["recorded_by"]],
                Yuan(row["amount"]),
            )
        after = rows[-1]["position"]


@router.get("/{position}")
@may(*BOOKS)
def show_payment(position: Place, desk: PageDesk) -> Response:
    """Show one payment, and the form that says on which statement it was found."""
    return payment_page(desk, position)


def payment_page(desk: PageDesk, position: int, refusal: LedgerError | None = None) -> Response:
    """Show a payment, after its confirmation was refused, if it was."""
    must_be_level(desk.site)
    found = confirmation_of(desk, Position(position))
    with desk.read(Unconfirmed) as reading:
        row = unconfirmed_at(reading.connection, position)
    cannot = None if row is None else _why_not(desk, found)
    return own_page(
        desk,
        "bank_one.html",
        fact=found.fact,
        position=position,
        kind=found.kind,
        matter=found.matter,
        recorder=colleague(desk, found.fact.actor, found.fact.role),
        row=row,
        cannot=cannot,
        held=_held(desk.query_params) if refusal is None else _held(desk.fields),
        today=today(),
        refusal=refusal,
    )


def _why_not(desk: PageDesk, found: Confirmable) -> LedgerError | None:
    on = today()
    return why_not(desk, found.command, found.thing, **found.named, statement_ref="-", on=on)


@router.post("/{position}/confirmation")
@may(*CONFIRM)
async def confirm(position: Place, desk: PageDesk) -> Response:
    """Record that a payment was found, and go on with the list, the same statement in hand."""
    found = await run_in_threadpool(confirmation_of, desk, Position(position))
    try:
        receipt = await desk.record(
            found.command,
            found.thing,
            **found.named,
            statement_ref=desk.fields.get("statement_ref", "").strip(),
            on=on_day(desk.fields),
        )
    except LedgerError as refusal:
        return await run_in_threadpool(payment_page, desk, position, refusal)
    return then(f"/desk/bank{query_of(_held(desk.fields) | {'done': receipt.position})}")
