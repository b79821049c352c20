"""Who comes in, and in which roles."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from ledger.aggregates.staff import PersonKnown, StaffMember
from ledger.commands.application import Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import NotFound
from ledger.kernel.names import PersonId
from ledger.kernel.roles import Role


class StaffCommands(Records):
    """Add people; give and take roles; shut somebody out."""

    def add_person(self, act: Act, person: PersonId, roles: Collection[Role] = ()) -> Decision:
        """Have somebody known who was not, with the roles that they begin with."""
        if self.find(StaffMember, UUID(person)) is not None:
            raise PersonKnown
        return self.enrol_person(act, person, roles)

    def enrol_person(self, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
        """Have somebody known, if they are not, with roles, if they have not got them."""
        member = self.find(StaffMember, UUID(person)) or StaffMember.begin(person)
        known = member.version
        member.add(act)
        member.grant(act, roles)
        return _decided(member, known)

    def grant_roles(self, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
        """Give roles to somebody who is known."""
        member = self.staff_member(person)
        known = member.version
        member.grant(act, roles)
        return _decided(member, known)

    def withdraw_roles(self, act: Act, person: PersonId, roles: Collection[Role]) -> Decision:
        """Take roles from somebody."""
        member = self.staff_member(person)
        known = member.version
        member.withdraw(act, roles)
        return _decided(member, known)

    def disable_person(self, act: Act, person: PersonId) -> Decision:
        """Shut somebody out."""
        member = self.staff_member(person)
        member.disable(act)
        return Decision(member)

    def staff_member(self, person: PersonId) -> StaffMember:
        """Return somebody as the history has them."""
        found = self.find(StaffMember, UUID(person))
        if found is None:
            raise NotFound("person")
        return found


def _decided(member: StaffMember, known: int) -> Decision:
    """Return what was decided; that there was nothing to do was said by the last event."""
    return Decision(member, repeat_of=known if member.version == known else None)
