"""/v1/people: who comes in here, and in which roles; for admins"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, may, refuses, takes
from api.kernel.dry_run import FORESEEN, DryRun
from api.kernel.forms import Forms, titled
from api.kernel.paging import LIMIT, Cursor, Limit, list_query
from api.kernel.texts import marked
from api.kernel.things import MATCHES_MAX, NAMED_MAX, WITHOUT_NAME, Match, Search, Thing
from api.kernel.wire import AN_ID, Body, Created, Done, Name, created, done, example, json_response
from ledger.aggregates.staff import OwnRoles, PersonKnown
from ledger.commands import staff
from ledger.kernel.errors import LedgerError, NotFound, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.names import PersonId
from ledger.kernel.roles import AdminHoldsMoneyRole, Role
from ledger.people.user_directory import User
from ledger.store.commits import OutcomeUnknown

router = APIRouter(prefix="/v1/people", tags=["people"], route_class=Door)

Roles = Annotated[
    list[Role], Field(max_length=len(Role), examples=[["clerk"]], description="What they may do.")
]
SomeRoles = Annotated[Roles, Field(min_length=1)]


class NewPerson(Body):
    """Who comes in. Nothing of the name goes into the history."""

    model_config = example(name="林一", roles=["clerk"])

    name: Name
    roles: Roles = Field(default_factory=list)


class ChangedRoles(Body):
    """Which roles are given or taken."""

    model_config = example(roles=["approver"])

    roles: SomeRoles


class PersonShown(BaseModel):
    """Somebody on the roll; without a name if that was erased."""

    id: str = Field(examples=[AN_ID])
    name: str | None
    roles: list[Role]
    disabled_at: datetime | None


class PeopleShown(BaseModel):
    """A page of the roll."""

    items: list[PersonShown]
    next: str | None


@router.get("", response_model=PeopleShown)
@may(Role.ADMIN)
def list_people(
    desk: Desk, cursor: Cursor = None, limit: Limit = LIMIT, at_least: AtLeast = None
) -> Response:
    """Return everybody who is, or was, let in."""
    desk.must_have(at_least)
    query = list_query("people", cursor, limit)
    rows = desk.site.identity.users.everybody(query.after, query.limit + 1)
    people = [_shown(each) | {"row": query.after + n} for n, each in enumerate(rows, start=1)]
    page = query.page(people, lambda row: int(row["row"]))
    for each in page["items"]:
        del each["row"]
    return json_response(page)


@router.get("/{person_id}", response_model=PersonShown, responses=refuses(NotFound))
@may(Role.ADMIN)
def show_person(person_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return somebody with their roles."""
    desk.must_have(at_least)
    user = desk.site.identity.users.one(PersonId(str(person_id)))
    if user is None:
        raise NotFound("person")
    return json_response(_shown(user))


def _shown(one: User) -> dict[str, Any]:
    return {
        "id": one.person,
        "name": one.name,
        "roles": one.roles,
        "disabled_at": one.disabled_at,
    }


@router.post(
    "",
    status_code=201,
    response_model=Created,
    responses=FORESEEN | refuses(PersonKnown, AdminHoldsMoneyRole),
)
@titled(marked("Add a person"))
@takes(staff.add_person)
async def add_person(body: NewPerson, desk: Desk) -> Response:
    """Add somebody with the roles that they begin with.

    Their name is put on the roll first, and taken off again if the history refuses them.
    """
    users = desk.site.identity.users
    if desk.dry_run:
        await desk.record(staff.add_person, PersonId(str(new_id())), body.roles)
    person, is_new = await run_in_threadpool(users.enter, body.name)
    try:
        receipt = await desk.record(staff.add_person, person, body.roles)
    except OutcomeUnknown:
        raise  # The event may be there, and then it needs the name.
    except LedgerError:
        if is_new:
            await run_in_threadpool(users.leave, person)
        raise
    if is_new and receipt.id != person:  # Asked again after the name was erased.
        await run_in_threadpool(users.leave, person)
    await _follow(desk, PersonId(receipt.id))
    return created(receipt, "/v1/people")


