"""Databases beside the event store, for what can be looked up or made again: people and views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text

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
    options = (
        f"-c search_path={schema} -c synchronous_commit={'on' if durable else 'off'}"
        " -c statement_timeout=60s -c lock_timeout=10s"
        " -c idle_in_transaction_session_timeout=60s"
    )
    engine = create_engine(
        f"postgresql+psycopg://{url.partition('://')[2]}",
        pool_pre_ping=True,
        connect_args={"connect_timeout": 3, "options": options},
    )
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
    return engine
