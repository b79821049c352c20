"""Databases beside the event store, for what can be looked up or made again: people and views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Dialect, Engine, MetaData, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger.store.outage import settings
from ledger.store.postgres import WRITERS
from ledger.store.schema import POSTGRESQL, SQLITE, Schema, migrate

BUSY_TIMEOUT_S = 10

ALONE = "alone"
"""Execution option of a transaction that will write: no other writer is let in beside it."""


def is_url(where: Path | str) -> bool:
    """Say whether ``where`` is the URL of a PostgreSQL database, and not a file."""
    return isinstance(where, str) and where.startswith(("postgresql://", "postgres://"))


def engine_at(where: Path | str, *, schema: str, durable: bool) -> Engine:
    """Open a database.

    Args:
        where: A file of its own, or the URL of the PostgreSQL database that it shares.
        schema: The PostgreSQL schema to keep its tables in; a file needs none.
        durable: A commit waits for the disk. What can be made again need not.

    """
    if is_url(where):
        return _postgres(str(where), schema, durable=durable)
    engine = create_engine(f"sqlite:///{where}", connect_args={"timeout": BUSY_TIMEOUT_S})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # Transactions begin below, for tables as for rows.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        alone = connection.get_execution_options().get(ALONE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if alone else "BEGIN")

    return engine


def _postgres(url: str, schema: str, *, durable: bool) -> Engine:
    said = settings(
        url,
        f"-c search_path={schema} -c synchronous_commit={'on' if durable else 'off'}"
        " -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
    )
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(**said), pool_pre_ping=True
    )
    with changing_tables(engine) as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    return engine


@contextmanager
def changing_tables(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that no other process is in that would change tables, too."""
    with engine.execution_options(**{ALONE: True}).begin() as connection:
        if connection.dialect.name == POSTGRESQL:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITERS})")
        yield connection


def prepare(engine: Engine, schema: Schema, *, upgrade: bool = False) -> list[str]:
    """Create the tables of ``schema``, or bring them up; return in lines what was done.

    Args:
        engine: Of the database.
        schema: The tables that there ought to be.
        upgrade: Older tables may be changed; those in a file always are.

    """
    dialect = engine.dialect.name
    with changing_tables(engine) as connection:
        run = connection.exec_driver_sql
        return migrate(run, dialect, schema, upgrade=upgrade or dialect == SQLITE)


def creation(metadata: MetaData) -> dict[str, tuple[str, ...]]:
    """Return the statements that create the tables of ``metadata``, by dialect."""
    return {name: tuple(_creation(metadata, make())) for name, make in _DIALECTS.items()}


def _creation(metadata: MetaData, dialect: Dialect) -> Iterator[str]:
    for table in metadata.sorted_tables:
        yield str(CreateTable(table, if_not_exists=True).compile(dialect=dialect))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect))


_DIALECTS: Mapping[str, Callable[[], Dialect]] = {
    SQLITE: sqlite.dialect,
    POSTGRESQL: postgresql.dialect,
}
