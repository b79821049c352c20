"""The user directory: people and the roles they hold.

Every change becomes an event. The command line changes the directory at once and leaves a note in
the outbox (``pending``), which the writer of the history turns into an event; a server records the
event first and then changes the directory (``follow``). The history has the last word: the
directory undoes a change that it refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, delete, func, select

from ledger.kernel.errors import Refused
from ledger.kernel.ids import new_id
from ledger.kernel.names import PartyId, PersonId
from ledger.kernel.roles import Role, check_together
from ledger.people.database import PeopleDatabase
from ledger.people.sessions import end_sessions, roles_of
from ledger.people.tables import CHANGES, HOLDS, PENDING, PERSONS
from ledger.people.vault import NAME, Vault

Change = Literal["granted", "withdrawn", "disabled"]


class PersonUnknown(Refused):
    """Roles are given to people who are on the roll."""

    says = "nobody of this name is registered"


class PersonDisabled(Refused):
    """Who was disabled does not come in again under the same name."""

    says = "this person was disabled"


class Pending(Struct, frozen=True):
    """A change of roles in the outbox: not recorded in the history yet.

    Attributes:
        id: The id of its command, so that it is recorded once.
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


class Standing(Struct, frozen=True):
    """A person's roles and the time they were disabled, as the history records them."""

    roles: frozenset[Role]
    disabled_at: datetime | None


class User(Struct, frozen=True):
    """A person in the user directory.

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


class UserDirectory:
    """People and their roles, within the people database."""

    def __init__(self, database: PeopleDatabase, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    # Looking.

    def find(self, connection: Connection, name: str) -> PersonId | None:
        """Return the id of the person with this name, or None."""
        digest = self._vault.name_digest(connection, name)
        query = select(PERSONS.c.person).where(PERSONS.c.name_digest == digest)
        known: str | None = connection.execute(query).scalar()
        return None if known is None else PersonId(known)

    def known(self, name: str) -> PersonId:
        """Return the id of the person with this name; refuse an unknown name."""
        with self._database.reading() as connection:
            person = self.find(connection, name)
        if person is None:
            raise PersonUnknown
        return person

    def everybody(self, after: int = 0, limit: int | None = None) -> list[User]:
        """Return all users, or a page of them, in the order they were added."""
        query = select(PERSONS).order_by(PERSONS.c.person).offset(after).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
            roles = {row["person"]: roles_of(connection, row["person"]) for row in rows}
        return [
            User(
                PersonId(row["person"]),
                self.name(PersonId(row["person"])),
                tuple(roles[row["person"]]),
                row["disabled_at"],
            )
            for row in rows
        ]

    def all_standings(self) -> dict[PersonId, Standing]:
        """Return every user's roles and state, without names."""
        with self._database.reading() as connection:
            roles: dict[str, set[Role]] = {}
            for person, role in connection.execute(select(HOLDS.c.person, HOLDS.c.role)):
                roles.setdefault(person, set()).add(Role(role))
            rows = connection.execute(select(PERSONS.c.person, PERSONS.c.disabled_at)).all()
        return {
            PersonId(person): Standing(frozenset(roles.get(person, ())), disabled_at)
            for person, disabled_at in rows
        }

    def one(self, person: PersonId) -> User | None:
        """Return a user by id."""
        with self._database.reading() as connection:
            query = select(PERSONS.c.disabled_at).where(PERSONS.c.person == person)
            row = connection.execute(query).first()
            roles = roles_of(connection, person)
        if row is None:
            return None
        return User(person, self.name(person), tuple(roles), row[0])

    def name(self, person: PersonId) -> str | None:
        """Return the name of ``person``, or None if it was erased."""
        details = self._vault.details(PartyId(person))
        return None if details is None else details.get(NAME)

    # From the command line: the directory first.

    def enrol(self, name: str, roles: Iterable[Role], at: datetime) -> PersonId:
        """Add ``name`` if it is new, and grant the ``roles`` that they lack."""
        with self._database.writing() as connection:
            return self.enrol_in(connection, name, roles, at)

    def enrol_in(
        self, connection: Connection, name: str, roles: Iterable[Role], at: datetime
    ) -> PersonId:
        """Add ``name`` and grant ``roles`` within a transaction."""
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
        """Add a person, without roles, before the history records them.

        Return their id, and whether it is new: a name that exists keeps its id.
        """
        with self._database.writing() as connection:
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
        """Withdraw ``roles`` from the person with this name."""
        person = self.known(name)
        with self._database.writing() as connection:
            _check_enabled(connection, person)
            taken = sorted(set(roles).intersection(roles_of(connection, person)))
            if taken:
                _take(connection, person, taken)
                _note(connection, person, "withdrawn", taken, at)
        return person

    def disable(self, name: str, at: datetime) -> PersonId:
        """Disable the person with this name: they cannot sign in any more."""
        person = self.known(name)
        with self._database.writing() as connection:
            _check_enabled(connection, person)
            _shut_out(connection, person, at)
            _note(connection, person, "disabled", (), at)
        return person

    # Towards the history.

    def pending(self) -> list[Pending]:
        """Return the outbox: changes that the history has not recorded yet, in order."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(PENDING).order_by(PENDING.c.at, PENDING.c.id)
            ).mappings()
            return [
                Pending(
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
        held: Callable[[], Standing | None],
        *,
        at: datetime,
        note: UUID | None = None,
    ) -> None:
        """Update ``person`` to the roles and state in the history.

        A person with pending notes is left alone until these are recorded.

        Args:
            person: Of whom.
            held: Reads the history, once nobody else changes the directory.
            at: This moment.
            note: The note that was just recorded, which is removed.

        """
        with self._database.writing() as connection:
            if note is not None:
                connection.execute(delete(PENDING).where(PENDING.c.id == note.hex))
            query = select(PENDING.c.id).where(PENDING.c.person == person)
            if connection.execute(query).first() is not None:
                return
            standing = held()
            if standing is not None:
                _reconcile(connection, person, standing, at)

    def leave(self, person: PersonId) -> None:
        """Remove a person whom the history refused and of whom nothing is recorded."""
        with self._database.writing() as connection:
            connection.execute(delete(PERSONS).where(PERSONS.c.person == person))
            self._vault.take_out(connection, PartyId(person))

    def count(self, role: Role) -> int:
        """Return how many enabled users hold a role."""
        query = (
            select(func.count())
            .select_from(HOLDS.join(PERSONS, PERSONS.c.person == HOLDS.c.person))
            .where(HOLDS.c.role == role.value, PERSONS.c.disabled_at.is_(None))
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()


def _reconcile(connection: Connection, person: PersonId, held: Standing, at: datetime) -> None:
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
    """Make every server reload tokens and roles at its next request."""
    connection.execute(CHANGES.insert(), {"at": at})


def _check_enabled(connection: Connection, person: PersonId) -> None:
    query = select(PERSONS.c.disabled_at).where(PERSONS.c.person == person)
    if connection.execute(query).scalar() is not None:
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
    connection.execute(PENDING.insert(), row)
    _have_doors_look(connection, at)
