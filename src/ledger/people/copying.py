"""Moves the register of people from one database to another, sealed as it is.

No key is needed for that, and none is moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, func, select

from ledger.people.plain import has_plain
from ledger.people.schema import PEOPLE, SEALED_FROM
from ledger.people.tables import CHANGES, METADATA, REFUSALS, VAULT
from ledger.store.copying import NotEmpty
from ledger.store.engine import changing_tables, engine_at, in_order, prepare
from ledger.store.schema import POSTGRESQL, SchemaError, check, migrate, version_of

PAGE = 1_000


class NotSealed(SchemaError):
    """Details are moved sealed, or not at all."""

    def __init__(self) -> None:
        super().__init__("the register of people is not sealed yet; run leifeng migrate")


_encode = msgspec.json.Encoder(order="sorted").encode


def copy_people(source: Path | str, target: Path | str) -> str:
    """Fill the register at ``target``, which is empty; return the SHA-256 of all its rows."""
    reading = engine_at(source, schema="people", durable=True)
    writing = engine_at(target, schema="people", durable=True)
    try:
        _make_if_absent(reading)
        prepare(writing, PEOPLE)
        with reading.connect() as old, changing_tables(writing) as new:
            if has_plain(old):
                raise NotSealed
            if any(True for table in METADATA.sorted_tables for _ in _rows(new, table)):
                raise NotEmpty("the register of people")
            for table in METADATA.sorted_tables:
                for rows in _pages(old, table):
                    new.execute(table.insert(), rows)
            _go_on_counting(new)
            return _digest(old)
    finally:
        reading.dispose()
        writing.dispose()


def digest_people(where: Path | str) -> str:
    """Return the SHA-256 of all rows of the register at ``where``."""
    engine = engine_at(where, schema="people", durable=True)
    try:
        with engine.connect() as connection:
            return _digest(connection)
    finally:
        engine.dispose()


def sealed_under(where: Path | str) -> str | None:
    """Return the id of the key that the register at ``where`` is sealed under, if it is sealed."""
    engine = engine_at(where, schema="people", durable=True)
    try:
        with engine.connect() as connection:
            if version_of(connection.exec_driver_sql, connection.dialect.name) < SEALED_FROM:
                return None
            return connection.execute(select(VAULT.c.kek)).scalar()
    finally:
        engine.dispose()


def _make_if_absent(engine: Engine) -> None:
    """Create an empty people database if there is none; refuse one of an older version."""
    with changing_tables(engine) as connection:
        run, dialect = connection.exec_driver_sql, connection.dialect.name
        if version_of(run, dialect):
            check(run, dialect, PEOPLE)
        else:
            migrate(run, dialect, PEOPLE, upgrade=False)


def _digest(connection: Connection) -> str:
    digest = sha256()
    for table in METADATA.sorted_tables:
        for row in _rows(connection, table):
            digest.update(_encode([f"{table.name}", [*row.values()]]))
    return digest.hexdigest()


def _pages(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """Return the rows of ``table`` in the order of their keys, which is everywhere the same."""
    order = in_order(table, connection.dialect.name)
    query = select(table).order_by(*order).execution_options(yield_per=PAGE)
    for page in connection.execute(query).mappings().partitions():
        yield [dict(row) for row in page]


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    for page in _pages(connection, table):
        yield from page


def _go_on_counting(connection: Connection) -> None:
    """Advance PostgreSQL's sequences past the numbers of the copied rows."""
    for table in (CHANGES, REFUSALS):
        last = connection.execute(select(func.max(table.c.number))).scalar()
        if connection.dialect.name == POSTGRESQL and last is not None:
            sequence = func.pg_get_serial_sequence(table.name, table.c.number.name)
            connection.execute(select(func.setval(sequence, last)))
