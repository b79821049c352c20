"""Moves the log from one database to another: its tiles, and every checkpoint of it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, select

from ledger.store.copying import NotEmpty
from ledger.store.engine import in_order
from projections.log.tables import ALL, adding, open_log

PAGE = 1_000


def copy_log(source: Path | str, target: Path | str) -> str:
    """Fill the log at ``target``, which is empty; return the SHA-256 of all its rows.

    The secret key does not go along: it is carried by hand, with what was signed last beside it.
    """
    reading, writing = open_log(source), open_log(target)
    try:
        with adding(reading) as old, adding(writing) as new:
            for table in ALL:
                if new.execute(select(table).limit(1)).first() is not None:
                    raise NotEmpty("the log")
                query = select(table).order_by(*in_order(table, old.dialect.name))
                rows = old.execute(query.execution_options(yield_per=PAGE)).mappings()
                for page in rows.partitions():
                    new.execute(table.insert(), [dict(row) for row in page])
            return _digest(old)
    finally:
        reading.dispose()
        writing.dispose()


def digest_log(where: Path | str) -> str:
    """Return the SHA-256 of all rows of the log at ``where``."""
    engine = open_log(where)
    try:
        with engine.connect() as connection:
            return _digest(connection)
    finally:
        engine.dispose()


def _digest(connection: Connection) -> str:
    digest = sha256()
    for table in ALL:
        order = in_order(table, connection.dialect.name)
        for row in connection.execute(select(table).order_by(*order)):
            for value in row:
                content = value if isinstance(value, bytes) else str(value).encode()
                digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()
