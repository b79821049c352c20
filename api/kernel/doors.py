"""Who may come in where, and what they find inside.

A route says who ``may`` use it. The door checks, in this order and before anything of the body is
looked at: is the token known, has its holder the role, does the request name itself. So a stranger
learns nothing of what is behind a door, not even whether it exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Annotated, Any, Concatenate, NamedTuple, ParamSpec, TypeVar
from uuid import UUID

import msgspec
from fastapi import Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy import Connection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kernel.headers import header
from api.kernel.intake import Endpoint, Intake
from api.kernel.problems import KeyRequired, RoleForbidden, TooLarge, Unauthenticated, refusals
from api.kernel.site import Site
from ledger.commands import Ledger
from ledger.commands.application import Decision, IdempotencyMismatch
from ledger.kernel.aggregate import Act, business_day
from ledger.kernel.errors import Conflict, Invalid, LedgerError, NotFound, Overloaded
from ledger.kernel.names import PartyId, PersonId, Position
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Either
from ledger.people.caller import Caller
from ledger.people.directory import Directory
from ledger.store.commits import OutcomeUnknown, Receipt, StoreFailed
from projections.kernel.follow import ViewsAway, ViewStopped
from projections.kernel.view import View

E = TypeVar("E", bound=Callable[..., Any])
P = ParamSpec("P")

KEY_MAX = 255
"""Characters of an idempotency key."""

KEY = re.compile(f"[!-~]{{1,{KEY_MAX}}}")

BODY_BYTES_MAX = 1024 * 1024
"""The longest body of a command. A plan with a thousand items is a fifth of it."""

NOBODY = Caller(person=PersonId("public"), roles=frozenset())
"""Whoever reads what is open to all."""

READS_ALL = (Role.TREASURER, Role.AUDITOR)
"""Roles that read everything but personal data."""


class Reading(NamedTuple):
    """Views that have reached ``position``."""

    connection: Connection
    position: Position


class Desk(Request):
    """What a route works at: the request, who asks, in which role, and the ledger's parts.

    Being a request itself, it reaches the route without the cost of a dependency.
    """

    def __init__(self, request: Request, caller: Caller, role: Role | None) -> None:
        super().__init__(request.scope, request.receive)
        self.caller = caller
        self.role = role
        self.site: Site = request.app.state.site

    @property
    def ledger(self) -> Ledger:
        """The write side."""
        return self.site.ledger

    async def read_body(self) -> bytes:
        """Return what was sent, or refuse it as soon as it is longer than any command."""
        pieces, size = [], 0
        async for piece in self.stream():
            size += len(piece)
            if size > BODY_BYTES_MAX:
                raise TooLarge("a body is at most {most:,} bytes", most=BODY_BYTES_MAX)
            pieces.append(piece)
        self._body = b"".join(pieces)
        return self._body

    @property
    def key(self) -> str:
        """What the request names itself by."""
        return header(self, b"idempotency-key") or ""

    def act(self, said: dict[str, str] | None) -> Act:
        """Return who does what, under the key of the request, whose fingerprint is ``said``."""
        return Act(
            actor=self.caller.person,
            role=self.role or "",
            command=command_id(self.caller.person, self.key),
            at=datetime.now(UTC),
            fingerprint=said,
        )

    async def record(
        self,
        command: Callable[Concatenate[Act, P], Decision],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Receipt:
        """Carry out a command as the caller, once however often it is asked for."""
        said = fingerprint(self.key, self.scope["path"], self._body)
        try:
            return await self.ledger.record_async(command, self.act(said), *args, **kwargs)
        except Invalid as error:
            raise _as_written(error, kwargs) from None

    async def record_about(
        self,
        party: PartyId,
        details: dict[str, Any],
        command: Callable[Concatenate[Act, P], Decision],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Receipt:
        """Carry out a command about somebody whose details are kept apart from the history.

        They are kept first: an event whose person is unknown would be worse than the reverse.
        """
        await run_in_threadpool(self.site.directory.vault.keep, party, details)
        try:
            receipt = await self.record(command, *args, **kwargs)
        except OutcomeUnknown:
            raise  # The event may be there, and then it needs them.
        except LedgerError:
            await run_in_threadpool(self.site.directory.vault.forget, party)
            raise
        if receipt.repeated:
            await run_in_threadpool(self.site.directory.vault.forget, party)
        return receipt

    @contextmanager
    def read(self, view: type[View], at_least: int | None = None) -> Iterator[Reading]:
        """Give a view that shows everything acknowledged so far, and ``at_least`` that position."""
        self.must_have(at_least)
        with self.site.follower.reading(view.name) as reading:
            yield Reading(*reading)

    def must_have(self, at_least: int | None) -> None:
        """Refuse to show less than the caller asks for."""
        if at_least is None:
            return
        last = self.ledger.store.last_position()
        if at_least > last:
            raise Invalid("at_least", "the ledger has {last} events so far", last=last)


AtLeast = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="Never show less than this position of the ledger."),
]


def today() -> date:
    """Return the business day of this moment."""
    return business_day(datetime.now(UTC))


def command_id(person: PersonId, key: str) -> UUID:
    """Return the id of the command that ``person`` calls ``key``."""
    named = blake2b(f"command/{person}/{key}".encode(), digest_size=16)
    return UUID(bytes=named.digest())


def fingerprint(key: str, path: str, body: bytes) -> dict[str, str]:
    """Return a keyed digest of each part of a request, so that a difference can be named.

    The digests are worth nothing without the key, which is not kept.
    """
    keyed = blake2b(key=key.encode()[:64], digest_size=12)

    def digest(value: bytes) -> str:
        begun = keyed.copy()
        begun.update(value)
        return begun.hexdigest()

    parts = {"path": digest(path.encode())}
    try:
        said = msgspec.json.decode(body) if body else {}
    except msgspec.MsgspecError:
        raise Invalid("body", "is not JSON as RFC 8259 has it") from None
    for name, value in said.items() if isinstance(said, Mapping) else [("body", said)]:
        parts[name] = digest(msgspec.json.encode(value, order="sorted"))
    return parts


def _as_written(error: Invalid, said: Mapping[str, object]) -> Invalid:
    """Return ``error`` under the sender's word for the business day, which the history calls on."""
    days = [name for name in said if name.endswith("_on")]
    if error.field == "on" and "on" not in said and len(days) == 1:
        return Invalid(days[0], error.fault)
    return error


