"""The door of pages: who is signed in, by the cookie of their session instead of a token.

A page says who ``may`` see it, as a route of the API does. Whoever is not signed in is sent to the
page where they can, and comes back afterwards. What a page sends is a form; that it was sent by a
page of ours is seen to at the gate (``api.gate.origin``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, get_type_hints
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import TypeAdapter, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kernel.desk import Desk
from api.kernel.doors import KEY, KEY_MAX, NOBODY, Door, acting_as
from api.kernel.problems import KeyRequired, Unauthenticated, nothing_here
from api.kernel.site import Site
from api.pages.kit.uploads import MULTIPART, UPLOAD_BYTES_MAX, read_upload
from ledger.kernel.errors import Invalid
from ledger.kernel.roles import Role, RoleForbidden
from ledger.kernel.sentences import FieldName
from ledger.people.sessions import SignedIn

E = TypeVar("E", bound=Callable[..., Any])

SIGN_IN, ACCOUNT, HOME = "/sign-in", "/account", "/home"

FORM = "application/x-www-form-urlencoded"

FIELDS_MAX = 4_200
"""Fields of a form: a plan of a thousand goods has four for each."""

KEY_FIELD = "key"
"""The field by which a form that moves money or state names itself, as Idempotency-Key does."""


class SecondFactorRequired(RoleForbidden):
    """On a page this role takes a second factor besides the password."""


class NotSignedIn(Unauthenticated):
    """Some pages are for people who are signed in."""


class PageDesk(Desk):
    """What a page's route works at.

    Attributes:
        signed_in: Who is, if anybody.
        fields: What was sent in a form.
        content: Of the file that was sent with it, if one was.

    """

    def __init__(self, request: Request, signed_in: SignedIn | None, role: Role | None) -> None:
        super().__init__(request, NOBODY if signed_in is None else signed_in.caller, role)
        self.signed_in = signed_in
        self.fields: Mapping[str, str] = {}
        self.content = b""

    @property
    def key(self) -> str:
        """What the form names itself by."""
        key = self.fields.get(KEY_FIELD)
        if key is None:
            raise KeyRequired("the form lacks its field {field}", field=FieldName(KEY_FIELD))
        if not KEY.fullmatch(key):
            raise Invalid(
                KEY_FIELD,
                "must be {least} to {most} visible ASCII characters",
                least=1,
                most=KEY_MAX,
            )
        return key

    def act_as(self, roles: tuple[Role, ...]) -> None:
        """Take the first of ``roles`` that the reader has; refuse whoever has none."""
        lacking = frozenset() if self.signed_in is None else self.signed_in.lacking
        if self.caller.roles.isdisjoint(roles) and not lacking.isdisjoint(roles):
            raise SecondFactorRequired(roles, says="sign in with your second factor, or set one up")
        self.role = acting_as(self.caller, roles)

    def sends(self, body: bytes) -> None:
        """Have the form stand for a body that was made of it."""
        self._body = body

    async def read_form(self, *, may_have_file: bool) -> None:
        """Read what was sent; refuse what could be read in two ways."""
        if may_have_file and self._media_type() == MULTIPART:
            await self._read_upload()
            return
        body = await self.read_body()
        if body:  # A button alone sends nothing, and need not say of what kind.
            self._must_be_form()
        self.fields = fields_of(body)
        self._body = msgspec.json.encode(self.fields)  # So that a repeat is told from a reuse.

    async def _read_upload(self) -> None:
        body = await self.read_body(UPLOAD_BYTES_MAX)
        content_type = self.headers["content-type"]
        upload = await run_in_threadpool(read_upload, content_type, body)
        self.fields, self.content = upload
        self._body = msgspec.json.encode(self.fields)

    def _media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def _must_be_form(self) -> None:
        if self._media_type() != FORM:
            raise Invalid("Content-Type", "must be {form}", form=FORM)


def someone(endpoint: E) -> E:
    """Say that the page below is for whoever is signed in, in whatever role."""
    vars(endpoint)["roles"] = ()
    vars(endpoint)["someone"] = True
    return endpoint


def with_file(endpoint: E) -> E:
    """Say that the form sent to the page below may have a file with it."""
    vars(endpoint)["takes_file"] = True
    return endpoint


async def signed_in(request: Request) -> SignedIn | None:
    """Return who is signed in with the browser that asks, if anybody is."""
    if not request.cookies.get(cookie_name(request)):
        return None
    return await run_in_threadpool(session_of, request)


def session_of(request: Request) -> SignedIn | None:
    """Return so, from a thread that may wait."""
    secret = request.cookies.get(cookie_name(request))
    if not secret:
        return None
    site: Site = request.app.state.site
    return site.identity.sessions.signed_in(secret, datetime.now(UTC))


def cookie_name(request: Request) -> str:
    """Return what the cookie of a session is called.

    ``__Host-`` has the browser take it from this very host alone, and over https only; on a
    loopback address, without https, it could not be set under that name.
    """
    return "__Host-session" if request.url.scheme == "https" else "session"


class Entrance(Door):
    """A page with somebody at its door."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        self.someone: bool = vars(endpoint).get("someone", False)
        self.takes_file: bool = vars(endpoint).get("takes_file", False)
        super().__init__(path, endpoint, **kwargs)

    @property
    def for_somebody(self) -> bool:
        """It takes somebody who is signed in."""
        return self.someone or bool(self.roles)

    async def _admitted(self, request: Request) -> PageDesk:
        session = await signed_in(request)
        if session is None and self.for_somebody:
            raise NotSignedIn("sign in first")
        desk = PageDesk(request, session, None)
        if session is not None and self.roles:
            desk.act_as(self.roles)
        return desk

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Let in, or send to where one signs in."""
        handle = super().get_route_handler()

        async def admit(request: Request) -> Response:
            try:
                answer = await handle(request)
            except NotSignedIn:
                return to_sign_in(request)
            return _kept_by_nobody(answer) if self.for_somebody else answer

        return admit

    def _take_command(self) -> ASGIApp:
        """Return what takes a form."""
        carry_out = self.endpoint
        kinds = get_type_hints(inspect.unwrap(carry_out), include_extras=True)
        places = {
            name: TypeAdapter(kind)
            for name, kind in kinds.items()
            if name not in {"desk", "return"}
        }

        async def take(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            try:
                desk = await self._admitted(request)
            except NotSignedIn:
                await to_sign_in(request)(scope, receive, send)
                return
            await desk.read_form(may_have_file=self.takes_file)
            named = _named_in_path(places, request.path_params)
            answer: Response = await carry_out(desk=desk, **named)
            await _kept_by_nobody(answer)(scope, receive, send)

        return take


def _kept_by_nobody(answer: Response) -> Response:
    """Have no browser keep what was for one person alone."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


def to_sign_in(request: Request) -> Response:
    """Send somebody to where they can sign in, and say where they wanted to go."""
    destination = request.url.path if request.method == "GET" else ACCOUNT
    if request.url.query and request.method == "GET":
        destination += f"?{request.url.query}"
    return RedirectResponse(f"{SIGN_IN}?{urlencode({'next': destination})}", 303)


def _named_in_path(places: Mapping[str, TypeAdapter[Any]], values: Mapping[str, str]) -> Any:
    try:
        return {name: kind.validate_strings(values[name]) for name, kind in places.items()}
    except ValidationError:
        raise nothing_here() from None


def fields_of(body: bytes) -> dict[str, str]:
    """Read a form; refuse what could be read in two ways.

    >>> fields_of(b"name=%E7%8E%8B&amount=100.00&note=")
    {'name': '王', 'amount': '100.00', 'note': ''}

    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise Invalid(
            "body", "must be {form} of at most {most} fields", form=FORM, most=FIELDS_MAX
        ) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Invalid("body", "names a field twice")
    return fields
