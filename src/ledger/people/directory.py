"""The register of people: who an opaque id is, and whose token is whose.

It stands apart from the history, in a file of its own, so that a person can be taken out of it and
so that a token can be made while the ledger is being written. Tokens are kept as SHA-256 only: they
are 256 random bits, which no dictionary holds.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    select,
)

from ledger.names import DonorId, PartyId, PersonId, SaleId, new_id
from ledger.people.roles import Role
from ledger.store.engine import engine_at, is_url

METADATA = MetaData()

PERSONS = Table(
    "persons",
    METADATA,
    Column("person", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("hash", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("donor", String),
    Column("sale", String),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
)
"""A row each time a token is made or changed, so that nobody trusts what they remember of it."""

PARTIES = Table(
    "parties",
    METADATA,
    Column("party", String, primary_key=True),
    Column("details", JSON, nullable=False),
)
"""Donors, payees and those who sign for money: what they told us about themselves."""

LOOKS_S = 1.0
"""Seconds for which a far database is not asked again whether a token changed."""

TOKEN_PREFIX = "lf_"  # noqa: S105  # So that a token found in a log or a mail is recognised.


class Caller(Struct, frozen=True):
    """Somebody at a door, known by a token.

    Attributes:
        person: Opaque id.
        roles: What they may act as.
        donor: Whose pledges the role of donor means.
        sale: Which sale the role of partner means.

    """

    person: PersonId
    roles: frozenset[Role]
    donor: DonorId | None = None
    sale: SaleId | None = None


class Directory:
    """The register, in a file of its own."""

    def __init__(self, where: Path | str) -> None:
        self._engine = engine_at(where, schema="people", durable=True)
        METADATA.create_all(self._engine)
        self._watch = self._engine.raw_connection()
        if is_url(where):
            cast("Any", self._watch.dbapi_connection).autocommit = True
        self._looks_s = LOOKS_S if is_url(where) else 0.0
        self._looked = -LOOKS_S
        self._lock = Lock()
        self._seen: int | None = None
        self._callers: dict[str, Caller | None] = {}

    def close(self) -> None:
        """Let go of the file."""
        self._watch.close()
        self._engine.dispose()

    def create_token(
        self,
        name: str,
        roles: Sequence[Role],
        *,
        at: datetime,
        donor: DonorId | None = None,
        sale: SaleId | None = None,
    ) -> str:
        """Return a new token for the person called ``name``. It is shown this once."""
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            person = connection.execute(
                select(PERSONS.c.person).where(PERSONS.c.name == name)
            ).scalar()
            if person is None:
                person = str(new_id())
                connection.execute(PERSONS.insert(), {"person": person, "name": name})
            connection.execute(
                TOKENS.insert(),
                {
                    "hash": _hash(token),
                    "person": person,
                    "roles": sorted({Role(role).value for role in roles}),
                    "donor": None if donor is None else str(donor),
                    "sale": None if sale is None else str(sale),
                    "created_at": at,
                },
            )
            connection.execute(CHANGES.insert(), {"at": at})
        return token

    def caller(self, token: str) -> Caller | None:
        """Return who holds ``token``, if anybody does.

        What was looked up is remembered until a token is made or changed, also by another process.
        """
        digest = _hash(token)
        with self._lock:
            self._look_for_changes()
            if digest in self._callers:
                return self._callers[digest]
            found = self._find(digest)
            if found is not None:
                self._callers[digest] = found
            return found

    def _look_for_changes(self) -> None:
        """Forget what was looked up if any token changed since; ask a far database now and then."""
        now = monotonic()
        if now - self._looked < self._looks_s:
            return
        cursor = self._watch.cursor()
        cursor.execute("SELECT max(number) FROM changes")
        (changes,) = cursor.fetchone() or (None,)
        cursor.close()
        self._looked = now
        if changes != self._seen:
            self._callers.clear()
            self._seen = changes

    def _find(self, digest: str) -> Caller | None:
        with self._engine.connect() as connection:
            row = (
                connection.execute(select(TOKENS).where(TOKENS.c.hash == digest)).mappings().first()
            )
        if row is None:
            return None
        return Caller(
            person=PersonId(row["person"]),
            roles=frozenset(Role(role) for role in row["roles"]),
            donor=None if row["donor"] is None else DonorId(UUID(row["donor"])),
            sale=None if row["sale"] is None else SaleId(UUID(row["sale"])),
        )

    def is_donor(self, person: PersonId, donor: DonorId, *, at: datetime) -> None:
        """Note that ``person``, who registered themselves, is ``donor``."""
        with self._engine.begin() as connection:
            connection.execute(CHANGES.insert(), {"at": at})
            connection.execute(
                TOKENS.update()
                .where(TOKENS.c.person == person, TOKENS.c.donor.is_(None))
                .values(donor=str(donor))
            )

    def keep(self, party: PartyId, details: dict[str, Any]) -> PartyId:
        """Keep what somebody told us about themselves, under their opaque id."""
        with self._engine.begin() as connection:
            connection.execute(PARTIES.insert(), {"party": party, "details": details})
        return party

    def forget(self, party: PartyId) -> None:
        """Drop what is kept of ``party``."""
        with self._engine.begin() as connection:
            connection.execute(PARTIES.delete().where(PARTIES.c.party == party))

    def details(self, party: PartyId) -> dict[str, Any] | None:
        """Return what is kept of ``party``."""
        with self._engine.connect() as connection:
            found: dict[str, Any] | None = connection.execute(
                select(PARTIES.c.details).where(PARTIES.c.party == party)
            ).scalar()
        return found


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
