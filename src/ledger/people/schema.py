"""How the register of people came to have the tables that it has."""

from __future__ import annotations

from ledger.store.schema import POSTGRESQL, SQLITE, Migration, Schema

PLAIN_PERSONS, PLAIN_PARTIES = "plain_persons", "plain_parties"
"""What version 1 kept in plain text, until ``ledger.people.plain`` has sealed it."""


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

PEOPLE = Schema("people and tokens", (_TABLES_1, _TABLES_2))
"""The register."""
