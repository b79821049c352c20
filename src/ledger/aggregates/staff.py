"""Persons (工作人员 and others) who come in here, and the roles that they are given and lose.

The history knows an opaque id; who it is stands in the register of people. An admin's grant is
history as a payment is: whoever asks later who could approve on a day finds it here.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Self
from uuid import UUID

from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.errors import Refused, WrongState
from ledger.kernel.names import PersonId
from ledger.kernel.roles import Role, check_together
from ledger.kernel.sentences import Sentence

STEPS = {"enabled": ("roles", "disabling"), "disabled": ()}


class OwnRoles(Refused):
    """Nobody gives roles to themselves, or takes them, and nobody shuts themselves out."""

    says = "another admin has to do this"


class PersonKnown(Refused):
    """A name is one person here; somebody else of the same name is called otherwise."""

    says = "somebody of this name is already registered"


class StaffMember(Aggregate):
    """Somebody who can come in."""

    TOPIC = "person"
    MOVES_MONEY = False

    class Added(Fact, frozen=True):
        """Somebody can be given roles from now on."""

        TOPIC = "person.added.1"

    class RolesGranted(Fact, frozen=True):
        """Somebody may act in more roles.

        Attributes:
            roles: Those that they had not, in the order of the alphabet.

        """

        TOPIC = "person.roles-granted.1"
        roles: tuple[str, ...]

    class RolesWithdrawn(Fact, frozen=True):
        """Somebody may no longer act in these roles.

        Attributes:
            roles: Those that they had, in the order of the alphabet.

        """

        TOPIC = "person.roles-withdrawn.1"
        roles: tuple[str, ...]

    class Disabled(Fact, frozen=True):
        """Somebody does not come in any more, and has no roles left."""

        TOPIC = "person.disabled.1"

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.roles: frozenset[Role] = frozenset()
        self.disabled_at: datetime | None = None

    @classmethod
    def begin(cls, person: PersonId) -> Self:
        """Return somebody of whom nothing is recorded yet."""
        return cls(UUID(person))

    def add(self, act: Act) -> None:
        """Have somebody known; who is known already stays it."""
        if self.version == 0:
            self._record(self.Added, act, on=act.today)

    def grant(self, act: Act, roles: Collection[Role]) -> None:
        """Give roles; what they have already is not given twice."""
        self._check(act, "granting roles")
        lacking = sorted(set(roles) - self.roles)
        check_together(self.roles.union(lacking))
        if lacking:
            self._record(self.RolesGranted, act, on=act.today, roles=tuple(lacking))

    def withdraw(self, act: Act, roles: Collection[Role]) -> None:
        """Take roles; what they have not is not taken."""
        self._check(act, "withdrawing roles")
        taken = sorted(self.roles.intersection(roles))
        if taken:
            self._record(self.RolesWithdrawn, act, on=act.today, roles=tuple(taken))

    def disable(self, act: Act) -> None:
        """Shut somebody out for good."""
        self._check(act, "disabling")
        self._record(self.Disabled, act, on=act.today)

    def _check(self, act: Act, step: str) -> None:
        if act.actor == str(self.id):
            raise OwnRoles
        if self.disabled_at is not None:
            raise WrongState(step, Sentence("this person"), "disabled", STEPS["disabled"])

    @event(Added)
    def _added(self, _: Added) -> None:
        """Nothing depends on it but that there is somebody."""

    @event(RolesGranted)
    def _granted(self, fact: RolesGranted) -> None:
        self.roles |= {Role(role) for role in fact.roles}

    @event(RolesWithdrawn)
    def _withdrawn(self, fact: RolesWithdrawn) -> None:
        self.roles -= {Role(role) for role in fact.roles}

    @event(Disabled)
    def _disabled(self, fact: Disabled) -> None:
        self.disabled_at = fact.recorded_at
        self.roles = frozenset()
