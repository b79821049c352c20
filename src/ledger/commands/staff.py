"""Commands about who comes in, and in which roles."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ledger.aggregates.staff import PersonKnown, StaffMember
from ledger.commands.application import Ledger
from ledger.commands.command import Decision, command
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import NotFound
from ledger.kernel.names import PersonId
from ledger.kernel.roles import OPERATOR, Role


def staff_member(ledger: Ledger, person: PersonId) -> StaffMember:
    """Return somebody as the history has them."""
    member = ledger.find(StaffMember, UUID(person))
    if member is None:
        raise NotFound("person")
    return member


@command(by=(Role.ADMIN,))
def add_person(
    ledger: Ledger, act: Act, person: PersonId, roles: Collection[Role] = ()
) -> Decision:
    """Have somebody known who was not, with the roles that they begin with."""
    if ledger.find(StaffMember, UUID(person)) is not None:
        raise PersonKnown
    return _enrol(ledger, act, person, roles)


@command(by=(OPERATOR,))
def enrol_person(ledger: Ledger, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    """Have somebody known, if they are not, with roles, if they have not got them."""
    return _enrol(ledger, act, person, roles)


def _enrol(ledger: Ledger, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    member = ledger.find(StaffMember, UUID(person)) or StaffMember.begin(person)
    known = member.version
    member.add(act)
    member.grant(act, roles)
    return _decided(member, known)


@command(by=(Role.ADMIN,))
def grant_roles(ledger: Ledger, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    """Give roles to somebody who is known."""
    member = staff_member(ledger, person)
    known = member.version
    member.grant(act, roles)
    return _decided(member, known)


@command(by=(Role.ADMIN, OPERATOR))
def withdraw_roles(ledger: Ledger, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    """Take roles from somebody."""
    member = staff_member(ledger, person)
    known = member.version
    member.withdraw(act, roles)
    return _decided(member, known)


@command(by=(Role.ADMIN, OPERATOR))
def disable_person(ledger: Ledger, act: Act, person: PersonId) -> Decision:
    """Shut somebody out for good."""
    member = staff_member(ledger, person)
    member.disable(act)
    return Decision(member)


def _decided(member: StaffMember, known: int) -> Decision:
    """Return what was decided; that there was nothing to do was recorded by the last event."""
    return Decision(member, repeat_of=known if member.version == known else None)
