"""Tokens: 256 random bits that let their holder act as a person, in some of that person's roles.

Only the SHA-256 is kept. A token never gives a role that its person has not (any more); it can be
made to end, taken back with effect on the next request, and exchanged for a new one while the old
one still works for a while, so that no program has to stop for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import Connection, RowMapping, func, select

from ledger.kernel.errors import NotFound, Refused
from ledger.kernel.names import DonorId, PersonId, SaleId
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Either
from ledger.people.caller import Caller
from ledger.people.database import PeopleDatabase
from ledger.people.sessions import roles_of
from ledger.people.tables import CHANGES, PERSONS, TOKENS

PREFIX = "lf_"
"""So that a token found in a log or a mail is recognised."""

ID_CHARACTERS = 16
"""Of the hash, by which a token is called where it is listed: it opens nothing."""

OVERLAP = timedelta(days=1)
"""How long the old token still works beside the new one, if not said otherwise."""


class BeyondRoles(Refused):
    """A token gives no role that its person has not."""

    says = "the person does not have the role {roles}"

    def __init__(self, roles: Iterable[Role]) -> None:
        super().__init__(roles=Either(sorted(roles)))


class Scope(Struct, frozen=True):
    """The roles of a token and their limits.

    Attributes:
        roles: What its holder may act as.
        name: What it is called in lists, such as the program that has it.
        donor: Whose pledges the role of donor means.
        sale: Which sale the role of partner means.
        expires_at: When it ends, if it does.

    """

    roles: tuple[Role, ...]
    name: str | None = None
    donor: DonorId | None = None
    sale: SaleId | None = None
    expires_at: datetime | None = None


class Token(Struct, frozen=True):
    """A token, as it is listed.

    Attributes:
        id: What it is called by; opens nothing.
        person: Whose it is.
        scope: What it is for.
        created_at: When it was made.
        revoked_at: When it was taken back, if it was.
        used_on: The last business day on which it was shown, if it ever was.

    """

    id: str
    person: PersonId
    scope: Scope
    created_at: datetime
    revoked_at: datetime | None
    used_on: date | None


class Tokens:
    """The tokens that were made."""

    def __init__(self, database: PeopleDatabase) -> None:
        self._database = database

    def create(
        self, person: PersonId, scope: Scope, *, at: datetime, token: str | None = None
    ) -> str:
        """Return a new token of ``person``, which is shown this once.

        Args:
            person: Whose it is.
            scope: What it is for.
            at: When it is made.
            token: What it is, if that follows from a request that may be repeated.

        """
        with self._database.writing() as connection:
            return self.create_in(connection, person, scope, at=at, token=token)

    def create_in(
        self,
        connection: Connection,
        person: PersonId,
        scope: Scope,
        *,
        at: datetime,
        token: str | None = None,
    ) -> str:
        """Do so within a transaction."""
        _check(connection, person, scope)
        token = token or new_token()
        row = {
            "hash": digest_of(token),
            "person": person,
            "roles": sorted({role.value for role in scope.roles}),
            "donor": None if scope.donor is None else str(scope.donor),
            "sale": None if scope.sale is None else str(scope.sale),
            "created_at": at,
            "name": scope.name,
            "expires_at": scope.expires_at,
        }
        connection.execute(TOKENS.insert(), row)
        connection.execute(CHANGES.insert(), {"at": at})
        return token

    def check(self, person: PersonId, scope: Scope) -> None:
        """Refuse what ``create`` would refuse; make nothing."""
        with self._database.reading() as connection:
            _check(connection, person, scope)

    def of(self, person: PersonId) -> list[Token]:
        """Return the tokens of ``person``, oldest first."""
        query = select(TOKENS).where(TOKENS.c.person == person)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(TOKENS.c.created_at, TOKENS.c.hash))
            return [_listed(row) for row in rows.mappings()]

    def known(self, token: str) -> Token | None:
        """Return a token by its secret, or None."""
        with self._database.reading() as connection:
            query = select(TOKENS).where(TOKENS.c.hash == digest_of(token))
            row = connection.execute(query).mappings().first()
        return None if row is None else _listed(row)

    def check_known(self, person: PersonId, token_id: str) -> None:
        """Refuse what ``revoke`` would refuse; change nothing."""
        with self._database.reading() as connection:
            _find(connection, person, token_id)

    def revoke(self, person: PersonId, token_id: str, *, at: datetime) -> None:
        """Revoke a token of ``person``; revoking it again changes nothing."""
        with self._database.writing() as connection:
            row = _find(connection, person, token_id)
            _change(connection, row, at, revoked_at=row["revoked_at"] or at)

    def check_rotation(self, person: PersonId, token_id: str, *, at: datetime) -> None:
        """Refuse what ``rotate`` would refuse; make nothing."""
        with self._database.reading() as connection:
            _check(connection, person, _scope(_find_good(connection, person, token_id, at)))

    def rotate(
        self,
        person: PersonId,
        token_id: str,
        *,
        at: datetime,
        overlap: timedelta = OVERLAP,
        token: str | None = None,
    ) -> str:
        """Return a new token for the same; the old one ends after ``overlap``."""
        with self._database.writing() as connection:
            row = _find_good(connection, person, token_id, at)
            ends = min(at + overlap, row["expires_at"] or at + overlap)
            _change(connection, row, at, expires_at=ends)
            return self.create_in(connection, person, _scope(row), at=at, token=token)


def new_token() -> str:
    """Return a token that nobody has."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return the SHA-256 by which a token is stored."""
    return sha256(token.encode()).hexdigest()


