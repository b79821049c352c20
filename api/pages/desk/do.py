"""/desk/do: everything that the API does, by plain forms drawn from what it takes.

A form is sent to its own address, and the button that was pressed says what becomes of it: it is
drawn anew with a search or another row, shown again with what it would come to, or carried out.
Nothing of it is kept before the last, and nothing that was written stands in an address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.problems import nothing_here
from api.kernel.things import WITHOUT_NAME
from api.pages.kit.drawn.answers import with_row, without_row
from api.pages.kit.drawn.carrying_out import Request, carry_out, read_request, rehearse
from api.pages.kit.drawn.drawing import Drawing, carried
from api.pages.kit.drawn.fields import LINES, Kind, leaves
from api.pages.kit.drawn.foreseen import foreseen
from api.pages.kit.drawn.links import HAND_MADE, page_of
from api.pages.kit.drawn.operations import Operation, noun_of, open_to, operations
from api.pages.kit.drawn.summary import summary
from api.pages.kit.drawn.wording import LINE_CODES
from api.pages.kit.entrance import KEY_FIELD, Entrance, PageDesk, someone, with_file
from api.pages.kit.own_pages import own_page, then
from api.pages.kit.readiness import require_views_ready
from ledger.kernel.errors import Invalid, LedgerError
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Sentence

router = APIRouter(prefix="/desk/do", route_class=Entrance, include_in_schema=False)

PRESSED = "do"
"""The field of the buttons, such as ``find NAME``, ``add NAME``, ``drop NAME.ROW``, ``confirm``."""


REJECTED_MAX = 200
"""Rejected lines that are shown; after so many, the file is wrong, not its lines."""


class Entry(Struct, frozen=True):
    """Something that the reader may do, and where."""

    title: str
    href: str


@router.get("")
@someone
def list_operations(desk: PageDesk) -> Response:
    """List what the reader may do, by nouns."""
    groups: dict[str, list[Entry]] = {}
    for each in open_to(desk.caller.roles):
        href = HAND_MADE.get(each.name, {}).get(_role(desk, each), f"/desk/do/{each.name}")
        groups.setdefault(noun_of(each), []).append(Entry(each.title, href))
    return own_page(desk, "do.html", groups=groups)


def _role(desk: PageDesk, operation: Operation) -> Role:
    return next(each for each in operation.roles if each in desk.caller.roles)


def _admitted(desk: PageDesk, noun: str, step: str) -> Operation:
    """Return the operation of an address, if the reader may do it."""
    operation = operations().get(f"{noun}/{step}")
    if operation is None:
        raise nothing_here()
    desk.act_as(operation.roles)
    return operation


@router.get("/{noun}/{step}")
@someone
def show_form(noun: str, step: str, desk: PageDesk, done: int = 0) -> Response:
    """Draw the form of an operation, with the things chosen that the address names."""
    operation = _admitted(desk, noun, step)
    named = {
        name: desk.query_params[name]
        for name, field in leaves(operation.every_field())
        if field.kind is Kind.THING and name in desk.query_params
    }
    return _form(desk, operation, named, is_new=True, done=done)


def _form(  # All that a form can be drawn with.
    desk: PageDesk,
    operation: Operation,
    form: Mapping[str, str],
    *,
    faults: Mapping[str, Sentence] | None = None,
    refusal: LedgerError | None = None,
    is_new: bool = False,
    done: int = 0,
) -> Response:
    require_views_ready(desk.site)
    drawing = Drawing(desk, operation, form, faults or {}, is_new=is_new)
    fields = drawing.fields()
    return own_page(
        desk,
        "do_form.html",
        refusal=refusal,
        title=operation.title,
        action=f"/desk/do/{operation.name}",
        drawn=fields,
        takes_lines=operation.takes_lines,
        faulty=[each for each in _every(fields) if each.fault is not None],
        nameless=WITHOUT_NAME,
        form_key=form.get(KEY_FIELD),
        done=done,
        follow_ups=_follow_ups(desk, operation) if done else [],
        about=page_of(operation.noun, desk) if done else None,
    )


def _every(fields: Iterable[Any]) -> Iterator[Any]:
    for each in fields:
        yield each
        yield from _every(each.parts)
        for row in each.rows:
            yield from _every(row)


def _follow_ups(desk: PageDesk, operation: Operation) -> list[Entry]:
    """Return what the reader may do next with what was just done."""
    about = desk.query_params.get("about", "")
    return [
        Entry(each.title, f"/desk/do/{each.name}?{urlencode({field.name: about})}")
        for each in open_to(desk.caller.roles)
        for field in each.every_field()
        if about and each.name != operation.name and field.names(operation.noun)
    ]


@router.post("/{noun}/{step}")
@someone
@with_file
async def send_form(noun: str, step: str, desk: PageDesk) -> Response:
    """Do what the button says that was pressed."""
    operation = _admitted(desk, noun, step)
    pressed, _, what = desk.fields.get(PRESSED, "").partition(" ")
    form = {name: text for name, text in desk.fields.items() if name != PRESSED}
    match pressed:
        case "find" | "change":
            return await run_in_threadpool(_form, desk, operation, form)
        case "add" | "drop":
            redone = _redone(operation, form, pressed, what)
            return await run_in_threadpool(_form, desk, operation, redone)
    request = read_request(operation, form)
    if operation.takes_lines and not desk.content.strip():
        request.faults[LINES.name] = Sentence("choose a file")
    if request.faults:
        return await _refused(desk, operation, request)
    try:
        if pressed == "confirm" or operation.takes_lines:
            return await _done(desk, operation, request)
        return await _check(desk, operation, request)
    except LedgerError as refusal:
        return await _refused(desk, operation, request, refusal)


def _redone(
    operation: Operation, form: Mapping[str, str], pressed: str, what: str
) -> Mapping[str, str]:
    """Return a form with a row more, or a row less, of a list."""
    name, _, row = what.partition(".")
    field = next((each for each in operation.fields if each.name == name), None)
    if field is None or field.kind is not Kind.ROWS:
        return form
    if pressed == "add":
        return with_row(field, form)
    return without_row(field, form, int(row)) if row.isascii() and row.isdigit() else form


async def _refused(
    desk: PageDesk, operation: Operation, request: Request, refusal: LedgerError | None = None
) -> Response:
    """Draw the form again with what is wrong, at the field if it is one of the form's."""
    faults = dict(request.faults)
    names = {name for name, _ in leaves(operation.every_field())}
    if isinstance(refusal, Invalid) and refusal.field in names:
        faults[refusal.field] = refusal.fault
    if refusal is None:
        refusal = Invalid("body", "cannot be used as it is written")
    return await run_in_threadpool(
        lambda: _form(desk, operation, request.form, faults=faults, refusal=refusal)
    )


async def _check(desk: PageDesk, operation: Operation, request: Request) -> Response:
    """Show what was written, and what it would come to."""
    rehearsal = await rehearse(desk, operation, request)
    drawing = Drawing(desk, operation, request.form, {})
    return await run_in_threadpool(
        lambda: own_page(
            desk,
            "do_check.html",
            title=operation.title,
            action=f"/desk/do/{operation.name}",
            summary=summary(drawing.fields()),
            foreseen=None if rehearsal is None else foreseen(rehearsal),
            carried=carried(request.form, but=frozenset({PRESSED})),
        )
    )


async def _done(desk: PageDesk, operation: Operation, request: Request) -> Response:
    """Carry it out, and show where it stands."""
    made = await carry_out(desk, operation, request)
    if operation.command is None:
        return own_page(
            desk,
            "do_done.html",
            title=operation.title,
            made=made,
            line_codes=LINE_CODES,
            rejected_max=REJECTED_MAX,
        )
    query = urlencode({"done": made["position"], "about": made["id"]})
    return then(f"/desk/do/{operation.name}?{query}")
