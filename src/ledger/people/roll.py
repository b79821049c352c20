"""The roll: who may come in, and in which roles.

What is changed here is told to the history: the command line changes the roll at once and leaves a
note, which whoever writes the history turns into an event (``untold``); a server does it the other
way round, the event first and then the roll (``follow``). So the history has the last word: a note
that it refuses is taken back on the roll.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

from ledger.kernel.errors import Refused
from ledger.kernel.names import PartyId, PersonId, new_id
from ledger.kernel.roles import Role, check_together
from ledger.people.register import Register
from ledger.people.sessions import end_sessions, roles_of
from ledger.people.tables import CHANGES, HOLDS, PERSONS, UNTOLD
from ledger.people.vault import NAME, Vault

Change = Literal["granted", "withdrawn", "disabled"]


class PersonUnknown(Refused):
    """Roles are given to people who are on the roll."""

    says = "nobody of this name is registered"


class PersonDisabled(Refused):
    """Who was disabled does not come in again under the same name."""

    says = "this person was disabled"


class Untold(Struct, frozen=True):
    """A change that the history is still to be told of.

    Attributes:
        id: Names it, so that it is told once.
        at: When it was made.
        person: Of whom.
        change: What was changed.
        roles: Which were given or taken.

    """

    id: UUID
    at: datetime
    person: PersonId
    change: Change
    roles: tuple[Role, ...]


class Held(Struct, frozen=True):
    """What the history says of a person: their roles, and since when they may not come in."""

    roles: frozenset[Role]
    disabled_at: datetime | None


class Enrolled(Struct, frozen=True):
    """Somebody on the roll.

    Attributes:
        person: Opaque id.
        name: Unless it was erased.
        roles: What they may act as.
        disabled_at: Since when they may not come in.

    """

    person: PersonId
    name: str | None
    roles: tuple[Role, ...]
    disabled_at: datetime | None


class Roll:
    """The persons and their roles, within the register."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register = register
        self._vault = vault

    # Looking.

    def find(self, connection: Connection, name: str) -> PersonId | None:
        """Return the id of whoever is called ``name``."""
        digest = self._vault.name_digest(connection, name)
        asked = select(PERSONS.c.person).where(PERSONS.c.name_digest == digest)
        known: str | None = connection.execute(asked).scalar()
        return None if known is None else PersonId(known)

    def known(self, name: str) -> PersonId:
        """Return the id of whoever is called ``name``; refuse if nobody is."""
        with self._register.reading() as connection:
            person = self.find(connection, name)
        if person is None:
            raise PersonUnknown
        return person

    def everybody(self, after: int = 0, limit: int | None = None) -> list[Enrolled]:
        """Return everybody on the roll, or some of them, in the order they came."""
        asked = select(PERSONS).order_by(PERSONS.c.person).offset(after).limit(limit)
        with self._register.reading() as connection:
            rows = connection.execute(asked).mappings().all()
            roles = {row["person"]: roles_of(connection, row["person"]) for row in rows}
        return [
            Enrolled(
                PersonId(row["person"]),
                self.name(PersonId(row["person"])),
                tuple(roles[row["person"]]),
                row["disabled_at"],
            )
            for row in rows
        ]

    def all_held(self) -> dict[PersonId, Held]:
        """Return what everybody on the roll holds, without their names."""
        with self._register.reading() as connection:
            roles: dict[str, set[Role]] = {}
            for person, role in connection.execute(select(HOLDS.c.person, HOLDS.c.role)):
                roles.setdefault(person, set()).add(Role(role))
            rows = connection.execute(select(PERSONS.c.person, PERSONS.c.disabled_at)).all()
        return {
            PersonId(person): Held(frozenset(roles.get(person, ())), disabled_at)
            for person, disabled_at in rows
        }

    def one(self, person: PersonId) -> Enrolled | None:
        """Return somebody on the roll by their id."""
        with self._register.reading() as connection:
            asked = select(PERSONS.c.disabled_at).where(PERSONS.c.person == person)
            row = connection.execute(asked).first()
            roles = roles_of(connection, person)
        if row is None:
            return None
        return Enrolled(person, self.name(person), tuple(roles), row[0])

    def name(self, person: PersonId) -> str | None:
        """Return what ``person`` is called, unless that was erased."""
        details = self._vault.details(PartyId(person))
        return None if details is None else details.get(NAME)

    # From the command line: the roll first.

    def enrol(self, name: str, roles: Iterable[Role], at: datetime) -> PersonId:
        """Put ``name`` on the roll if they are not, and give them ``roles`` that they lack."""
        with self._register.writing() as connection:
            return self.enrol_in(connection, name, roles, at)

    def enrol_in(
        self, connection: Connection, name: str, roles: Iterable[Role], at: datetime
    ) -> PersonId:
        """Do so within a transaction."""
        person = self.find(connection, name)
        is_new = person is None
        if person is None:
            person = self._enter(connection, name)
        _check_enabled(connection, person)
        held = set(roles_of(connection, person))
        lacking = sorted(set(roles) - held)
        check_together(held.union(lacking))
        if lacking:
            connection.execute(HOLDS.insert(), [_holding(person, role) for role in lacking])
        if lacking or is_new:
            _note(connection, person, "granted", lacking, at)
        return person

    def enter(self, name: str) -> tuple[PersonId, bool]:
        """Put somebody on the roll, without roles, before the history is told; say if they are new.

        Whoever is called so already is found.
        """
        with self._register.writing() as connection:
            person = self.find(connection, name)
            if person is not None:
                return person, False
            return self._enter(connection, name), True

    def _enter(self, connection: Connection, name: str) -> PersonId:
        person = PersonId(str(new_id()))
        digest = self._vault.name_digest(connection, name)
        connection.execute(PERSONS.insert(), {"person": person, "name_digest": digest})
        self._vault.put(connection, PartyId(person), {NAME: name})
        return person

    def withdraw(self, name: str, roles: Iterable[Role], at: datetime) -> PersonId:
        """Take ``roles`` from the person called ``name``."""
        person = self.known(name)
        with self._register.writing() as connection:
            _check_enabled(connection, person)
            taken = sorted(set(roles).intersection(roles_of(connection, person)))
            if taken:
                _take(connection, person, taken)
                _note(connection, person, "withdrawn", taken, at)
        return person

    def disable(self, name: str, at: datetime) -> PersonId:
        """See that the person called ``name`` does not come in any more."""
        person = self.known(name)
        with self._register.writing() as connection:
            _check_enabled(connection, person)
            _shut_out(connection, person, at)
            _note(connection, person, "disabled", (), at)
        return person

    # Towards the history.

    def untold(self) -> list[Untold]:
        """Return what the history is still to be told of, in order."""
        with self._register.reading() as connection:
            rows = connection.execute(select(UNTOLD).order_by(UNTOLD.c.at, UNTOLD.c.id)).mappings()
            return [
                Untold(
                    UUID(row["id"]),
                    row["at"],
                    PersonId(row["person"]),
                    row["change"],
                    tuple(Role(role) for role in row["roles"]),
                )
                for row in rows
            ]

    def follow(
        self,
        person: PersonId,
        held: Callable[[], Held | None],
        *,
        at: datetime,
        told: UUID | None = None,
    ) -> None:
        """Have ``person`` be on the roll what the history says they are.

        Whoever has notes that are still to be told is left alone until they are.

        Args:
            person: Of whom.
            held: Asks the history, once nobody else changes the roll.
            at: This moment.
            told: The note that the history was just told of, which is struck out.

        """
        with self._register.writing() as connection:
            if told is not None:
                connection.execute(delete(UNTOLD).where(UNTOLD.c.id == told.hex))
            asked = select(UNTOLD.c.id).where(UNTOLD.c.person == person)
            if connection.execute(asked).first() is not None:
                return
            said = held()
            if said is not None:
                _bring_level(connection, person, said, at)

    def leave(self, person: PersonId) -> None:
        """Take somebody off again whom the history refused, of whom nothing is recorded."""
        with self._register.writing() as connection:
            connection.execute(delete(PERSONS).where(PERSONS.c.person == person))
            self._vault.take_out(connection, PartyId(person))

    def count(self, role: Role) -> int:
        """Say how many have a role and may come in."""
        asked = (
            select(func.count())
            .select_from(HOLDS.join(PERSONS, PERSONS.c.person == HOLDS.c.person))
            .where(HOLDS.c.role == role.value, PERSONS.c.disabled_at.is_(None))
        )
        with self._register.reading() as connection:
            return connection.execute(asked).scalar_one()


