"""Migrations of the people database."""

from __future__ import annotations

from ledger.store.schema import POSTGRESQL, SQLITE, Migration, Schema

PLAIN_PERSONS, PLAIN_PARTIES = "plain_persons", "plain_parties"
"""What version 1 kept in plain text, until ``ledger.people.plain`` has sealed it."""

SEALED_FROM = 2
"""The first version that keeps what people told us sealed."""


def _plain(number: str, moment: str) -> tuple[str, ...]:
    """Return the statements of version 1, by the words for a row's number and for a moment."""
    return (
        f"""
        CREATE TABLE IF NOT EXISTS changes (
            number {number} NOT NULL, at {moment} NOT NULL, PRIMARY KEY (number)
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS parties (
            party VARCHAR NOT NULL, details JSON NOT NULL, PRIMARY KEY (party)
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS persons (
            person VARCHAR NOT NULL, name VARCHAR NOT NULL, PRIMARY KEY (person), UNIQUE (name)
        )
        """,
        f"""
        CREATE TABLE IF NOT EXISTS tokens (
            hash       VARCHAR NOT NULL,
            person     VARCHAR NOT NULL,
            roles      JSON NOT NULL,
            donor      VARCHAR,
            sale       VARCHAR,
            created_at {moment} NOT NULL,
            PRIMARY KEY (hash)
        )
        """,
    )


def _sealed(blob: str) -> tuple[str, ...]:
    """Return the statements of version 2, by the word for bytes."""
    return (
        f"ALTER TABLE persons RENAME TO {PLAIN_PERSONS}",
        f"ALTER TABLE parties RENAME TO {PLAIN_PARTIES}",
        "CREATE TABLE persons (person VARCHAR NOT NULL PRIMARY KEY, name_digest VARCHAR UNIQUE)",
        "CREATE TABLE vault (one INTEGER PRIMARY KEY CHECK (one = 1), kek VARCHAR NOT NULL)",
        f"""
        CREATE TABLE data_keys (
            party VARCHAR NOT NULL PRIMARY KEY, kek VARCHAR NOT NULL, wrapped {blob} NOT NULL
        )
        """,
        f"""
        CREATE TABLE sealed (
            party VARCHAR NOT NULL,
            field VARCHAR NOT NULL,
            box   {blob} NOT NULL,
            PRIMARY KEY (party, field)
        )
        """,
    )


def _refused(number: str) -> tuple[str, ...]:
    """Return the statement of version 3, by the word for a row's number."""
    return (
        f"""
        CREATE TABLE refusals (
            number {number} NOT NULL,
            day    DATE NOT NULL,
            kind   VARCHAR NOT NULL,
            rule   VARCHAR NOT NULL,
            person VARCHAR NOT NULL,
            route  VARCHAR NOT NULL,
            about  VARCHAR NOT NULL,
            times  BIGINT NOT NULL,
            PRIMARY KEY (number),
            UNIQUE (day, person, kind, rule, route, about)
        )
        """,
    )


