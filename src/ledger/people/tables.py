"""The tables of the register of people.

They stand apart from the history, in a database of their own, so that a person can be taken out of
it and so that a token can be made while the ledger is being written. What a person told us is
sealed; what is clear here says who may do what, and names nobody.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)

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
    Column("name_digest", String, unique=True),
    Column("donor", String),
    Column("sale", String),
    Column("disabled_at", Instant),
)
"""Who may come in. The name is sealed; it is found again by a keyed digest, until it is erased."""

HOLDS = Table(
    "holds",
    METADATA,
    Column("person", String, primary_key=True),
    Column("role", String, primary_key=True),
)
"""Which roles a person has. It follows from the history, and is kept here for the doors."""

PENDING = Table(
    "untold",
    METADATA,
    Column("id", String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("person", String, nullable=False),
    Column("change", String, nullable=False),
    Column("roles", JSON, nullable=False),
)
"""What was changed from the command line and is still to be told to the history."""

TOKENS = Table(
    "tokens",
    METADATA,
    Column("hash", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("donor", String),
    Column("sale", String),
    Column("created_at", Instant, nullable=False),
    Column("name", String),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("used_on", Date),
)
"""Kept as SHA-256 only: tokens are 256 random bits, which no dictionary holds."""

CHANGES = Table(
    "changes",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
)
"""A row each time a token is made or changed, so that nobody trusts what they remember of it."""

VAULT = Table(
    "vault",
    METADATA,
    Column("one", Integer, primary_key=True),
    Column("kek", String, nullable=False),
)
"""One row: under which key-encryption key a new data key is wrapped."""

DATA_KEYS = Table(
    "data_keys",
    METADATA,
    Column("party", String, primary_key=True),
    Column("kek", String, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
)
"""The key of each person, and under which key-encryption key it is wrapped."""

SEALED = Table(
    "sealed",
    METADATA,
    Column("party", String, primary_key=True),
    Column("field", String, primary_key=True),
    Column("box", LargeBinary, nullable=False),
)
"""What each person told us, sealed field by field: donors, payees, who signs, who has tokens."""

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

PASSWORDS = Table(
    "passwords",
    METADATA,
    Column("person", String, primary_key=True),
    Column("hash", String, nullable=False),
    Column("set_at", Instant, nullable=False),
)
"""What a person signs in with, as argon2id makes it."""

SECOND_FACTORS = Table(
    "second_factors",
    METADATA,
    Column("person", String, primary_key=True),
    Column("confirmed_at", Instant),
    Column("last_step", Integer, nullable=False),
)
"""Who has one (the secret is sealed), and the last 30 seconds whose code was taken: none twice."""

RECOVERY_CODES = Table(
    "recovery_codes",
    METADATA,
    Column("person", String, primary_key=True),
    Column("hash", String, primary_key=True),
)
"""Each stands in for a second factor once. 80 random bits, kept as SHA-256."""

INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("hash", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
"""Lets a person choose a password, once. 256 random bits, kept as SHA-256."""

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("person", String, primary_key=True),
    Column("digest", String, nullable=False, unique=True),
    Column("bound_at", Instant, nullable=False),
)
"""External identities, by a keyed digest; see ``ledger.people.external_identities``."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("hash", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("with_second_factor", Boolean, nullable=False),
)
"""Who is signed in. What the browser holds is 256 random bits, kept as SHA-256."""