def _bring_level(connection: Connection, person: PersonId, held: Held, at: datetime) -> None:
    has = set(roles_of(connection, person))
    _take(connection, person, has.difference(held.roles))
    lacking = sorted(held.roles - has)
    if lacking:
        connection.execute(HOLDS.insert(), [_holding(person, role) for role in lacking])
    if held.disabled_at is not None:
        _shut_out(connection, person, held.disabled_at)
    if has != held.roles or held.disabled_at is not None:
        _have_doors_look(connection, at)


def _have_doors_look(connection: Connection, at: datetime) -> None:
    """Have every door look again who may come in, from the next request on."""
    connection.execute(CHANGES.insert(), {"at": at})


def _check_enabled(connection: Connection, person: PersonId) -> None:
    asked = select(PERSONS.c.disabled_at).where(PERSONS.c.person == person)
    if connection.execute(asked).scalar() is not None:
        raise PersonDisabled


def _holding(person: PersonId, role: Role) -> dict[str, str]:
    return {"person": person, "role": role.value}


def _take(connection: Connection, person: PersonId, roles: Iterable[Role]) -> None:
    taken = HOLDS.c.role.in_([role.value for role in roles])
    connection.execute(delete(HOLDS).where(HOLDS.c.person == person, taken))


def _shut_out(connection: Connection, person: PersonId, at: datetime) -> None:
    one = (PERSONS.c.person == person, PERSONS.c.disabled_at.is_(None))
    connection.execute(PERSONS.update().where(*one).values(disabled_at=at))
    end_sessions(connection, person)


def _note(
    connection: Connection, person: PersonId, change: Change, roles: Sequence[Role], at: datetime
) -> None:
    """Leave a note for whoever writes the history, and have every door look again."""
    row = {
        "id": new_id().hex,
        "at": at,
        "person": person,
        "change": change,
        "roles": [role.value for role in roles],
    }
    connection.execute(UNTOLD.insert(), row)
    _have_doors_look(connection, at)
