"""/sign-in/sso: people sign in at a provider, and come back as whoever they are bound to here.

Leaving is a form of ours like any other. Whoever comes back was sent by a page of the provider: a
GET as by a link, which the gate lets in from anywhere, and for which the cookie is
SameSite=Lax. It is worth something only with the state that this very browser holds. Nobody is
put on the roll by coming back, and nobody is found by a name or an e-mail address.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from api.gate.gate import network
from api.gate.refusals import TooOften
from api.kernel.doors import may
from api.kernel.problems import nothing_here
from api.kernel.texts import marked
from api.pages.account.account import CODE_WRONG
from api.pages.account.sign_in import (
    WAIT,
    Code,
    begun,
    has_to_wait,
    inside,
    is_safe,
    sign_in_form,
    signed_in_as,
)
from api.pages.kit.entrance import HOME, SIGN_IN, Entrance, PageDesk
from api.pages.kit.rendering import page
from api.sso.refusals import IdentityNotProven, ProviderAway
from api.sso.settings import CALLBACK
from api.sso.sign_in_state import (
    GOOD_FOR,
    AuthorizationRequest,
    SecondFactorPending,
    SignInExpired,
    State,
    new_request,
    read,
    written,
)
from ledger.kernel.names import PersonId
from ledger.people.external_identities import ExternalIdentity

if TYPE_CHECKING:  # It needs an extra that not every server has.
    from api.sso.provider import Provider

router = APIRouter(route_class=Entrance, include_in_schema=False)

S = TypeVar("S", AuthorizationRequest, SecondFactorPending)

CODE = f"{SIGN_IN}/sso/code"

WANTED_MAX = 1_000
"""Characters of an address to go on to, since a cookie has room for 4,096 bytes in all."""

RETRY_AFTER_S = 10
"""Seconds after which it is worth asking a provider again that was away."""

AWAY = marked("The provider does not answer now. Try again in a moment, or tell an administrator.")

NOT_PROVEN = marked("You were not signed in there, or it took longer than ten minutes. Try again.")

UNKNOWN = marked(
    "You are signed in there, but nobody here is bound to that account. "
    "Ask an administrator of the charity for an invitation."
)


class NobodyBound(IdentityNotProven):
    """Whoever comes in from a provider was bound to a person on the roll before."""


@router.post(f"{SIGN_IN}/sso")
@may()
async def leave(desk: PageDesk) -> Response:
    """Send somebody to the provider."""
    return await _leave(desk, inside(desk.fields.get("next")))


@router.post("/invitation/{code}/sso")
@may()
async def leave_invited(code: Code, desk: PageDesk) -> Response:
    """Send an invited person to the provider, to be bound to whom they are there."""
    identity = desk.site.identity
    await run_in_threadpool(identity.passwords.invited, code, datetime.now(UTC))
    return await _leave(desk, HOME, code)


async def _leave(desk: PageDesk, destination: str, invitation: str | None = None) -> Response:
    """Show a page that goes on to the provider by itself.

    A redirect would do, but that browsers hold what answers a form to the policy of its page,
    ``form-action 'self'``.
    """
    provider = _provider(desk)
    if len(destination) > WANTED_MAX:
        destination = HOME
    state = new_request(datetime.now(UTC), destination, invitation)
    try:
        there = await provider.address(state)
    except ProviderAway:
        return _away(desk, destination)
    answer = page(desk, "leaving.html", there=there, provider=provider.settings.name)
    return await _with_state(desk, answer, state)


@router.get(CALLBACK)
@may()
async def come_back(desk: PageDesk) -> Response:
    """Sign in whoever comes back from the provider and is bound to a person."""
    _provider(desk)
    now, from_here = datetime.now(UTC), desk.app.state.slowdown_of_addresses
    address = network(desk.scope.get("client"))
    try:
        from_here.check(address)
        request = await _state(desk, AuthorizationRequest, now)
        person = await _person(desk, request, now)
    except TooOften as refusal:
        return has_to_wait(desk, HOME, refusal)
    except ProviderAway:
        return _away(desk, HOME)
    except (SignInExpired, IdentityNotProven) as refusal:
        from_here.failed(address)
        notice = UNKNOWN if isinstance(refusal, NobodyBound) else NOT_PROVEN
        return sign_in_form(desk, HOME, status=HTTPStatus.FORBIDDEN, notice=notice)
    if await run_in_threadpool(desk.site.identity.second_factors.has, person):
        answer = RedirectResponse(CODE, HTTPStatus.SEE_OTHER)
        return await _with_state(
            desk, answer, SecondFactorPending(now, request.destination, person)
        )
    return await _come_in(desk, person, request.destination, now, with_second_factor=False)


async def _person(desk: PageDesk, request: AuthorizationRequest, at: datetime) -> PersonId:
    """Return who comes back, bound by the invitation that they left with if there was one."""
    parameters = desk.query_params
    if not hmac.compare_digest(parameters.get("state", "").encode(), request.state.encode()):
        raise IdentityNotProven("this browser did not start that sign-in")
    code = parameters.get("code")
    if code is None:  # RFC 6749 §4.1.2.1; what else it says is for nobody here.
        raise IdentityNotProven("the provider did not sign them in")
    identity = await _provider(desk).identity(code, parameters.get("iss"), request, at)
    return await run_in_threadpool(_bound, desk, identity, request.invitation, at)


def _bound(
    desk: PageDesk, identity: ExternalIdentity, invitation: str | None, at: datetime
) -> PersonId:
    external_identities = desk.site.identity.external_identities
    if invitation is not None:
        return external_identities.bind(invitation, identity, at)
    person = external_identities.person(identity)
    if person is None:
        raise NobodyBound("nobody is bound to this account")
    return person


@router.get(CODE)
@may()
async def show_code(desk: PageDesk) -> Response:
    """Ask whoever came back for the code of their second factor."""
    try:
        await _state(desk, SecondFactorPending, datetime.now(UTC))
    except SignInExpired:
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    return _ask_code(desk)


@router.post(CODE)
@may()
async def take_code(desk: PageDesk) -> Response:
    """Sign somebody in who shows the second factor too, whatever the provider asked them for."""
    now, slowdown = datetime.now(UTC), desk.app.state.slowdown
    try:
        back = await _state(desk, SecondFactorPending, now)
    except SignInExpired:
        return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    try:
        slowdown.check(back.person)
    except TooOften as refusal:
        answer = _ask_code(desk, HTTPStatus.TOO_MANY_REQUESTS, WAIT)
        answer.headers["Retry-After"] = str(refusal.retry_after)
        return answer
    factors, code = desk.site.identity.second_factors, desk.fields.get("code", "")
    if not await run_in_threadpool(factors.is_shown, back.person, code, now):
        slowdown.failed(back.person)
        return _ask_code(desk, HTTPStatus.FORBIDDEN, CODE_WRONG)
    slowdown.succeeded(back.person)
    return await _come_in(desk, back.person, back.destination, now, with_second_factor=True)


def _ask_code(
    desk: PageDesk, status: HTTPStatus = HTTPStatus.OK, notice: str | None = None
) -> Response:
    return page(desk, "sign_in_code.html", status=status, notice=notice)


async def _come_in(
    desk: PageDesk, person: PersonId, destination: str, at: datetime, *, with_second_factor: bool
) -> Response:
    secret = await run_in_threadpool(begun, desk, person, at, with_second_factor=with_second_factor)
    answer = signed_in_as(desk, secret, destination)
    answer.delete_cookie(
        _cookie(desk), path="/", httponly=True, samesite="lax", secure=is_safe(desk)
    )
    return answer


def _provider(desk: PageDesk) -> Provider:
    provider: Provider | None = desk.app.state.sso
    if provider is None:
        raise nothing_here()
    return provider


def _away(desk: PageDesk, destination: str) -> Response:
    answer = sign_in_form(desk, destination, status=HTTPStatus.SERVICE_UNAVAILABLE, notice=AWAY)
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


# The state of a sign-in under way.


def _cookie(request: Request) -> str:
    """Return the name of the cookie; see ``api.pages.kit.entrance.cookie_name``."""
    return "__Host-slip" if is_safe(request) else "slip"


async def _state(desk: PageDesk, kind: type[S], at: datetime) -> S:
    held = desk.cookies.get(_cookie(desk), "")
    return await run_in_threadpool(read, desk.site.identity.vault, held, kind, at)


async def _with_state(desk: PageDesk, answer: Response, state: State) -> Response:
    held = await run_in_threadpool(written, desk.site.identity.vault, state)
    answer.set_cookie(
        _cookie(desk),
        held,
        max_age=int(GOOD_FOR.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=is_safe(desk),
        path="/",
    )
    return answer
