"""What can be done with a thing, beside it on its own page, and why not where it cannot.

The ledger itself is asked whether a step would be refused now, with the least that its form takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from api.kernel.desk import today
from api.pages.kit.drawn.carrying_out import read_request
from api.pages.kit.drawn.fields import Field, Kind
from api.pages.kit.drawn.links import HAND_MADE
from api.pages.kit.drawn.operations import Operation, open_to
from api.pages.kit.entrance import PageDesk
from api.pages.kit.own_pages import why_not
from ledger.kernel.errors import Invalid, LedgerError


class DrawnStep(Struct, frozen=True):
    """Something that the reader's roles may do with a thing.

    Attributes:
        title: What it is called, to be translated.
        href: Where its form is, with the thing chosen.
        why_not: Why it would be refused now, if it would.

    """

    title: str
    href: str
    why_not: LedgerError | None


def drawn_steps(
    desk: PageDesk, noun: str, thing: str, state: str, *, but: frozenset[str] = frozenset()
) -> Iterator[DrawnStep]:
    """Yield what the reader may do with a thing in its present state.

    Args:
        desk: Who reads.
        noun: Of the thing, such as ``donations``.
        thing: What it is known by.
        state: Where it stands.
        but: Steps of which the page has a form of its own.

    """
    for each in open_to(desk.caller.roles):
        if each.noun != noun or not each.things or each.step in but:
            continue
        if not desk.caller.roles.isdisjoint(HAND_MADE.get(each.name, ())):
            continue
        field = each.things[0]
        if each.states is None or state in each.states:
            href = f"/desk/do/{each.name}?{urlencode({field.name: thing})}"
            yield DrawnStep(each.title, href, _why_not(desk, each, field, thing))


def _why_not(desk: PageDesk, operation: Operation, field: Field, thing: str) -> LedgerError | None:
    """Return why a step would be refused; nothing if that depends on what is yet to be chosen."""
    if operation.command is None or any(each.kind is Kind.THING for each in operation.fields):
        return None
    form = {name: text for each in operation.fields for name, text in _least(each)}
    request = read_request(operation, form | {field.name: thing})
    arguments: dict[str, Any] = getattr(request.body, "arguments", dict)()
    refusal = why_not(desk, operation.command, *request.path.values(), **arguments)
    return None if isinstance(refusal, Invalid) else refusal


def _least(field: Field) -> Iterator[tuple[str, str]]:
    """Yield the least that a field takes, as it would be written."""
    match field.kind:
        case Kind.MONEY:
            yield field.name, "0.01"
        case Kind.DAY:
            yield field.name, today().isoformat()
        case Kind.CHOICE:
            yield field.name, field.choices[0]
        case Kind.TEXT if not field.optional:
            yield field.name, "-"
