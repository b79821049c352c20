"""/sign-in, /sign-out and /invitation: how a person comes in, and leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from api.gate.gate import network
from api.gate.refusals import TooOften
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.entrance import HOME, SIGN_IN, Entrance, PageDesk, cookie_name
from api.pages.kit.rendering import page
from ledger.kernel.errors import Invalid, LedgerError
from ledger.kernel.names import PersonId
from ledger.people.identity import Identity
from ledger.people.passwords import LENGTH_MIN

if TYPE_CHECKING:  # It needs an extra that not every server has.
    from api.sso.provider import Provider

router = APIRouter(route_class=Entrance, include_in_schema=False)

FRONT = "/"

WRONG = marked("This name, password and code do not belong together.")
"""It is not said which of them is wrong."""

WAIT = marked("There were too many wrong tries. Wait a little, then try again.")

UNEQUAL = marked("The two passwords differ.")

UNFIT = marked("A password is 12 to 200 characters long.")

Code = Annotated[str, Path(max_length=100), Field(max_length=100)]


class SignInRefused(LedgerError):
    """Whoever signs in shows a name, a password and, if they set one up, a second factor."""


@router.get(SIGN_IN)
@may()
def show_sign_in(desk: PageDesk) -> Response:
    """Show where one signs in."""
    return sign_in_form(desk, inside(desk.query_params.get("next")))


@router.post(SIGN_IN)
@may()
async def sign_in(desk: PageDesk) -> Response:
    """Sign somebody in, and send them to where they wanted to go."""
    destination = inside(desk.fields.get("next"))
    try:
        secret = await run_in_threadpool(_begun, desk)
    except TooOften as refusal:
        return has_to_wait(desk, destination, refusal)
    except SignInRefused:
        return sign_in_form(desk, destination, status=HTTPStatus.FORBIDDEN, notice=WRONG)
    return signed_in_as(desk, secret, destination)


def sign_in_form(
    desk: PageDesk,
    destination: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    notice: str | None = None,
) -> Response:
    """Show where one signs in, and what was wrong with the last try."""
    return page(
        desk,
        "sign_in.html",
        status=status,
        destination=destination,
        notice=notice,
        called=desk.fields.get("name", ""),
        provider=provider_called(desk),
    )


def has_to_wait(desk: PageDesk, destination: str, refusal: TooOften) -> Response:
    """Show so to somebody who tried too often."""
    answer = sign_in_form(desk, destination, status=HTTPStatus.TOO_MANY_REQUESTS, notice=WAIT)
    answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def provider_called(desk: PageDesk) -> str | None:
    """Return what people call the provider that they may sign in at instead, if there is one."""
    provider: Provider | None = desk.app.state.sso
    return None if provider is None else provider.settings.name


def _begun(desk: PageDesk) -> str:
    """Begin a session for whoever shows what they have to."""
    identity, now = desk.site.identity, datetime.now(UTC)
    name, slowdown = desk.fields.get("name", "").strip(), desk.app.state.slowdown
    whose, address = sha256(name.encode()).digest(), network(desk.scope.get("client"))
    from_here = desk.app.state.slowdown_of_addresses
    slowdown.check(whose)
    from_here.check(address)
    person = _shown(identity, name, desk.fields, now)
    if person is None:
        slowdown.failed(whose)
        from_here.failed(address)
        raise SignInRefused("do not belong together")
    slowdown.succeeded(whose)
    return begun(desk, person, now, with_second_factor=identity.second_factors.has(person))


def begun(desk: PageDesk, person: PersonId, at: datetime, *, with_second_factor: bool) -> str:
    """Begin a session for ``person``, in place of the one that their browser may have had."""
    sessions = desk.site.identity.sessions
    old = desk.cookies.get(cookie_name(desk))
    if old:
        sessions.end(old)
    return sessions.begin(person, at, with_second_factor=with_second_factor)


def _shown(identity: Identity, name: str, fields: Any, now: datetime) -> PersonId | None:
    """Return who is meant, if password and, where there is one, second factor are theirs."""
    with identity.database.reading() as connection:
        person = identity.users.find(connection, name)
    if not identity.passwords.is_of(person, fields.get("password", "")) or person is None:
        return None
    user = identity.users.one(person)
    if user is None or user.disabled_at is not None:
        return None
    factors = identity.second_factors
    if factors.has(person) and not factors.is_shown(person, fields.get("code", ""), now):
        return None
    return person


def signed_in_as(desk: PageDesk, secret: str, destination: str) -> Response:
    """Hand over a session, and go where it was wanted."""
    answer = RedirectResponse(destination, HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        cookie_name(desk),
        secret,
        httponly=True,
        samesite="lax",
        secure=is_safe(desk),
        path="/",
    )
    return answer


def is_safe(request: Request) -> bool:
    """Say whether nobody on the way can read along."""
    return bool(request.url.scheme == "https")


def inside(address: str | None) -> str:
    r"""Return where to go after signing in: only ever to a page of ours.

    >>> inside("/account?lang=en"), inside("//evil.example"), inside("/\\evil.example")
    ('/account?lang=en', '/home', '/home')

    """
    if address is None or not address.startswith("/") or address.startswith(("//", "/\\")):
        return HOME
    return address if address.isprintable() and address.isascii() else HOME


@router.post("/sign-out")
@may()
async def sign_out(desk: PageDesk) -> Response:
    """Sign somebody out."""
    secret = desk.cookies.get(cookie_name(desk))
    if secret:
        await run_in_threadpool(desk.site.identity.sessions.end, secret)
    answer = RedirectResponse(FRONT, HTTPStatus.SEE_OTHER)
    answer.delete_cookie(
        cookie_name(desk), path="/", httponly=True, samesite="lax", secure=is_safe(desk)
    )
    return answer


@router.get("/invitation/{code}")
@may()
def show_invitation(code: Code, desk: PageDesk) -> Response:
    """Show where an invited person chooses a password."""
    identity = desk.site.identity
    person = identity.passwords.invited(code, datetime.now(UTC))
    return _chosen(desk, identity.users.name(person))


@router.post("/invitation/{code}")
@may()
async def accept_invitation(code: Code, desk: PageDesk) -> Response:
    """Have an invited person sign in by the password that they chose."""
    identity, now = desk.site.identity, datetime.now(UTC)
    person = await run_in_threadpool(identity.passwords.invited, code, now)
    password = desk.fields.get("password", "")
    if password != desk.fields.get("again"):
        return _chosen(desk, identity.users.name(person), notice=UNEQUAL)
    try:
        await run_in_threadpool(identity.passwords.accept, code, password, now)
    except Invalid:
        return _chosen(desk, identity.users.name(person), notice=UNFIT)
    if identity.second_factors.has(person):
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    secret = await run_in_threadpool(identity.sessions.begin, person, now)
    return signed_in_as(desk, secret, HOME)


def _chosen(desk: PageDesk, name: str | None, notice: str | None = None) -> Response:
    status = HTTPStatus.OK if notice is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return page(
        desk,
        "invitation.html",
        status=status,
        called=name or "",
        notice=notice,
        shortest=LENGTH_MIN,
        provider=provider_called(desk),
    )
