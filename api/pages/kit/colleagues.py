"""Names of colleagues, for those who may see them.

Colleagues know one another by name. A donor is no colleague: whoever acted as one is not named,
and neither is anybody whose details were taken away.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from api.kernel.desk import Desk
from api.kernel.things import short
from ledger.kernel.names import PartyId, PersonId
from ledger.kernel.roles import Role

APART = frozenset({Role.DONOR, Role.PARTNER, ""})
"""Roles that are not of the charity."""


def colleagues(desk: Desk, persons: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what to call each of these persons, who acted in these roles."""
    return {person: colleague(desk, person, role) for person, role in dict(persons).items()}


def colleague(desk: Desk, person: str, role: str) -> str:
    """Return what to call a person who acted in a role."""
    if role not in APART:
        name = desk.site.identity.users.name(PersonId(person))
        if name is not None:
            return name
    return short(person)


def payee_called(desk: Desk, payee: str, name: str | None) -> str | None:
    """Return what a payee is called, whose name is kept apart from the history if a person."""
    if name is not None:
        return name
    details = desk.site.identity.vault.details(PartyId(payee)) or {}
    return cast("str | None", details.get("name"))
