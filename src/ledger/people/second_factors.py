"""The second factor: a code that an application shows for 30 seconds (TOTP, RFC 6238).

The secret is sealed in the vault with the key of its person. A code is taken once. For a lost
telephone there are recovery codes, each good once; when those are lost too, an admin invites the
person anew.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import pyotp
from sqlalchemy import Connection, delete, select

from ledger.kernel.errors import Refused
from ledger.kernel.names import PartyId, PersonId
from ledger.people.database import PeopleDatabase
from ledger.people.tables import RECOVERY_CODES, SECOND_FACTORS
from ledger.people.vault import Vault

FIELD = "second-factor"

STEP_S = 30

DRIFT_STEPS = 1
"""Steps that a telephone's clock may be early or late (RFC 6238 §5.2)."""

RECOVERY_COUNT = 10
RECOVERY_BYTES = 10

ISSUER = "Lei Feng e-supermarket"
"""What the application shows the code under."""


class CodeWrong(Refused):
    """A code is the one that the application shows now, and is taken once."""

    says = "wait for the next code, and check the clock of your phone"


class HasSecondFactor(Refused):
    """A second factor is taken away before another is set up."""

    says = "a second factor is already set up"


class SecondFactors:
    """The second factors that people set up."""

    def __init__(self, database: PeopleDatabase, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def has(self, person: PersonId) -> bool:
        """Say whether ``person`` has one, set up to the end."""
        with self._database.reading() as connection:
            return _is_confirmed(connection, person)

    def begin(self, person: PersonId) -> str:
        """Return the secret that an application is given, in base32; it counts once confirmed."""
        secret = pyotp.random_base32()
        with self._database.writing() as connection:
            if _is_confirmed(connection, person):
                raise HasSecondFactor
            _forget(connection, person)
            self._vault.put_field(connection, PartyId(person), FIELD, secret)
            connection.execute(SECOND_FACTORS.insert(), {"person": person, "last_step": 0})
        return secret

    def confirm(self, person: PersonId, code: str, at: datetime) -> Sequence[str]:
        """Have it count from now on, as its code is right; return the recovery codes, this once."""
        with self._database.writing() as connection:
            if _is_confirmed(connection, person):
                raise HasSecondFactor
            if not self._is_code(connection, person, code, at):
                raise CodeWrong
            whose = SECOND_FACTORS.c.person == person
            connection.execute(SECOND_FACTORS.update().where(whose).values(confirmed_at=at))
            codes = [_recovery_code() for _ in range(RECOVERY_COUNT)]
            rows = [{"person": person, "hash": _hash(each)} for each in codes]
            connection.execute(RECOVERY_CODES.insert(), rows)
        return codes

    def is_shown(self, person: PersonId, code: str, at: datetime) -> bool:
        """Say whether ``code`` is right: what the application shows, or a recovery code.

        Either is used up by that.
        """
        text = "".join(code.split()).lower()
        with self._database.writing() as connection:
            if not _is_confirmed(connection, person):
                return False
            return self._is_code(connection, person, text, at) or _is_recovery(
                connection, person, text
            )

    def remove(self, person: PersonId) -> None:
        """Take it away, with its recovery codes."""
        with self._database.writing() as connection:
            _forget(connection, person)

    def _is_code(self, connection: Connection, person: PersonId, code: str, at: datetime) -> bool:
        query = select(SECOND_FACTORS.c.last_step).where(SECOND_FACTORS.c.person == person)
        last: int | None = connection.execute(query).scalar()
        secret = self._vault.field(connection, PartyId(person), FIELD)
        if last is None or secret is None:
            return False
        now = int(at.timestamp()) // STEP_S
        for step in range(max(last + 1, now - DRIFT_STEPS), now + DRIFT_STEPS + 1):
            expected = pyotp.TOTP(secret, interval=STEP_S).generate_otp(step)
            if hmac.compare_digest(expected.encode(), code.encode()):
                whose = SECOND_FACTORS.c.person == person
                connection.execute(SECOND_FACTORS.update().where(whose).values(last_step=step))
                return True
        return False


def address_of(secret: str, name: str) -> str:
    """Return what an application reads out of the picture (otpauth)."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=name, issuer_name=ISSUER)


def _is_confirmed(connection: Connection, person: PersonId) -> bool:
    query = select(SECOND_FACTORS.c.confirmed_at).where(SECOND_FACTORS.c.person == person)
    return connection.execute(query).scalar() is not None


def _is_recovery(connection: Connection, person: PersonId, code: str) -> bool:
    used = delete(RECOVERY_CODES).where(
        RECOVERY_CODES.c.person == person, RECOVERY_CODES.c.hash == _hash(code)
    )
    return connection.execute(used).rowcount == 1


def _recovery_code() -> str:
    return b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower()


def _hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()


def _forget(connection: Connection, person: PersonId) -> None:
    for table in (SECOND_FACTORS, RECOVERY_CODES):
        connection.execute(delete(table).where(table.c.person == person))
