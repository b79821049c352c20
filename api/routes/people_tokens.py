"""/v1/people/{id}/tokens: what programs come in by; for admins"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk, command_id
from api.kernel.doors import Door, may, refuses, rehearses
from api.kernel.dry_run import FORESEEN, NOTHING, DryRun, Rehearsed
from api.kernel.forms import Forms, titled
from api.kernel.texts import marked
from api.kernel.things import Match, Search, Thing
from api.kernel.wire import Body, Name, example, json_response
from api.routes.people import Nothing, SomeRoles, titles_of
from ledger.commands.application import IdempotencyMismatch
from ledger.kernel.errors import NotFound
from ledger.kernel.names import DonorId, PersonId, SaleId
from ledger.kernel.roles import Role
from ledger.people.tokens import PREFIX, BeyondRoles, Scope, Token, id_of

router = APIRouter(prefix="/v1/people/{person_id}/tokens", tags=["people"], route_class=Door)

DAYS_MAX = 366
"""Days that a token made over HTTP lasts at most."""

A_TOKEN = "lf_…"  # noqa: S105  # Not one.

Days = Annotated[int, Field(strict=True, ge=1, le=DAYS_MAX, examples=[90])]


class NewToken(Body):
    """What a token is for."""

    model_config = example(name="feed of the partner", roles=["clerk"], days=90)

    name: Name
    roles: SomeRoles
    days: Days
    donor: UUID | None = None
    sale: UUID | None = None


class TokenMade(BaseModel):
    """A token, shown this once."""

    id: str
    token: str = Field(examples=[A_TOKEN])
    position: int


class TokenShown(BaseModel):
    """A token, without what it opens."""

    id: str
    name: str | None
    roles: list[Role]
    donor: str | None
    sale: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_on: str | None


class TokensShown(BaseModel):
    """Every token of a person."""

    items: list[TokenShown]
    next: None


class NewRotation(Body):
    """How long the old token still works beside the new one."""

    model_config = example(overlap_hours=24)

    overlap_hours: Annotated[int, Field(strict=True, ge=0, le=24 * 30)]


class TokenChanged(BaseModel):
    """Which token was changed."""

    id: str
    position: int


TokenId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["0123456789abcdef"])]


@router.get("", response_model=TokensShown, responses=refuses(NotFound))
@may(Role.ADMIN)
def list_tokens(person_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return the tokens of somebody; what opens a door is not among it."""
    desk.must_have(at_least)
    tokens = desk.site.identity.tokens.of(_person(desk, person_id))
    return json_response({"items": [_shown(each) for each in tokens], "next": None})


@router.post(
    "",
    status_code=201,
    response_model=TokenMade,
    responses=FORESEEN | refuses(NotFound, BeyondRoles),
)
@titled(marked("Make a token for a program"))
@rehearses
@may(Role.ADMIN)
async def make_token(person_id: UUID, body: NewToken, desk: Desk) -> Response:
    """Make a token for somebody, in some of their roles. It is shown to this request alone.

    It follows from the request, so that whoever lost the answer asks again and has it.
    """
    return await run_in_threadpool(_make, desk, person_id, body)


def _make(desk: Desk, person_id: UUID, body: NewToken) -> Response:
    person, now = _person(desk, person_id), datetime.now(UTC)
    tokens = desk.site.identity.tokens
    scope = Scope(
        roles=tuple(sorted(set(body.roles))),
        name=body.name,
        donor=None if body.donor is None else DonorId(body.donor),
        sale=None if body.sale is None else SaleId(body.sale),
        expires_at=now + timedelta(days=body.days),
    )
    if desk.dry_run:
        tokens.check(person, scope)
        raise Rehearsed(NOTHING)
    token = _token(desk)
    known = tokens.known(token)
    if known is None:
        tokens.create(person, scope, at=now, token=token)
    else:
        _must_be_same(known, person, scope)
    return _made(desk, token, repeated=known is not None)


def _must_be_same(known: Token, person: PersonId, scope: Scope) -> None:
    """Refuse a key that stands for another token."""
    differing = [] if known.person == person else ["path"]
    differing += [
        name
        for name in ("roles", "name", "donor", "sale")
        if getattr(known.scope, name) != getattr(scope, name)
    ]
    if differing:
        raise IdempotencyMismatch(differing)


