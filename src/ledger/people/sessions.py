"""Sessions: who is signed in with a browser, until they leave, are idle, or it has been too long.

What the browser holds is 256 random bits, of which only the SHA-256 is kept, so that whoever reads
the register cannot be anybody. A session gives the roles that its person has at the moment of each
request; what takes a second factor only if one was shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, RowMapping, delete, select

from ledger.kernel.names import DonorId, PersonId, SaleId
from ledger.kernel.roles import SECOND_FACTOR_ROLES, Role
from ledger.people.caller import Caller
from ledger.people.database import PeopleDatabase
from ledger.people.tables import HOLDS, PERSONS, SESSIONS

IDLE = timedelta(minutes=30)
"""After so long without a request a session is over."""

LONGEST = timedelta(hours=12)
"""After so long it is over however busy it is."""

NOTED_EVERY = timedelta(minutes=1)
"""How exactly it is kept when somebody was last seen, so that a request seldom writes."""

ID_CHARACTERS = 16
"""Of the hash, by which a session is called where it is listed: it opens nothing."""


class SignedIn(Struct, frozen=True):
    """Somebody who is signed in.

    Attributes:
        caller: Who they are, with the roles that this session gives.
        session: What the session is called.
        with_second_factor: They showed one.
        lacking: Roles of theirs that they have not here for want of a second factor.

    """

    caller: Caller
    session: str
    with_second_factor: bool
    lacking: frozenset[Role]


class Session(Struct, frozen=True):
    """A session, as its person sees it in a list."""

    session: str
    began_at: datetime
    seen_at: datetime
    with_second_factor: bool


class Sessions:
    """The sessions that there are."""

    def __init__(self, database: PeopleDatabase) -> None:
        self._database = database

    def begin(self, person: PersonId, at: datetime, *, with_second_factor: bool = False) -> str:
        """Sign ``person`` in; return what their browser shows from now on."""
        secret = secrets.token_urlsafe(32)
        row = {
            "hash": _hash(secret),
            "person": person,
            "began_at": at,
            "seen_at": at,
            "with_second_factor": with_second_factor,
        }
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(_is_over(at)))
            connection.execute(SESSIONS.insert(), row)
        return secret

    def signed_in(self, secret: str, at: datetime) -> SignedIn | None:
        """Return who shows ``secret``, unless their session is over or they may not come in."""
        with self._database.reading() as connection:
            row = _row(connection, _hash(secret), at)
            roles = () if row is None else roles_of(connection, PersonId(row["person"]))
        if row is None:
            return None
        if at - row["seen_at"] >= NOTED_EVERY:
            self._note(row["hash"], at)
        return _signed_in(row, roles)

    def _note(self, digest: str, at: datetime) -> None:
        with self._database.writing() as connection:
            seen = SESSIONS.c.hash == digest
            connection.execute(SESSIONS.update().where(seen).values(seen_at=at))

    def end(self, secret: str) -> None:
        """Sign somebody out."""
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.hash == _hash(secret)))

    def end_one(self, person: PersonId, session: str) -> None:
        """Sign ``person`` out of one session of theirs."""
        with self._database.writing() as connection:
            theirs = (SESSIONS.c.person == person, SESSIONS.c.hash.startswith(session))
            connection.execute(delete(SESSIONS).where(*theirs))

    def end_all(self, person: PersonId) -> None:
        """Sign ``person`` out everywhere."""
        with self._database.writing() as connection:
            end_sessions(connection, person)

    def of(self, person: PersonId, at: datetime) -> list[Session]:
        """Return the sessions of ``person`` that are not over, newest first."""
        query = select(SESSIONS).where(SESSIONS.c.person == person, ~_is_over(at))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(SESSIONS.c.began_at.desc())).mappings()
            return [
                Session(
                    row["hash"][:ID_CHARACTERS],
                    row["began_at"],
                    row["seen_at"],
                    row["with_second_factor"],
                )
                for row in rows
            ]


def end_sessions(connection: Connection, person: PersonId) -> None:
    """Sign ``person`` out everywhere, as when their password changes or they may not come in."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.person == person))


def roles_of(connection: Connection, person: PersonId) -> Sequence[Role]:
    """Return which roles ``person`` has."""
    query = select(HOLDS.c.role).where(HOLDS.c.person == person).order_by(HOLDS.c.role)
    return [Role(role) for role in connection.execute(query).scalars()]


def _is_over(at: datetime) -> ColumnElement[bool]:
    return (SESSIONS.c.seen_at <= at - IDLE) | (SESSIONS.c.began_at <= at - LONGEST)


def _row(connection: Connection, digest: str, at: datetime) -> RowMapping | None:
    query = (
        select(SESSIONS, PERSONS.c.donor, PERSONS.c.sale)
        .join(PERSONS, PERSONS.c.person == SESSIONS.c.person)
        .where(SESSIONS.c.hash == digest, ~_is_over(at), PERSONS.c.disabled_at.is_(None))
    )
    return connection.execute(query).mappings().first()


def _signed_in(row: RowMapping, roles: Iterable[Role]) -> SignedIn:
    held = frozenset(roles)
    lacking = frozenset() if row["with_second_factor"] else held & SECOND_FACTOR_ROLES
    caller = Caller(
        person=PersonId(row["person"]),
        roles=held - lacking,
        donor=None if row["donor"] is None else DonorId(UUID(row["donor"])),
        sale=None if row["sale"] is None else SaleId(UUID(row["sale"])),
    )
    session = row["hash"][:ID_CHARACTERS]
    return SignedIn(caller, session, row["with_second_factor"], lacking)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
