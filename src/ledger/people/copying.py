"""Moves the register of people from one database to another."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, select

from ledger.people.directory import CHANGES, METADATA, PEOPLE, REFUSALS
from ledger.store.copying import NotEmpty
from ledger.store.engine import changing_tables, engine_at, in_order, prepare
from ledger.store.schema import POSTGRESQL

PAGE = 1_000

_encode = msgspec.json.Encoder(order="sorted").encode


def copy_people(source: Path | str, target: Path | str) -> str:
    """Fill the register at ``target``, which is empty; return the SHA-256 of all its rows."""
    reading = engine_at(source, schema="people", durable=True)
    writing = engine_at(target, schema="people", durable=True)
    try:
        prepare(reading, PEOPLE)
        prepare(writing, PEOPLE)
        with reading.connect() as old, changing_tables(writing) as new:
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


def _digest(connection: Connection) -> str:
    digest = sha256()
    for table in METADATA.sorted_tables:
        for row in _rows(connection, table):
            digest.update(_encode([f"{table.name}", [*row.values()]]))
    return digest.hexdigest()


def _pages(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """Return the rows of ``table`` in the order of their keys, which is everywhere the same."""
    order = in_order(table, connection.dialect.name)
    asked = select(table).order_by(*order).execution_options(yield_per=PAGE)
    for page in connection.execute(asked).mappings().partitions():
        yield [dict(row) for row in page]


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    for page in _pages(connection, table):
        yield from page


def _go_on_counting(connection: Connection) -> None:
    """Have PostgreSQL number what comes next after what was copied with its numbers."""
    for table in (CHANGES, REFUSALS):
        last = connection.execute(select(func.max(table.c.number))).scalar()
        if connection.dialect.name == POSTGRESQL and last is not None:
            sequence = func.pg_get_serial_sequence(table.name, table.c.number.name)
            connection.execute(select(func.setval(sequence, last)))
