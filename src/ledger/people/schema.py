"""How the register of people came to have the tables that it has."""

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

PEOPLE = Schema("people and tokens", (_TABLES_1, _TABLES_2, _TABLES_3))
"""The register."""
