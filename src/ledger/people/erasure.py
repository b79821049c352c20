"""Destroys the keys and details of people whom the history says were erased.

The event comes first and the destruction after it. It is made up for at every start, for every
erasure there ever was: whatever older register was put back meanwhile, nobody comes back with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from ledger.aggregates.donors import Donor
from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from ledger.people.database import PeopleDatabase
from ledger.people.tables import (
    DATA_KEYS,
    HOLDS,
    IDENTITIES,
    INVITATIONS,
    PASSWORDS,
    PERSONS,
    RECOVERY_CODES,
    SEALED,
    SECOND_FACTORS,
    SESSIONS,
    TOKENS,
)
from ledger.store.recorder import Store

LOOKUPS = {Donor.Erased.TOPIC: "erasures"}
"""By which events the history is looked up at every start, and the index that serves it."""

CHUNK = 500
"""People asked about with one statement."""


_SIGNING_IN = (PASSWORDS, IDENTITIES, SECOND_FACTORS, RECOVERY_CODES, INVITATIONS, SESSIONS)
"""What lets somebody sign in, whom nobody knows by name any more."""


def erased(store: Store) -> list[UUID]:
    """Return the donors who were erased, without reading through the history."""
    return store.streams_with(Donor.Erased.TOPIC)


def erase(database: PeopleDatabase, donors: Iterable[PartyId]) -> int:
    """Destroy the personal data of ``donors``; return how many had any.

    With a donor goes the name of the person who has no token but as that donor: it is the same
    person. Their tokens stay, which name nobody, and open what is left: amounts and days.
    """
    parties = list(donors)
    with database.reading() as connection:
        parties += _persons(connection, set(parties))
        kept = [each for some in _chunks(parties) for each in _kept(connection, some)]
    if kept:
        with database.writing() as connection:
            for some in _chunks(kept):
                for table in (DATA_KEYS, SEALED):
                    connection.execute(table.delete().where(table.c.party.in_(some)))
                for table in _SIGNING_IN:
                    connection.execute(table.delete().where(table.c.person.in_(some)))
                named = PERSONS.c.person.in_(some)
                connection.execute(PERSONS.update().where(named).values(name_digest=None))
    if kept or (parties and database.is_local):  # As an earlier try may have been hindered.
        database.clear()
    return len(kept)


def _persons(connection: Connection, donors: set[PartyId]) -> list[PartyId]:
    """Return those who are one of ``donors`` and nobody else, by their roles and by each token."""
    query = select(PERSONS.c.person, PERSONS.c.donor)
    themselves = {PartyId(person) for person, donor in connection.execute(query) if donor in donors}
    others = set(
        connection.execute(select(HOLDS.c.person).where(HOLDS.c.role != Role.DONOR.value)).scalars()
    )
    for person, roles, donor in connection.execute(
        select(TOKENS.c.person, TOKENS.c.roles, TOKENS.c.donor)
    ):
        if roles == [Role.DONOR.value] and donor in donors:
            themselves.add(PartyId(person))
        else:
            others.add(person)
    return sorted(themselves - others)


def _kept(connection: Connection, some: Sequence[PartyId]) -> Sequence[PartyId]:
    """Return those of whom any data is left, even in part."""
    keyed: ColumnElement[Any] = DATA_KEYS.c.party
    sealed: ColumnElement[Any] = SEALED.c.party
    query = select(keyed).where(keyed.in_(some)).union(select(sealed).where(sealed.in_(some)))
    return connection.execute(query).scalars().all()


def _chunks(parties: Sequence[PartyId]) -> Iterator[Sequence[PartyId]]:
    for start in range(0, len(parties), CHUNK):
        yield parties[start : start + CHUNK]
