"""Seals what version 1 of the register kept in plain text, and takes the plain text away."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Connection, MetaData, String, Table, inspect, select

from ledger.kernel.names import PartyId
from ledger.people.database import PeopleDatabase
from ledger.people.schema import PLAIN_PARTIES, PLAIN_PERSONS
from ledger.people.tables import PERSONS
from ledger.people.vault import NAME, Vault
from ledger.store.schema import POSTGRESQL

_METADATA = MetaData()

_PERSONS = Table(
    PLAIN_PERSONS,
    _METADATA,
    Column("person", String, primary_key=True),
    Column("name", String, nullable=False),
)

_PARTIES = Table(
    PLAIN_PARTIES,
    _METADATA,
    Column("party", String, primary_key=True),
    Column("details", JSON, nullable=False),
)


def seal_plain(connection: Connection, vault: Vault) -> list[str]:
    """Seal every row of version 1, in the transaction that made version 2.

    PostgreSQL drops the tables with their files at once. In a file of SQLite they are left empty
    until ``take_away`` has written it anew, so that this is made up for after a crash.
    """
    if not _are_there(connection):
        return []
    persons = connection.execute(select(_PERSONS)).all()
    parties = connection.execute(select(_PARTIES)).all()
    for person, name in persons:
        digest = vault.name_digest(connection, name)
        connection.execute(PERSONS.insert(), {"person": person, "name_digest": digest})
        vault.put(connection, PartyId(person), {NAME: name})
    for party, details in parties:
        vault.put(connection, PartyId(party), details)
    for table in _METADATA.sorted_tables:
        if connection.dialect.name == POSTGRESQL:
            table.drop(connection)
        else:
            connection.execute(table.delete())
    sealed = len(persons) + len(parties)
    return [f"sealed what was kept of {sealed:,} people"] if sealed else []


def take_away(database: PeopleDatabase) -> None:
    """Write a file anew in which plain text has been, then drop the tables that it was in."""
    with database.reading() as connection:
        if not _are_there(connection):
            return
    database.rewrite()
    with database.writing() as connection:
        _METADATA.drop_all(connection)


def has_plain(connection: Connection) -> bool:
    """Say whether anything in the register is still to be sealed."""
    return _are_there(connection) and any(
        connection.execute(select(table).limit(1)).first() for table in _METADATA.sorted_tables
    )


def _are_there(connection: Connection) -> bool:
    return inspect(connection).has_table(PLAIN_PARTIES)
