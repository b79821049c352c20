"""Databases beside the event store, for what can be looked up or made again: people and views."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex, CreateTable

from ledger.store.outage import settings
from ledger.store.schema import POSTGRESQL, SQLITE, Schema, migrate

BUSY_TIMEOUT_S = 10

DATABASE_TROUBLE = (sqlite3.Error, psycopg.Error, SQLAlchemyError)
"""What goes wrong with a database, whichever it is."""

TABLES = 0x1EF7
"""The advisory lock of whoever changes tables here; that of the store's writers is another."""

ALONE = "alone"
"""Execution option of a transaction that will write: no other writer is let in beside it."""

SCHEMA = "schema"
"""Execution option of an engine on PostgreSQL: where its tables are, and are made."""


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
    engine = create_engine(
        f"sqlite:///{where}", connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # Transactions begin below, for tables as for rows.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        alone = connection.get_execution_options().get(ALONE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if alone else "BEGIN")

    if not durable:
        _keep_to_one_file(engine, where)
    return engine


def _keep_to_one_file(engine: Engine, where: Path | str) -> None:
    """Refuse to use a file that was removed, replaced or truncated, until it is reopened.

    Open connections would not notice, and those opened later would read something else. Nor is it
    opened once more: to SQLite a file cut to nothing is new, and made ready only when everybody
    has let go of it, which those who read it do not.
    """
    opened: list[os.stat_result] = []

    @event.listens_for(engine, "do_connect")
    def _refuse(*_: Any) -> None:
        if opened:
            _the_same(where, opened[0])

    @event.listens_for(engine, "checkout")
    def _compare(*_: Any) -> None:
        opened[:] = [_the_same(where, opened[0] if opened else None)]

    @event.listens_for(engine, "engine_disposed")
    def _forget(_: Engine) -> None:
        with suppress(FileNotFoundError):
            if opened and os.path.samestat(opened[0], Path(where).stat()):
                return
        opened.clear()


def _the_same(where: Path | str, opened: os.stat_result | None) -> os.stat_result:
    """Return the file's state if it is still the file that was opened, and no shorter."""
    try:
        there = os.stat(where)  # noqa: PTH116  # Asked at every read.
    except FileNotFoundError:
        raise sqlite3.DatabaseError(f"{where} was taken away") from None
    if opened is not None and not os.path.samestat(opened, there):
        raise sqlite3.OperationalError(f"{where} was replaced")  # By what may well be used.
    if opened is not None and there.st_size < opened.st_size:
        raise sqlite3.DatabaseError(f"{where} was cut short")
    return there


def discard(engine: Engine) -> None:
    """Take away the file that ``engine`` is for, after what SQLite keeps beside it.

    It is to be disposed of afterwards: until then nobody is let in who would open something else.
    """
    if engine.dialect.name == SQLITE and engine.url.database:
        for kept in ("-wal", "-shm", ""):
            Path(engine.url.database + kept).unlink(missing_ok=True)


def _postgres(url: str, schema: str, *, durable: bool) -> Engine:
    parameters = settings(
        url,
        f"-c search_path={schema} -c synchronous_commit={'on' if durable else 'off'}"
        " -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s",
    )
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(**parameters),
        pool_pre_ping=True,
        execution_options={SCHEMA: schema},
        hide_parameters=True,  # Of a failing statement, which may be what somebody is called.
    )
    with changing_tables(engine):  # Which makes a place for them.
        pass
    return engine


@contextmanager
def changing_tables(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that excludes other processes that change tables."""
    with engine.execution_options(**{ALONE: True}).begin() as connection:
        if connection.dialect.name == POSTGRESQL:
            schema = connection.get_execution_options()[SCHEMA]
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TABLES})")
            connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        yield connection


def nothing(_: Connection) -> list[str]:
    """Do nothing once the tables exist; report nothing."""
    return []


def prepare(
    engine: Engine,
    schema: Schema,
    *,
    upgrade: bool = False,
    then: Callable[[Connection], list[str]] = nothing,
) -> list[str]:
    """Create the tables of ``schema``, or bring them up; return in lines what was done.

    Args:
        engine: Of the database.
        schema: The tables that there ought to be.
        upgrade: Older tables may be changed; those in a file always are.
        then: What statements alone cannot do, in the same transaction.

    """
    dialect = engine.dialect.name
    with changing_tables(engine) as connection:
        run = connection.exec_driver_sql
        notices = migrate(run, dialect, schema, upgrade=upgrade or dialect == SQLITE)
        return notices + then(connection)


def in_order(table: Table, dialect: str) -> list[ColumnElement[Any]]:
    """Return the key of ``table`` to order rows by as Python does, whatever words sort like there.

    A PostgreSQL database sorts text as its locale has it, other databases byte by byte.
    """
    return [
        key.collate("C") if dialect == POSTGRESQL and isinstance(key.type, String) else key
        for key in table.primary_key
    ]


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
