"""Passwords, and the invitations by which people choose their first one.

argon2id with the library's parameters (RFC 9106, low memory). What counts is length (NIST SP
800-63B): no rule asks for digits or signs, and none has a password changed every so often.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from sqlalchemy import Connection, delete, select

from ledger.kernel.errors import Invalid, Overloaded, Refused
from ledger.kernel.names import PersonId
from ledger.people.database import PeopleDatabase
from ledger.people.sessions import end_sessions
from ledger.people.tables import IDENTITIES, INVITATIONS, PASSWORDS, PERSONS

LENGTH_MIN = 12
LENGTH_MAX = 200
"""Characters of a password."""

INVITED_FOR = timedelta(days=7)

AT_ONCE = 2
"""Passwords that are looked at together: each takes 64 MiB and a tenth of a second."""

WAITS_S = 5.0
"""Seconds that somebody waits for their turn."""

_ARGON2 = PasswordHash.recommended()

_turns = BoundedSemaphore(AT_ONCE)


class InvitationOver(Refused):
    """An invitation is good once, and for seven days."""

    says = "this invitation was used or has expired"


class PasswordWrong(Refused):
    """Who changes a password knows the old one."""

    says = "the current password is wrong"


class Passwords:
    """The passwords that people chose."""

    def __init__(self, database: PeopleDatabase) -> None:
        self._database = database

    @cached_property
    def _nobodys(self) -> str:
        """A hash to check against when the name is unknown, so that this takes as long."""
        return _ARGON2.hash(secrets.token_urlsafe(32))

    def is_of(self, person: PersonId | None, password: str) -> bool:
        """Check the password of ``person``, in the same time if the person is unknown."""
        with self._database.reading() as connection:
            kept = None if person is None else _kept(connection, person)
        with _in_turn():
            text = _normal(password)[:LENGTH_MAX]
            right, better = _ARGON2.verify_and_update(text, kept or self._nobodys)
        if kept is None or not right:
            return False
        if better is not None and person is not None:  # The library's parameters have grown.
            with self._database.writing() as connection:
                whose = PASSWORDS.c.person == person
                connection.execute(PASSWORDS.update().where(whose).values(hash=better))
        return True

    def has(self, person: PersonId) -> bool:
        """Say whether ``person`` has a password."""
        with self._database.reading() as connection:
            return _kept(connection, person) is not None

    def choose(self, person: PersonId, password: str, at: datetime) -> None:
        """Have ``person`` sign in with ``password`` from now on, and sign them out everywhere."""
        made = _made(password)
        with self._database.writing() as connection:
            _put(connection, person, made, at)

    def invite(self, person: PersonId, at: datetime) -> str:
        """Return a code by which ``person`` chooses a password; earlier ones are void."""
        code = secrets.token_urlsafe(32)
        row = {"hash": _hash(code), "person": person, "expires_at": at + INVITED_FOR}
        with self._database.writing() as connection:
            connection.execute(delete(INVITATIONS).where(INVITATIONS.c.person == person))
            connection.execute(INVITATIONS.insert(), row)
        return code

    def invited(self, code: str, at: datetime) -> PersonId:
        """Return who was invited by ``code``."""
        with self._database.reading() as connection:
            return invited_in(connection, code, at)

    def accept(self, code: str, password: str, at: datetime) -> PersonId:
        """Have whoever was invited by ``code`` choose a password; the code is used up by that."""
        self.invited(code, at)  # Before any work is done for a stranger.
        made = _made(password)
        with self._database.writing() as connection:
            person = invited_in(connection, code, at)
            connection.execute(delete(INVITATIONS).where(INVITATIONS.c.person == person))
            _put(connection, person, made, at)
        return person


def _made(password: str) -> str:
    text = _normal(password)
    if not LENGTH_MIN <= len(text) <= LENGTH_MAX:
        raise Invalid(
            "password",
            "must be {least} to {most} characters long",
            least=LENGTH_MIN,
            most=LENGTH_MAX,
        )
    with _in_turn():
        return _ARGON2.hash(text)


def _normal(password: str) -> str:
    """Return a password as any keyboard writes it (NFKC)."""
    return unicodedata.normalize("NFKC", password)


@contextmanager
def _in_turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAITS_S):
        raise Overloaded("too many are signing in; try again in a moment")
    try:
        yield
    finally:
        _turns.release()


def _kept(connection: Connection, person: PersonId) -> str | None:
    query = select(PASSWORDS.c.hash).where(PASSWORDS.c.person == person)
    kept: str | None = connection.execute(query).scalar()
    return kept


def _put(connection: Connection, person: PersonId, made: str, at: datetime) -> None:
    for table in (PASSWORDS, IDENTITIES):  # One way to sign in, of which the newest counts.
        connection.execute(delete(table).where(table.c.person == person))
    connection.execute(PASSWORDS.insert(), {"person": person, "hash": made, "set_at": at})
    end_sessions(connection, person)


def invited_in(connection: Connection, code: str, at: datetime) -> PersonId:
    """Return who was invited by ``code``, within a transaction."""
    query = (
        select(INVITATIONS.c.person)
        .join(PERSONS, PERSONS.c.person == INVITATIONS.c.person)
        .where(INVITATIONS.c.hash == _hash(code), INVITATIONS.c.expires_at > at)
        .where(PERSONS.c.disabled_at.is_(None))
    )
    person: str | None = connection.execute(query).scalar()
    if person is None:
        raise InvitationOver
    return PersonId(person)


def _hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()
