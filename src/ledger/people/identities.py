"""Identities: as whom a provider of sign-in knows somebody who is on the roll.

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
from ledger.people.passwords import invited_in
from ledger.people.register import Register
from ledger.people.sessions import end_sessions
from ledger.people.tables import IDENTITIES, INVITATIONS, PASSWORDS, PERSONS
from ledger.people.vault import Vault


class IdentityTaken(Refused):
    """Whoever signs in at the provider is one person here, and no second."""

    says = "this account at the provider is bound to somebody else"


class Identity(Struct, frozen=True):
    """Somebody, as a provider knows them.

    Attributes:
        issuer: The provider's address.
        subject: What it calls them, for good.

    """

    issuer: str
    subject: str


class Identities:
    """Who is bound to whom."""

    def __init__(self, register: Register, vault: Vault) -> None:
        self._register = register
        self._vault = vault

    def person(self, identity: Identity) -> PersonId | None:
        """Return who is bound to ``identity`` and may come in, if anybody is."""
        asked = (
            select(IDENTITIES.c.person)
            .join(PERSONS, PERSONS.c.person == IDENTITIES.c.person)
            .where(IDENTITIES.c.digest == self._digest(identity), PERSONS.c.disabled_at.is_(None))
        )
        with self._register.reading() as connection:
            person: str | None = connection.execute(asked).scalar()
        return None if person is None else PersonId(person)

    def bind(self, code: str, identity: Identity, at: datetime) -> PersonId:
        """Have whoever was invited by ``code`` sign in as ``identity``, and no other way.

        The code is used up by that. They are signed out wherever they were signed in.
        """
        digest = self._digest(identity)
        with self._register.writing() as connection:
            person = invited_in(connection, code, at)
            if _bound(connection, digest) not in {None, person}:
                raise IdentityTaken
            for table in (INVITATIONS, PASSWORDS, IDENTITIES):
                connection.execute(delete(table).where(table.c.person == person))
            row = {"person": person, "digest": digest, "bound_at": at}
            connection.execute(IDENTITIES.insert(), row)
            end_sessions(connection, person)
        return person

    def _digest(self, identity: Identity) -> str:
        said = msgspec.json.encode(["identity", identity.issuer, identity.subject])
        return self._vault.derived(said).hex()


def _bound(connection: Connection, digest: str) -> PersonId | None:
    asked = select(IDENTITIES.c.person).where(IDENTITIES.c.digest == digest)
    found: str | None = connection.execute(asked).scalar()
    return None if found is None else PersonId(found)
