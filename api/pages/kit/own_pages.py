"""Pages for people who signed in: their menu, and how they are sent."""

from __future__ import annotations

from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, ParamSpec

from fastapi.responses import RedirectResponse, Response

from api.kernel.doors import acting_as, roles_of
from api.kernel.problems import status_of
from api.pages.kit.entrance import PageDesk
from api.pages.kit.rendering import page
from ledger.commands.command import Command
from ledger.kernel.errors import LedgerError
from ledger.kernel.roles import Role, RoleForbidden

P = ParamSpec("P")


def own_page(
    desk: PageDesk, name: str, *, refusal: LedgerError | None = None, **context: Any
) -> Response:
    """Answer with the page of a template, which nobody else may keep.

    Args:
        desk: Who asks.
        name: Of the template.
        refusal: Why what its form asked for was not done, if it was not.
        context: What the template speaks of.

    """
    answer = page(
        desk,
        name,
        status=HTTPStatus.OK if refusal is None else status_of(type(refusal)),
        key=token_urlsafe(16),
        fields=desk.fields,
        refusal=refusal,
        **context,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def then(address: str) -> Response:
    """Send a reader on to the page of what they did, so that loading it again repeats nothing."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER, {"Cache-Control": "no-store"})


def why_not(
    desk: PageDesk, command: Command[P], *args: P.args, **kwargs: P.kwargs
) -> LedgerError | None:
    """Return why the reader may not do something now; nothing, if they may.

    The ledger is asked to decide, as it will be when they do it, so no page repeats a rule.
    """
    return why_not_as(desk, roles_of(command), command, *args, **kwargs)


def why_not_as(
    desk: PageDesk,
    roles: tuple[Role, ...],
    command: Command[P],
    *args: P.args,
    **kwargs: P.kwargs,
) -> LedgerError | None:
    """Return why the reader may not do something now in one of ``roles``; nothing, if they may."""
    try:
        role = acting_as(desk.caller, roles)
    except RoleForbidden as error:
        return error
    return desk.ledger.refusal_of(command, desk.attempt(role), *args, **kwargs)
