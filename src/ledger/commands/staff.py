"""Commands about who comes in, and in which roles."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ledger.aggregates.staff import PersonKnown, StaffMember
from ledger.commands.command import Decision, command
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import NotFound
from ledger.kernel.names import PersonId
from ledger.kernel.roles import OPERATOR, Role


def staff_member(records: Records, person: PersonId) -> StaffMember:
    """Return a person's roles and state as recorded in the history."""
    member = records.find(StaffMember, UUID(person))
    if member is None:
        raise NotFound("person")
    return member


@command(by=(Role.ADMIN,))
def add_person(
    records: Records, act: Act, person: PersonId, roles: Collection[Role] = ()
) -> Decision:
    """Have somebody known who was not, with the roles that they begin with."""
    if records.find(StaffMember, UUID(person)) is not None:
        raise PersonKnown
    return _enrol(records, act, person, roles)


@command(by=(OPERATOR,))
def enrol_person(records: Records, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    """Have somebody known, if they are not, with roles, if they have not got them."""
    return _enrol(records, act, person, roles)


def _enrol(records: Records, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    member = records.find(StaffMember, UUID(person)) or StaffMember.begin(person)
    known = member.version
    member.add(act)
    member.grant(act, roles)
    return _decided(member, known)


@command(by=(Role.ADMIN,))
def grant_roles(records: Records, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
    """Give roles to somebody who is known."""
    member = staff_member(records, person)
    known = member.version
    member.grant(act, roles)
    return _decided(member, known)


@command(by=(Role.ADMIN, OPERATOR))
def withdraw_roles(
    records: Records, act: Act, person: PersonId, roles: Collection[Role]
) -> Decision:
    """Take roles from somebody."""
    member = staff_member(records, person)
    known = member.version
    member.withdraw(act, roles)
    return _decided(member, known)


@command(by=(Role.ADMIN, OPERATOR))
def disable_person(records: Records, act: Act, person: PersonId) -> Decision:
    """Shut somebody out for good."""
    member = staff_member(records, person)
    member.disable(act)
    return Decision(member)


def _decided(member: StaffMember, known: int) -> Decision:
    """Return the decision; if nothing changed, it repeats the person's last event."""
    return Decision(member, repeat_of=known if member.version == known else None)