def may(*roles: Role) -> Callable[[E], E]:
    """Say which roles may use the route below; none named, everybody may."""

    def mark(endpoint: E) -> E:
        vars(endpoint)["roles"] = roles
        return endpoint

    return mark


def in_lines(endpoint: E) -> E:
    """Say that the route below reads its body a line at a time, so that it may have any length."""
    vars(endpoint)["in_lines"] = True
    return endpoint


def refuses(*kinds: type[LedgerError]) -> dict[int | str, dict[str, Any]]:
    """Return the documented answers of a route that has these refusals besides the door's."""
    return {"refusals": {"kinds": kinds}}


class Door(APIRoute):
    """A route with somebody at its door."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        self.roles: tuple[Role, ...] = vars(endpoint)["roles"]
        self.in_lines: bool = vars(endpoint).get("in_lines", False)
        self.records = "POST" in kwargs.get("methods", ())
        asked = dict(kwargs.get("responses") or {})
        kinds = asked.pop("refusals", {}).get("kinds", ())
        kwargs["responses"] = asked | refusals((*self._at_the_door(), *kinds))
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
        if self.records:
            _named(request)
        return Desk(request, caller, role)

    def _take_command(self) -> ASGIApp:
        """Return what takes a command, which has no use for what FastAPI sets up for a route."""
        carry_out: Endpoint = self.endpoint
        intake = Intake(carry_out)

        async def take(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            desk = await self._admitted(request)
            _is_json(request)
            body = await desk.read_body()
            answer = await carry_out(desk=desk, **intake.read(request.path_params, body))
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
    directory: Directory = request.app.state.site.directory
    if directory.is_local:
        return directory.caller(token)
    return directory.remembered(token) or await run_in_threadpool(directory.caller, token)


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
    raise RoleForbidden("this takes the role of {roles}", roles=Either(roles))


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
    media_type = (header(request, b"content-type") or "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        raise Invalid("Content-Type", "must be application/json")


def own(desk: Desk, owner: object, donation_id: object) -> None:
    """Hide from a donor what is not theirs, as if it were not there."""
    if desk.role is Role.DONOR and str(desk.caller.donor) != str(owner):
        raise NotFound("donation", donation_id)
