"""Pages for people who signed in: their menu, and how they are sent."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, NamedTuple, ParamSpec
from uuid import uuid4

from fastapi.responses import RedirectResponse, Response

from api.kernel.desk import READS_ALL, own_of
from api.kernel.doors import acting_as, roles_of
from api.kernel.problems import status_of
from api.pages.kit.entrance import PageDesk
from api.pages.kit.labels import marked
from api.pages.kit.rendering import page
from api.routes.disbursements import READERS
from ledger.commands.command import Command
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import LedgerError
from ledger.kernel.roles import Role, RoleForbidden

P = ParamSpec("P")

BOOKS = (Role.BOOKKEEPER, Role.TREASURER, Role.AUDITOR)
"""Who reads the books."""

WHO_DO = tuple(role for role in Role if role is not Role.AUDITOR)
"""Who records anything at all."""


class OwnPage(NamedTuple):
    """A page that is offered to whoever has one of its roles."""

    path: str
    name: str
    roles: tuple[Role, ...]


OWN_PAGES = (
    OwnPage("/give", marked("Give"), (Role.DONOR,)),
    OwnPage("/mine", marked("My pledges"), (Role.DONOR,)),
    OwnPage("/mine/data", marked("My data"), (Role.DONOR,)),
    OwnPage("/desk", marked("Inbox"), READERS),
    OwnPage("/desk/do", marked("What I can do"), WHO_DO),
    OwnPage("/desk/aid", marked("Aid"), READERS),
    OwnPage("/desk/request", marked("Ask for aid"), (Role.CLERK,)),
    OwnPage("/desk/relations", marked("Relations"), READERS),
    OwnPage("/desk/bank", marked("Against the bank"), BOOKS),
    OwnPage("/desk/journal", marked("Journal"), BOOKS),
    OwnPage("/desk/trial-balance", marked("Trial balance"), BOOKS),
    OwnPage("/audit/history", marked("History"), READS_ALL),
    OwnPage("/audit/time", marked("Back in time"), READS_ALL),
    OwnPage("/audit/checks", marked("Checks and exports"), READS_ALL),
)


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
        own_pages=[each for each in OWN_PAGES if desk.caller.roles.intersection(each.roles)],
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
    act = Act(
        actor=desk.caller.person,
        role=role,
        command=uuid4(),
        at=datetime.now(UTC),
        own=own_of(desk.caller, role),
    )
    return desk.ledger.refusal_of(command, act, *args, **kwargs)