def _signed_in(moment: str, roles_of_tokens: str, random_id: str) -> tuple[str, ...]:
    """Return the statements that let people sign in.

    Args:
        moment: The word for a moment.
        roles_of_tokens: What to select ``person`` and ``role`` of each token from.
        random_id: An expression for 128 random bits.

    """
    return (
        "ALTER TABLE persons ADD COLUMN donor VARCHAR",
        "ALTER TABLE persons ADD COLUMN sale VARCHAR",
        f"ALTER TABLE persons ADD COLUMN disabled_at {moment}",
        "ALTER TABLE tokens ADD COLUMN name VARCHAR",
        f"ALTER TABLE tokens ADD COLUMN expires_at {moment}",
        f"ALTER TABLE tokens ADD COLUMN revoked_at {moment}",
        "ALTER TABLE tokens ADD COLUMN used_on DATE",
        """
        CREATE TABLE holds (
            person VARCHAR NOT NULL, role VARCHAR NOT NULL, PRIMARY KEY (person, role)
        )
        """,
        f"""
        CREATE TABLE untold (
            id     VARCHAR NOT NULL PRIMARY KEY,
            at     {moment} NOT NULL,
            person VARCHAR NOT NULL,
            change VARCHAR NOT NULL,
            roles  JSON NOT NULL
        )
        """,
        f"""
        CREATE TABLE passwords (
            person VARCHAR NOT NULL PRIMARY KEY, hash VARCHAR NOT NULL, set_at {moment} NOT NULL
        )
        """,
        f"""
        CREATE TABLE second_factors (
            person       VARCHAR NOT NULL PRIMARY KEY,
            confirmed_at {moment},
            last_step    INTEGER NOT NULL
        )
        """,
        """
        CREATE TABLE recovery_codes (
            person VARCHAR NOT NULL, hash VARCHAR NOT NULL, PRIMARY KEY (person, hash)
        )
        """,
        f"""
        CREATE TABLE invitations (
            hash       VARCHAR NOT NULL PRIMARY KEY,
            person     VARCHAR NOT NULL,
            expires_at {moment} NOT NULL
        )
        """,
        f"""
        CREATE TABLE sessions (
            hash               VARCHAR NOT NULL PRIMARY KEY,
            person             VARCHAR NOT NULL,
            began_at           {moment} NOT NULL,
            seen_at            {moment} NOT NULL,
            with_second_factor BOOLEAN NOT NULL
        )
        """,
        f"INSERT INTO holds (person, role) SELECT DISTINCT person, role FROM {roles_of_tokens}",  # noqa: S608  # Our own words.
        """
        UPDATE persons SET
            donor = (SELECT max(donor) FROM tokens WHERE tokens.person = persons.person),
            sale = (SELECT max(sale) FROM tokens WHERE tokens.person = persons.person)
        """,
        f"""
        INSERT INTO untold (id, at, person, change, roles)
        SELECT {random_id}, min(created_at), person, 'granted',
            (SELECT json_group_array(role) FROM holds WHERE holds.person = tokens.person)
        FROM tokens GROUP BY person
        """,  # noqa: S608  # Our own words.
    )


def _identities(moment: str) -> tuple[str, ...]:
    """Return the statement of version 5, by the word for a moment."""
    return (
        f"""
        CREATE TABLE identities (
            person   VARCHAR NOT NULL PRIMARY KEY,
            digest   VARCHAR NOT NULL UNIQUE,
            bound_at {moment} NOT NULL
        )
        """,
    )


_TABLES_1 = Migration(
    "tables for persons, tokens and parties",
    {
        SQLITE: _plain("INTEGER", "DATETIME"),
        POSTGRESQL: _plain("SERIAL", "TIMESTAMP WITH TIME ZONE"),
    },
)

_TABLES_2 = Migration(
    "details sealed with a key per person",
    {SQLITE: _sealed("BLOB"), POSTGRESQL: _sealed("BYTEA")},
)

_TABLES_3 = Migration(
    "a table for refused attempts",
    {SQLITE: _refused("INTEGER"), POSTGRESQL: _refused("SERIAL")},
)

_TABLES_4 = Migration(
    "roles, tokens that end, and signing in",
    {
        SQLITE: _signed_in(
            "DATETIME",
            "(SELECT person, value AS role FROM tokens, json_each(tokens.roles)) AS each",
            "lower(hex(randomblob(16)))",
        ),
        POSTGRESQL: tuple(
            each.replace("json_group_array", "json_agg")
            for each in _signed_in(
                "TIMESTAMP WITH TIME ZONE",
                "(SELECT person, json_array_elements_text(roles) AS role FROM tokens) AS each",
                "replace(gen_random_uuid()::text, '-', '')",
            )
        ),
    },
)

_TABLES_5 = Migration(
    "signing in at a provider",
    {SQLITE: _identities("DATETIME"), POSTGRESQL: _identities("TIMESTAMP WITH TIME ZONE")},
)

PEOPLE = Schema("people and tokens", (_TABLES_1, _TABLES_2, _TABLES_3, _TABLES_4, _TABLES_5))
"""The register."""
