"""/desk/people: everybody who comes in here, and what an admin can do about each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import today
from api.kernel.doors import may
from api.kernel.texts import marked
from api.pages.kit.columns import Column, Filter
from api.pages.kit.drawn.operations import operations
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.lists import ListPage, ListView
from api.pages.kit.own_pages import own_page
from api.pages.kit.rows import ListQuery, Whole
from api.routes.people import ROLES
from ledger.kernel.names import PersonId, Position
from ledger.kernel.roles import Role
from ledger.people.user_directory import UserDirectory
from projections.exports.tables import Kind
from projections.views.audit_trail import AuditTrail, Beginning, beginnings

router = APIRouter(prefix="/desk/people", route_class=Entrance, include_in_schema=False)

ABOUT_PERSON = "person_id"


class PersonAtTheDesk(Struct, frozen=True):
    """Somebody in the user directory; the name is unsealed when it is drawn.

    Attributes:
        users: Where the name is.
        person: Opaque id.
        position: Where they were added.
        on: On which day.
        roles: What they may act as.
        disabled_at: Since when they may not come in.

    """

    users: UserDirectory
    person: PersonId
    position: Position
    on: date
    roles: list[Role]
    disabled_at: datetime | None

    @property
    def name(self) -> str | None:
        """Their name, unless it was erased."""
        return self.users.name(self.person)


def _people(query: ListQuery[Any]) -> Iterator[PersonAtTheDesk]:
    """Yield everybody; a change that is not in the history yet is as new as the list."""
    users, position = query.desk.site.identity.users, query.reading.position
    standings = users.all_standings()
    begun = beginnings(query.reading.connection, standings)
    role = query.given["role"]
    for person, standing in standings.items():
        if role is None or role in standing.roles:
            added = begun.get(person, Beginning(position, today()))
            roles = sorted(standing.roles)
            yield PersonAtTheDesk(users, person, *added, roles, standing.disabled_at)


PEOPLE = ListPage[PersonAtTheDesk](
    name="people",
    title=marked("People"),
    view=AuditTrail,
    rows=Whole(_people, position=lambda each: each.position),
    order="position",
    later=marked("More people"),
    filters=(Filter(name="role", title=marked("Role"), kind="choice", words=ROLES, strict=True),),
    columns=(
        Column(name="person", title=marked("Person"), on_page=False),
        Column(name="name", title=marked("Name"), none=marked("without a name"), heads=True),
        Column(name="roles", title=marked("Roles"), kind=Kind.CODES, words=ROLES),
        Column(name="position", title=marked("Event"), kind=Kind.EVENT, on_page=False),
        Column(name="on", title=marked("Added on"), kind=Kind.DAY, sortable=True),
        Column(
            name="disabled_at", title=marked("Shut out since"), kind=Kind.INSTANT, on_page=False
        ),
        Column(name="steps", title=marked("What to do"), read=lambda _: None, in_files=False),
    ),
)


@router.get("")
@may(Role.ADMIN)
def list_people(desk: PageDesk) -> Response:
    """List who is, or was, let in."""
    return PEOPLE.answer(desk, partial(_page, desk))


def _page(desk: PageDesk, listing: ListView[PersonAtTheDesk]) -> Response:
    steps = [
        (each.title, f"/desk/do/{name}")
        for name, each in operations().items()
        if any(field.name == ABOUT_PERSON for field in each.things)
    ]
    return own_page(desk, "people.html", listing=listing, steps=steps)
