"""External identities: accounts at an OpenID provider, each bound to one person here.

What counts is the pair of issuer and subject, which the provider gives to nobody else; a name or an
e-mail address may pass to another (OpenID Connect Core 1.0 §5.7). The pair is kept as a keyed
digest, which says nothing of it to whoever reads the register. A person is bound to it by their
invitation, and signs in either so or by a password: whom the provider shuts out has no other way.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, select

from ledger.kernel.errors import Refused
from ledger.kernel.names import PersonId
from ledger.people.database import PeopleDatabase
from ledger.people.passwords import invited_in
from ledger.people.sessions import end_sessions
from ledger.people.tables import IDENTITIES, INVITATIONS, PASSWORDS, PERSONS
from ledger.people.vault import Vault


class IdentityTaken(Refused):
    """Whoever signs in at the provider is one person here, and no second."""

    says = "this account at the provider is bound to somebody else"


class ExternalIdentity(Struct, frozen=True):
    """An account at an OpenID provider.

    Attributes:
        issuer: The provider's address.
        subject: What it calls them, for good.

    """

    issuer: str
    subject: str


class ExternalIdentities:
    """Bindings between external identities and people."""

    def __init__(self, database: PeopleDatabase, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def person(self, identity: ExternalIdentity) -> PersonId | None:
        """Return the enabled person bound to ``identity``, or None."""
        query = (
            select(IDENTITIES.c.person)
            .join(PERSONS, PERSONS.c.person == IDENTITIES.c.person)
            .where(IDENTITIES.c.digest == self._digest(identity), PERSONS.c.disabled_at.is_(None))
        )
        with self._database.reading() as connection:
            person: str | None = connection.execute(query).scalar()
        return None if person is None else PersonId(person)

    def bind(self, code: str, identity: ExternalIdentity, at: datetime) -> PersonId:
        """Bind the person invited by ``code`` to ``identity``, as their only way to sign in.

        The code is used up by that. They are signed out wherever they were signed in.
        """
        digest = self._digest(identity)
        with self._database.writing() as connection:
            person = invited_in(connection, code, at)
            if _bound(connection, digest) not in {None, person}:
                raise IdentityTaken
            for table in (INVITATIONS, PASSWORDS, IDENTITIES):
                connection.execute(delete(table).where(table.c.person == person))
            row = {"person": person, "digest": digest, "bound_at": at}
            connection.execute(IDENTITIES.insert(), row)
            end_sessions(connection, person)
        return person

    def _digest(self, identity: ExternalIdentity) -> str:
        text = msgspec.json.encode(["identity", identity.issuer, identity.subject])
        return self._vault.derived(text).hex()


def _bound(connection: Connection, digest: str) -> PersonId | None:
    query = select(IDENTITIES.c.person).where(IDENTITIES.c.digest == digest)
    person: str | None = connection.execute(query).scalar()
    return None if person is None else PersonId(person)
