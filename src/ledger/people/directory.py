"""The register of people: who an opaque id is, and whose token is whose.

It stands apart from the history, in a file of its own, so that a person can be taken out of it and
so that a token can be made while the ledger is being written. Tokens are kept as SHA-256 only: they
are 256 random bits, which no dictionary holds.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, cast
from uuid import UUID

from msgspec import Struct
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Date,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    RowMapping,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.exc import OperationalError

from ledger.names import DonorId, PartyId, PersonId, SaleId, new_id
from ledger.people.roles import Role
from ledger.store.commits import StoreFailed
from ledger.store.engine import ALONE, creation, engine_at, is_url, prepare
from ledger.store.schema import Migration, Schema

METADATA = MetaData()


class Instant(TypeDecorator[datetime]):
    """A moment, in UTC also where the database knows no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # Named by SQLAlchemy.
        """Return what is kept."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # Named by SQLAlchemy.
        """Return what was kept."""
        if value is None or value.tzinfo is not None:
            return None if value is None else value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


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
    Column("created_at", Instant, nullable=False),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
)
"""A row each time a token is made or changed, so that nobody trusts what they remember of it."""

PARTIES = Table(
    "parties",
    METADATA,
    Column("party", String, primary_key=True),
    Column("details", JSON, nullable=False),
)
"""Donors, payees and those who sign for money: what they told us about themselves."""

_PEOPLE_1 = Migration("tables for persons, tokens and parties", creation(METADATA))
"""Written out here as its tables are, until there is a release."""

REFUSALS = Table(
    "refusals",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("day", Date, nullable=False),
    Column("kind", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("person", String, nullable=False),
    Column("route", String, nullable=False),
    Column("about", String, nullable=False),
    Column("times", BigInteger, nullable=False),
    UniqueConstraint("day", "person", "kind", "rule", "route", "about"),
)
"""How often who tried what they may not; see ``ledger.people.refusals``."""

_PEOPLE_2 = Migration("a table for refused attempts", creation(METADATA, [REFUSALS]))

PEOPLE = Schema("people and tokens", (_PEOPLE_1, _PEOPLE_2))
"""The register."""

NEAR_LOOKS_S = 0.02
FAR_LOOKS_S = 1.0
"""Seconds for which a file, or a far database, is not asked again whether another process changed
a token. What this process changes it knows at once, and a token that is new is always looked up.
"""

TRUSTED_S = 30.0
"""Seconds for which tokens looked up before are still taken while the register is away."""

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
    """The register, in a database of its own.

    Attributes:
        is_local: Asking takes microseconds, so it may be done between two requests.

    """

    def __init__(
        self,
        where: Path | str,
        *,
        upgrade: bool = False,
        looks_s: float | None = None,
        trusted_s: float = TRUSTED_S,
    ) -> None:
        """Open the register at ``where``.

        Args:
            where: A file, or the URL of a PostgreSQL database.
            upgrade: Older tables of a database may be changed; a file is always brought up.
            looks_s: See ``NEAR_LOOKS_S`` and ``FAR_LOOKS_S``, one of which it is otherwise.
            trusted_s: See ``TRUSTED_S``.

        """
        self._engine = engine_at(where, schema="people", durable=True)
        try:
            self.said = prepare(self._engine, PEOPLE, upgrade=upgrade)
        except BaseException:
            self._engine.dispose()
            raise
        self.is_local = not is_url(where)
        self._watch = None if is_url(where) else self._engine.raw_connection()
        usual_s = FAR_LOOKS_S if is_url(where) else NEAR_LOOKS_S
        self._looks_s = usual_s if looks_s is None else looks_s
        self._trusted_s = trusted_s
        self._looked = self._tried = -inf
        self._away: StoreFailed | None = None
        self._lock = Lock()
        self._seen: int | None = None
        self._callers: dict[str, Caller | None] = {}

    def close(self) -> None:
        """Let go of the database."""
        if self._watch is not None:
            self._watch.close()
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open a transaction that nobody's write comes between, from its first look on."""
        with _told(), self._engine.execution_options(**{ALONE: True}).begin() as connection:
            yield connection

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
        with self._writing() as connection:
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
        self._tried = -inf  # So that this process looks at once.
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
        """Forget what was looked up if any token changed since; ask a far database now and then.

        A far database that is away for a moment has no news.
        """
        now = monotonic()
        if now - self._tried >= self._looks_s:
            self._tried = now
            try:
                self._take_note(self._newest_change())
            except StoreFailed as error:
                self._away = error
            else:
                self._looked, self._away = now, None
        if self._away is not None and now - self._looked > self._trusted_s:
            raise self._away

    def _take_note(self, changes: int | None) -> None:
        if changes != self._seen:
            self._callers.clear()
            self._seen = changes

    def _newest_change(self) -> int | None:
        if self._watch is None:
            with self._reading() as connection:
                return connection.execute(select(func.max(CHANGES.c.number))).scalar()
        cursor = self._watch.cursor()
        cursor.execute("SELECT max(number) FROM changes")
        (changes,) = cursor.fetchone() or (None,)
        cursor.close()
        return cast("int | None", changes)

    def _find(self, digest: str) -> Caller | None:
        with self._reading() as connection:
            row = (
                connection.execute(select(TOKENS).where(TOKENS.c.hash == digest)).mappings().first()
            )
        return None if row is None else _caller(row)

    def callers(self, name: str) -> list[Caller]:
        """Return what each token of the person called ``name`` makes of them; none if unknown."""
        asked = select(TOKENS).join(PERSONS, PERSONS.c.person == TOKENS.c.person)
        with self._reading() as connection:
            rows = connection.execute(asked.where(PERSONS.c.name == name)).mappings()
            return [_caller(row) for row in rows]

    def is_donor(self, person: PersonId, donor: DonorId, *, at: datetime) -> None:
        """Note that ``person``, who registered themselves, is ``donor``."""
        with self._writing() as connection:
            connection.execute(CHANGES.insert(), {"at": at})
            connection.execute(
                TOKENS.update()
                .where(TOKENS.c.person == person, TOKENS.c.donor.is_(None))
                .values(donor=str(donor))
            )
        self._tried = -inf  # So that this process looks at once.

    def keep(self, party: PartyId, details: dict[str, Any]) -> PartyId:
        """Keep what somebody told us about themselves, under their opaque id."""
        with self._writing() as connection:
            connection.execute(PARTIES.insert(), {"party": party, "details": details})
        return party

    def forget(self, party: PartyId) -> None:
        """Drop what is kept of ``party``."""
        with self._writing() as connection:
            connection.execute(PARTIES.delete().where(PARTIES.c.party == party))

    def details(self, party: PartyId) -> dict[str, Any] | None:
        """Return what is kept of ``party``."""
        with self._reading() as connection:
            found: dict[str, Any] | None = connection.execute(
                select(PARTIES.c.details).where(PARTIES.c.party == party)
            ).scalar()
        return found


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreFailed(error.orig or error) from error


def _caller(row: RowMapping) -> Caller:
    return Caller(
        person=PersonId(row["person"]),
        roles=frozenset(Role(role) for role in row["roles"]),
        donor=None if row["donor"] is None else DonorId(UUID(row["donor"])),
        sale=None if row["sale"] is None else SaleId(UUID(row["sale"])),
    )


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