@router.post(
    "/{person_id}/roles",
    response_model=Done | DryRun,
    responses=refuses(NotFound, WrongState, AdminHoldsMoneyRole, OwnRoles),
)
@titled(marked("Give roles to a person"))
@takes(staff.grant_roles)
async def grant_roles(person_id: UUID, body: ChangedRoles, desk: Desk) -> Response:
    """Give somebody roles, from the next request on."""
    person = PersonId(str(person_id))
    receipt = await desk.record(staff.grant_roles, person, body.roles)
    await _follow(desk, person)
    return done(receipt)


@router.post(
    "/{person_id}/roles/withdrawal",
    response_model=Done | DryRun,
    responses=refuses(NotFound, WrongState, OwnRoles),
)
@titled(marked("Take roles from a person"))
@takes(staff.withdraw_roles)
async def withdraw_roles(person_id: UUID, body: ChangedRoles, desk: Desk) -> Response:
    """Take roles from somebody, from the next request on."""
    person = PersonId(str(person_id))
    receipt = await desk.record(staff.withdraw_roles, person, body.roles)
    await _follow(desk, person)
    return done(receipt)


class Nothing(Body):
    """There is nothing to say of it."""

    model_config = example()


@router.post(
    "/{person_id}/disabling",
    response_model=Done | DryRun,
    responses=refuses(NotFound, WrongState, OwnRoles),
)
@titled(marked("Shut a person out for good"))
@takes(staff.disable_person)
async def disable_person(person_id: UUID, body: Nothing, desk: Desk) -> Response:  # noqa: ARG001  # Read, and found empty.
    """Shut somebody out for good: their tokens and sessions open nothing any more."""
    person = PersonId(str(person_id))
    receipt = await desk.record(staff.disable_person, person)
    await _follow(desk, person)
    return done(receipt)


async def _follow(desk: Desk, person: PersonId) -> None:
    """Have the roll say what was just recorded. A crash before that is made up for at a start."""
    await run_in_threadpool(desk.site.outbox.reconcile, person)
    desk.site.identity.look_at_once()


ROLES = {
    "donor": marked("Donor"),
    "clerk": marked("Clerk"),
    "approver": marked("Approver"),
    "cashier": marked("Cashier"),
    "bookkeeper": marked("Bookkeeper"),
    "treasurer": marked("Treasurer"),
    "partner": marked("Sale partner"),
    "auditor": marked("Auditor"),
    "admin": marked("Administrator"),
}


def _matches(search: Search) -> list[Match]:
    if not search.may({Role.ADMIN}):
        return []
    users, vault = search.desk.site.identity.users, search.desk.site.identity.vault
    if search.value is not None:
        enrolled = [users.one(PersonId(search.value))]
    elif search.text:
        parties = vault.find(search.text, ("name",), limit=NAMED_MAX)
        enrolled = [users.one(PersonId(each)) for each in parties]
    else:
        enrolled = list(users.everybody(0, MATCHES_MAX + 1))
    people = [each for each in enrolled if each is not None and each.disabled_at is None]
    return [
        Match(each.person, each.name or WITHOUT_NAME, roles=titles_of(each.roles))
        for each in people[: MATCHES_MAX + 1]
    ]


def titles_of(roles: Iterable[Role]) -> tuple[str, ...]:
    """Return what roles are called, to be translated."""
    return tuple(ROLES[role] for role in roles)


FORMS = Forms(
    "people",
    marked("People"),
    things=(Thing("people", {"person_id": marked("Which person")}, _matches),),
    labels={"roles": marked("Roles")},
    hints={"new:name": marked("Kept sealed and apart from the history.")},
    choices=(ROLES,),
)
