"""Doors: routes with authorisation.

A route says who ``may`` use it. The door checks, in this order and before anything of the body is
looked at: is the token known, has its holder the role, does the request name itself. So a stranger
learns nothing of what is behind a door, not even whether it exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kernel.desk import Desk
from api.kernel.dry_run import PARAMETER, Rehearsed, foreseen, wants_dry_run
from api.kernel.headers import header
from api.kernel.intake import Endpoint, Intake
from api.kernel.problems import KeyRequired, TooLarge, Unauthenticated, refusals
from ledger.commands.application import IdempotencyMismatch
from ledger.commands.command import Command
from ledger.kernel.errors import Conflict, Invalid, LedgerError, Overloaded
from ledger.kernel.names import PersonId
from ledger.kernel.roles import Role, RoleForbidden
from ledger.people.caller import Caller
from ledger.people.identity import Identity
from ledger.store.commits import StoreFailed
from projections.kernel.follow import ViewsAway, ViewStopped

E = TypeVar("E", bound=Callable[..., Any])

KEY_MAX = 255
"""Characters of an idempotency key."""

JSON = "application/json"

KEY = re.compile(f"[!-~]{{1,{KEY_MAX}}}")

NOBODY = Caller(person=PersonId("public"), roles=frozenset())
"""Whoever reads what is open to all."""


def roles_of(command: Command[Any]) -> tuple[Role, ...]:
    """Return the roles that may give a command over HTTP and on pages."""
    return tuple(each for each in command.by if isinstance(each, Role))


def takes(command: Command[Any]) -> Callable[[E], E]:
    """Say which command the route below carries out, and so who may use it."""

    def mark(endpoint: E) -> E:
        vars(endpoint)["command"] = command
        vars(endpoint)["roles"] = roles_of(command)
        return endpoint

    return mark


def may(*roles: Role) -> Callable[[E], E]:
    """Say which roles may use the route below; none named, everybody may."""

    def mark(endpoint: E) -> E:
        vars(endpoint)["roles"] = roles
        return endpoint

    return mark


def in_lines(endpoint: E) -> E:
    """Say that the route below reads its body a line at a time, so that it may have any length."""
    vars(endpoint)["in_lines"] = True
    return rehearses(endpoint)


def rehearses(endpoint: E) -> E:
    """Say that the route below carries out no command, and changes nothing in a dry run."""
    vars(endpoint)["rehearses"] = True
    return endpoint


def refuses(*kinds: type[LedgerError]) -> dict[int | str, dict[str, Any]]:
    """Return the documented answers of a route that has these refusals besides the door's."""
    return {"refusals": {"kinds": kinds}}


class Door(APIRoute):
    """A route with somebody at its door."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        self.roles: tuple[Role, ...] = vars(endpoint)["roles"]
        self.in_lines: bool = vars(endpoint).get("in_lines", False)
        self.command: Command[Any] | None = vars(endpoint).get("command")
        self.title: str | None = vars(endpoint).get("title")
        self.states: frozenset[str] | None = vars(endpoint).get("states")
        self.records = "POST" in kwargs.get("methods", ())
        self.rehearses = vars(endpoint).get("rehearses", self.command is not None)
        responses = dict(kwargs.get("responses") or {})
        kinds = responses.pop("refusals", {}).get("kinds", ())
        kwargs["responses"] = responses | refusals((*self._at_the_door(), *kinds))
        kwargs["openapi_extra"] = self._documented(kwargs.get("openapi_extra") or {})
        super().__init__(path, endpoint, **kwargs)
        if self.records and not self.in_lines:
            self.app = self._take_command()

    def _at_the_door(self) -> Iterator[type[LedgerError]]:
        yield Invalid
        if self.roles:
            yield from (Unauthenticated, RoleForbidden)
        if self.records:
            yield from (KeyRequired, IdempotencyMismatch, TooLarge, Conflict)
            yield from (Overloaded, StoreFailed)
        else:
            yield from (ViewStopped, ViewsAway)

    def _documented(self, extra: dict[str, Any]) -> dict[str, Any]:
        """Say in the OpenAPI operation what the door asks for."""
        documented = dict(extra)
        documented["x-roles"] = [role.value for role in self.roles]
        if self.roles:
            documented["security"] = [{"bearer": []}]
        if self.records:
            documented["parameters"] = [*documented.get("parameters", ()), IDEMPOTENCY_KEY]
        if self.rehearses:
            documented["parameters"].append(PARAMETER)
        return documented

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Check at the door, then let the route do its work."""
        handle = super().get_route_handler()

        async def admit(request: Request) -> Response:
            return await handle(await self._admitted(request))

        return admit

    async def _admitted(self, request: Request) -> Desk:
        """Return the desk of whoever asks, or refuse them at the door."""
        caller, role = await _identify(request, self.roles)
        desk = Desk(request, caller, role)
        if self.records:
            if request.scope["query_string"]:
                desk.dry_run = wants_dry_run(request)
            if not desk.dry_run:
                _named(request)
        return desk

    def _take_command(self) -> ASGIApp:
        """Return what takes a command, which has no use for what FastAPI sets up for a route."""
        carry_out: Endpoint = self.endpoint
        intake = Intake(carry_out)

        async def take(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            desk = await self._admitted(request)
            _is_json(request)
            body = await desk.read_body()
            try:
                answer = await carry_out(desk=desk, **intake.read(request.path_params, body))
            except Rehearsed as end:
                answer = foreseen(end.rehearsal, self.status_code or HTTPStatus.OK)
            await answer(scope, receive, send)

        return take


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Names the request, so that repeating it has no second effect.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX, "pattern": "^[!-~]+$"},
    "example": "2026-03-20-pledge-17",
}


async def caller_of(request: Request) -> Caller | None:
    """Return who asks, if the token that they show is known."""
    scheme, _, token = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    identity: Identity = request.app.state.site.identity
    if identity.is_local:
        return identity.caller(token)
    return identity.remembered(token) or await run_in_threadpool(identity.caller, token)


async def _identify(request: Request, roles: tuple[Role, ...]) -> tuple[Caller, Role | None]:
    if not roles:
        return NOBODY, None
    caller = await caller_of(request)
    if caller is None:
        raise Unauthenticated("send a valid token in Authorization: Bearer …")
    return caller, acting_as(caller, roles)


def acting_as(caller: Caller, roles: tuple[Role, ...]) -> Role:
    """Return the first of ``roles`` that ``caller`` has; refuse whoever has none."""
    for role in roles:
        if role in caller.roles:
            return role
    raise RoleForbidden(roles)


def _named(request: Request) -> None:
    key = header(request, b"idempotency-key")
    if key is None:
        raise KeyRequired("send an Idempotency-Key header")
    if not KEY.fullmatch(key):
        raise Invalid(
            "Idempotency-Key",
            "must be {least} to {most} visible ASCII characters",
            least=1,
            most=KEY_MAX,
        )


def _is_json(request: Request) -> None:
    media_type = header(request, b"content-type") or ""
    if media_type != JSON and media_type.partition(";")[0].strip().lower() != JSON:
        raise Invalid("Content-Type", "must be application/json")