def id_of(token: str) -> str:
    """Return the id of a token in lists."""
    return digest_of(token)[:ID_CHARACTERS]


class ValidToken(Struct, frozen=True):
    """A valid token: its holder and its expiry."""

    caller: Caller
    expires_at: datetime | None
    used_on: date | None


def look_up(connection: Connection, digest: str) -> ValidToken | None:
    """Return who holds the token with this SHA-256, unless it or they may not come in any more."""
    query = (
        select(TOKENS)
        .join(PERSONS, PERSONS.c.person == TOKENS.c.person)
        .where(
            TOKENS.c.hash == digest,
            TOKENS.c.revoked_at.is_(None),
            PERSONS.c.disabled_at.is_(None),
        )
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return ValidToken(caller_by(connection, row), row["expires_at"], row["used_on"])


def caller_by(connection: Connection, row: RowMapping) -> Caller:
    """Return the caller that a token stands for, with no role that the person lacks."""
    person = PersonId(row["person"])
    scope = _scope(row)
    roles = frozenset(scope.roles).intersection(roles_of(connection, person))
    return Caller(person=person, roles=roles, donor=scope.donor, sale=scope.sale)


def note_use(connection: Connection, digest: str, day: date) -> None:
    """Keep on which day a token was last shown."""
    connection.execute(TOKENS.update().where(TOKENS.c.hash == digest).values(used_on=day))


def _is_good(row: RowMapping, at: datetime) -> bool:
    return row["revoked_at"] is None and (row["expires_at"] is None or at < row["expires_at"])


def _find(connection: Connection, person: PersonId, token_id: str) -> RowMapping:
    query = select(TOKENS).where(
        TOKENS.c.person == person, func.substr(TOKENS.c.hash, 1, ID_CHARACTERS) == token_id
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("token")
    return row


def _find_good(connection: Connection, person: PersonId, token_id: str, at: datetime) -> RowMapping:
    row = _find(connection, person, token_id)
    if not _is_good(row, at):
        raise NotFound("token", says="there is no token with this id that still works")
    return row


def _check(connection: Connection, person: PersonId, scope: Scope) -> None:
    """Refuse roles that the person has not."""
    beyond = set(scope.roles).difference(roles_of(connection, person))
    if beyond:
        raise BeyondRoles(beyond)


def _change(connection: Connection, row: RowMapping, at: datetime, **values: Any) -> None:
    connection.execute(TOKENS.update().where(TOKENS.c.hash == row["hash"]).values(**values))
    connection.execute(CHANGES.insert(), {"at": at})


def _scope(row: RowMapping | Mapping[str, Any]) -> Scope:
    roles: Sequence[str] = row["roles"]
    return Scope(
        roles=tuple(Role(role) for role in roles),
        name=row["name"],
        donor=None if row["donor"] is None else DonorId(UUID(row["donor"])),
        sale=None if row["sale"] is None else SaleId(UUID(row["sale"])),
        expires_at=row["expires_at"],
    )


def _listed(row: RowMapping) -> Token:
    return Token(
        id=row["hash"][:ID_CHARACTERS],
        person=PersonId(row["person"]),
        scope=_scope(row),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
        used_on=row["used_on"],
    )