@router.post(
    "/{token_id}/revocation", response_model=TokenChanged | DryRun, responses=refuses(NotFound)
)
@titled(marked("Revoke a token"))
@rehearses
@may(Role.ADMIN)
async def revoke_token(
    person_id: UUID,
    token_id: TokenId,
    body: Nothing,  # noqa: ARG001  # Read, and found empty.
    desk: Desk,
) -> Response:
    """Take a token back; it opens nothing from the next request on."""
    await run_in_threadpool(_revoke, desk, person_id, token_id)
    return json_response({"id": token_id, "position": _position(desk)})


def _revoke(desk: Desk, person_id: UUID, token_id: str) -> None:
    person = _person(desk, person_id)
    if desk.dry_run:
        desk.site.identity.tokens.check_known(person, token_id)
        raise Rehearsed(NOTHING)
    desk.site.identity.tokens.revoke(person, token_id, at=datetime.now(UTC))
    desk.site.identity.look_at_once()


@router.post(
    "/{token_id}/rotation",
    status_code=201,
    response_model=TokenMade,
    responses=FORESEEN | refuses(NotFound, BeyondRoles),
)
@titled(marked("Replace a token by a new one"))
@rehearses
@may(Role.ADMIN)
async def rotate_token(
    person_id: UUID, token_id: TokenId, body: NewRotation, desk: Desk
) -> Response:
    """Make a new token for the same; the old one works a while longer, and then ends."""
    return await run_in_threadpool(_rotate, desk, person_id, token_id, body)


def _rotate(desk: Desk, person_id: UUID, token_id: str, body: NewRotation) -> Response:
    person, tokens = _person(desk, person_id), desk.site.identity.tokens
    if desk.dry_run:
        tokens.check_rotation(person, token_id, at=datetime.now(UTC))
        raise Rehearsed(NOTHING)
    token = _token(desk)
    known = tokens.known(token)
    if known is None:
        overlap = timedelta(hours=body.overlap_hours)
        tokens.rotate(person, token_id, at=datetime.now(UTC), overlap=overlap, token=token)
    return _made(desk, token, repeated=known is not None)


def _made(desk: Desk, token: str, *, repeated: bool) -> Response:
    desk.site.identity.look_at_once()
    made = {"id": id_of(token), "token": token, "position": _position(desk)}
    answer = json_response(made)
    answer.status_code = HTTPStatus.CREATED
    answer.headers["Location"] = f"{desk.url.path}"
    if repeated:
        answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _token(desk: Desk) -> str:
    """Return the token that follows from the request."""
    named = command_id(desk.caller.person, f"{desk.key}")
    secret = desk.site.identity.vault.derived(named.bytes)
    return PREFIX + urlsafe_b64encode(secret).decode().rstrip("=")


def _position(desk: Desk) -> int:
    """Return how far the history is: a token is no event, whose roles are is."""
    return desk.ledger.store.last_position()


def _shown(token: Token) -> dict[str, Any]:
    scope = token.scope
    return {
        "id": token.id,
        "name": scope.name,
        "roles": scope.roles,
        "donor": None if scope.donor is None else str(scope.donor),
        "sale": None if scope.sale is None else str(scope.sale),
        "created_at": token.created_at,
        "expires_at": scope.expires_at,
        "revoked_at": token.revoked_at,
        "used_on": None if token.used_on is None else token.used_on.isoformat(),
    }


def _person(desk: Desk, person_id: UUID) -> PersonId:
    person = PersonId(str(person_id))
    if desk.site.identity.users.one(person) is None:
        raise NotFound("person")
    return person


def _matches(search: Search) -> list[Match]:
    """Return the tokens of the person that was chosen before."""
    person = search.among.get("person_id")
    if not person or not search.may({Role.ADMIN}):
        return []
    return [
        Match(
            each.id,
            each.scope.name or each.id,
            (f"{each.created_at:%Y-%m-%d}", each.id),
            roles=titles_of(each.scope.roles),
        )
        for each in search.desk.site.identity.tokens.of(PersonId(person))
        if each.revoked_at is None
    ]


FORMS = Forms(
    "people",
    things=(Thing("tokens", {"token_id": marked("Which token")}, _matches),),
    labels={
        "tokens:name": marked("What it is for"),
        "days": marked("Days for which it lasts"),
        "overlap_hours": marked("Hours for which the old one still works"),
    },
    hints={
        "tokens:donor": marked("Only for a token in the role of a donor."),
        "tokens:sale": marked("Only for a token in the role of a sale partner."),
    },
)
