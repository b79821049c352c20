"""/desk/people: everybody who comes in here, and what an admin can do about each."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.kernel.doors import may
from api.pages.kit.drawn.operations import operations, title_of
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.own_pages import own_page
from ledger.kernel.roles import Role

router = APIRouter(prefix="/desk/people", route_class=Entrance, include_in_schema=False)

ROWS_SHOWN = 50

ABOUT_PERSON = "person_id"


@router.get("")
@may(Role.ADMIN)
def list_people(desk: PageDesk, after: Annotated[int, Query(ge=0, le=2**53)] = 0) -> Response:
    """List who is, or was, let in, with the forms for each."""
    people = desk.site.identity.users.everybody(after, ROWS_SHOWN + 1)
    steps = [
        (title_of(each), f"/desk/do/{name}")
        for name, each in operations().items()
        if any(field.name == ABOUT_PERSON for field in each.things)
    ]
    return own_page(
        desk,
        "people.html",
        people=people[:ROWS_SHOWN],
        steps=steps,
        following=after + ROWS_SHOWN if len(people) > ROWS_SHOWN else None,
    )
