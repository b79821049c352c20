"""/account: a person's own password, second factor and sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import segno
from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup
from pydantic import Field

from api.gate.refusals import TooOften
from api.kernel.texts import marked
from api.pages.account.sign_in import UNEQUAL, UNFIT, WAIT, signed_in_as
from api.pages.kit.entrance import ACCOUNT, HOME, Entrance, PageDesk, someone
from api.pages.kit.menu import desk_of
from api.pages.kit.rendering import page
from ledger.kernel.errors import Invalid, LedgerError
from ledger.kernel.names import PersonId
from ledger.people.passwords import LENGTH_MIN, PasswordWrong
from ledger.people.second_factors import CodeWrong, address_of

home_router = APIRouter(route_class=Entrance, include_in_schema=False)

router = APIRouter(prefix=ACCOUNT, route_class=Entrance, include_in_schema=False)

PASSWORD_WRONG = marked("The password is another one.")

CODE_WRONG = marked("This is not the code that the application shows now. Each is taken once.")

SIGN_IN_AGAIN = marked("Sign out and in again first, then do this within ten minutes.")

JUST_NOW = timedelta(minutes=10)
"""How long having signed in at a provider stands for the password that somebody has not here."""

SessionId = Annotated[str, Path(pattern="^[0-9a-f]{16}$"), Field(pattern="^[0-9a-f]{16}$")]


class SignedInLongAgo(LedgerError):
    """Whoever has no password here shows who they are by having signed in just now."""


IN_THE_WAY: Mapping[type[Exception], str] = {
    PasswordWrong: PASSWORD_WRONG,
    SignedInLongAgo: SIGN_IN_AGAIN,
    CodeWrong: CODE_WRONG,
    TooOften: WAIT,
    Invalid: UNFIT,
}
"""What somebody is told whose change was refused."""


@home_router.get(HOME)
@someone
def go_home(desk: PageDesk) -> Response:
    """Lead whoever signed in to their own desk."""
    return RedirectResponse(desk_of(_here(desk)), HTTPStatus.SEE_OTHER)


@router.get("")
@someone
def show_account(desk: PageDesk) -> Response:
    """Show somebody what they can do here, and what they come in by."""
    return _account(desk)


def _account(desk: PageDesk, notice: str | None = None) -> Response:
    identity, here = desk.site.identity, desk.signed_in
    assert here is not None  # noqa: S101  # The entrance lets nobody else in.
    person = here.caller.person
    status = HTTPStatus.OK if notice is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return page(
        desk,
        "account.html",
        status=status,
        notice=notice,
        called=identity.users.name(person) or "",
        held=sorted(here.caller.roles | here.lacking),
        lacking=sorted(here.lacking),
        here=here,
        has_password=identity.passwords.has(person),
        has_second_factor=identity.second_factors.has(person),
        sessions=identity.sessions.of(person, datetime.now(UTC)),
        shortest=LENGTH_MIN,
    )


@router.post("/password")
@someone
async def change_password(desk: PageDesk) -> Response:
    """Have another password from now on, and be signed out everywhere else."""
    new = desk.fields.get("password", "")
    if new != desk.fields.get("again"):
        return _account(desk, UNEQUAL)
    identity, now = desk.site.identity, datetime.now(UTC)
    try:
        await run_in_threadpool(_knows_password, desk)
        await run_in_threadpool(identity.passwords.choose, desk.caller.person, new, now)
    except (PasswordWrong, TooOften, Invalid) as error:
        return _account(desk, IN_THE_WAY[type(error)])
    return await _again(desk, with_second_factor=_here(desk).with_second_factor)


def _knows_password(desk: PageDesk) -> None:
    """Refuse whoever found a browser open and does not know the password."""
    person, slowdown = desk.caller.person, desk.app.state.slowdown
    slowdown.check(person)
    if not desk.site.identity.passwords.is_of(person, desk.fields.get("old", "")):
        slowdown.failed(person)
        raise PasswordWrong
    slowdown.succeeded(person)


def _is_themselves(desk: PageDesk) -> None:
    """Refuse whoever found a browser open: by the password, or if there is none, by the time."""
    identity, person, now = desk.site.identity, desk.caller.person, datetime.now(UTC)
    if identity.passwords.has(person):
        _knows_password(desk)
        return
    here = _here(desk).session
    began = [each.began_at for each in identity.sessions.of(person, now) if each.session == here]
    if not began or now - began[0] > JUST_NOW:
        raise SignedInLongAgo("this session began long ago")


def _here(desk: PageDesk) -> Any:
    assert desk.signed_in is not None  # noqa: S101  # The entrance lets nobody else in.
    return desk.signed_in


async def _again(desk: PageDesk, *, with_second_factor: bool) -> Response:
    """Begin another session in place of this one, which ended or has less."""
    sessions, person = desk.site.identity.sessions, desk.caller.person
    await run_in_threadpool(sessions.end_one, person, _here(desk).session)
    begin: Callable[[], str] = lambda: sessions.begin(  # noqa: E731
        person, datetime.now(UTC), with_second_factor=with_second_factor
    )
    return signed_in_as(desk, await run_in_threadpool(begin), ACCOUNT)


@router.post("/second-factor")
@someone
async def begin_second_factor(desk: PageDesk) -> Response:
    """Show what an application is given; it counts once a code of it was shown."""
    try:
        await run_in_threadpool(_is_themselves, desk)
    except (PasswordWrong, SignedInLongAgo, TooOften) as error:
        return _account(desk, IN_THE_WAY[type(error)])
    secret = await run_in_threadpool(desk.site.identity.second_factors.begin, desk.caller.person)
    return _set_up(desk, secret)


def _set_up(desk: PageDesk, secret: str, notice: str | None = None) -> Response:
    name = desk.site.identity.users.name(desk.caller.person) or ""
    picture = segno.make(address_of(secret, name)).svg_inline(scale=4, light="white")
    status = HTTPStatus.OK if notice is None else HTTPStatus.UNPROCESSABLE_ENTITY
    return page(
        desk,
        "second_factor.html",
        status=status,
        secret=secret,
        picture=Markup(picture),  # noqa: S704  # Squares, drawn by the library.
        notice=notice,
    )


@router.post("/second-factor/confirmation")
@someone
async def confirm_second_factor(desk: PageDesk) -> Response:
    """Have the second factor count, and show the recovery codes this once."""
    factors, person = desk.site.identity.second_factors, desk.caller.person
    desk.app.state.slowdown.check(person)
    code = "".join(desk.fields.get("code", "").split())
    try:
        codes = await run_in_threadpool(factors.confirm, person, code, datetime.now(UTC))
    except CodeWrong:
        desk.app.state.slowdown.failed(person)
        return _account(desk, CODE_WRONG)
    answer = page(desk, "recovery_codes.html", codes=codes)
    again = await _again(desk, with_second_factor=True)
    answer.headers["set-cookie"] = again.headers["set-cookie"]
    return answer


@router.post("/second-factor/removal")
@someone
async def remove_second_factor(desk: PageDesk) -> Response:
    """Take the second factor away, for another telephone; it takes the password and a code."""
    person, factors = desk.caller.person, desk.site.identity.second_factors
    try:
        await run_in_threadpool(_is_themselves, desk)
        await run_in_threadpool(_shows_code, desk)
    except (PasswordWrong, SignedInLongAgo, CodeWrong, TooOften) as error:
        return _account(desk, IN_THE_WAY[type(error)])
    await run_in_threadpool(factors.remove, person)
    await run_in_threadpool(desk.site.identity.sessions.end_all, person)
    return await _again(desk, with_second_factor=False)


def _shows_code(desk: PageDesk) -> None:
    person: PersonId = desk.caller.person
    slowdown = desk.app.state.slowdown
    code = desk.fields.get("code", "")
    if not desk.site.identity.second_factors.is_shown(person, code, datetime.now(UTC)):
        slowdown.failed(person)
        raise CodeWrong


@router.post("/sessions/{session}/end")
@someone
async def end_session(session: SessionId, desk: PageDesk) -> Response:
    """Sign out somewhere else."""
    await run_in_threadpool(desk.site.identity.sessions.end_one, desk.caller.person, session)
    return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)
