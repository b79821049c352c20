"""The desk: a route's request, its caller and their role, and the ledger's parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple, ParamSpec
from uuid import UUID

import msgspec
from fastapi import Query, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect

from api.kernel.dry_run import Rehearsed
from api.kernel.headers import header
from api.kernel.problems import TooLarge
from api.kernel.site import Site
from ledger.commands import Ledger
from ledger.commands.command import Command
from ledger.commands.rehearsal import Rehearsal, rehearse
from ledger.kernel.aggregate import Act, business_day
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.ids import new_id
from ledger.kernel.names import PartyId, PersonId, Position
from ledger.kernel.roles import Role
from ledger.people.caller import Caller
from ledger.store.commits import OutcomeUnknown, Receipt
from projections.kernel.view import View

P = ParamSpec("P")

BODY_BYTES_MAX = 1024 * 1024
"""The longest body of a command. A plan with a thousand items is a fifth of it."""

DONOR, PARTNER = Role.DONOR, Role.PARTNER
"""Looked up once: every command asks for them."""

READS_ALL = (Role.TREASURER, Role.AUDITOR)
"""Roles that read everything but personal data."""


class Reading(NamedTuple):
    """Views that have reached ``position``."""

    connection: Connection
    position: Position


class Desk(Request):
    """A route's request, its caller and their role, and the ledger's parts.

    Being a request itself, it reaches the route without the cost of a dependency.
    """

    dry_run = False
    """What is asked for is only to be rehearsed."""

    def __init__(self, request: Request, caller: Caller, role: Role | None) -> None:
        super().__init__(request.scope, request.receive)
        self.caller = caller
        self.role = role
        self.site: Site = request.app.state.site

    @property
    def ledger(self) -> Ledger:
        """The write side."""
        return self.site.ledger

    async def read_body(self, most: int = BODY_BYTES_MAX) -> bytes:
        """Return what was sent, or refuse it as soon as it is longer than ``most`` bytes."""
        pieces, size, more = list[bytes](), 0, True
        while more:  # Not by ``stream()``: a generator costs as much as deciding on the command.
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece, more = message.get("body", b""), message.get("more_body", False)
            size += len(piece)
            if size > most:
                raise TooLarge("a body is at most {most:,} bytes", most=most)
            pieces.append(piece)
        self._body = b"".join(pieces)
        return self._body

    @property
    def key(self) -> str:
        """The idempotency key of the request."""
        return header(self, b"idempotency-key") or ""

    def act(self, fingerprint: dict[str, str] | None) -> Act:
        """Return who does what, under the key of the request and its ``fingerprint``."""
        return Act(
            actor=self.caller.person,
            role=self.role or "",
            command=command_id(self.caller.person, self.key),
            at=datetime.now(UTC),
            fingerprint=fingerprint,
            own=own_of(self.caller, self.role),
        )

    def attempt(self, role: Role | None) -> Act:
        """Return who would do something in ``role``, under no key: for what is not recorded."""
        return Act(
            actor=self.caller.person,
            role=role or "",
            command=new_id(),
            at=datetime.now(UTC),
            own=own_of(self.caller, role),
        )

    async def record(self, command: Command[P], *args: P.args, **kwargs: P.kwargs) -> Receipt:
        """Carry out a command as the caller, once however often it is asked for.

        Raises:
            Rehearsed: It was only to be rehearsed; what would follow a record is passed over.

        """
        if self.dry_run:
            raise Rehearsed(
                await run_in_threadpool(lambda: self._rehearse(command, *args, **kwargs))
            )
        digests = fingerprint(self.key, self.scope["path"], self._body)
        try:
            return await self.ledger.record_async(command, self.act(digests), *args, **kwargs)
        except Invalid as error:
            raise _as_written(error, kwargs) from None

    def _rehearse(self, command: Command[P], *args: P.args, **kwargs: P.kwargs) -> Rehearsal:
        try:
            return rehearse(self.ledger, command, self.attempt(self.role), *args, **kwargs)
        except Invalid as error:
            raise _as_written(error, kwargs) from None

    async def record_about(
        self,
        party: PartyId,
        details: dict[str, Any],
        command: Command[P],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Receipt:
        """Carry out a command about somebody whose details are kept apart from the history.

        They are kept first: an event whose person is unknown would be worse than the reverse.
        """
        if self.dry_run:
            return await self.record(command, *args, **kwargs)
        await run_in_threadpool(self.site.identity.vault.keep, party, details)
        try:
            receipt = await self.record(command, *args, **kwargs)
        except OutcomeUnknown:
            raise  # The event may be there, and then it needs them.
        except LedgerError:
            await run_in_threadpool(self.site.identity.vault.forget, party)
            raise
        if receipt.repeated:
            await run_in_threadpool(self.site.identity.vault.forget, party)
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


_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(order="sorted").encode


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
        fields = _read(body) if body else {}
    except msgspec.MsgspecError:
        raise Invalid("body", "is not JSON as RFC 8259 has it") from None
    for name, value in fields.items() if isinstance(fields, Mapping) else [("body", fields)]:
        parts[name] = digest(_write(value))
    return parts


def _as_written(error: Invalid, arguments: Mapping[str, object]) -> Invalid:
    """Return ``error`` under the sender's word for the business day, which the history calls on."""
    days = [name for name in arguments if name.endswith("_on")]
    if error.field == "on" and "on" not in arguments and len(days) == 1:
        return Invalid(days[0], error.fault)
    return error


def own_of(caller: Caller, role: Role | None) -> UUID | None:
    """Return the one thing that a role of ``caller`` is about, if it is about one alone."""
    if role is DONOR:
        return caller.donor
    return caller.sale if role is PARTNER else None


def own(desk: Desk, owner: object, donation_id: object) -> None:
    """Answer a donor that somebody else's thing does not exist."""
    if desk.role is Role.DONOR and str(desk.caller.donor) != str(owner):
        raise NotFound("donation", donation_id)
