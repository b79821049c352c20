"""Storage of events: their stored form, the transaction that stores them, and the committer."""

from __future__ import annotations

from pathlib import Path

from ledger.kernel.tallies import UNBOUNDED, Bounds
from ledger.store.engine import is_url
from ledger.store.postgres import PostgresStore
from ledger.store.recorder import Store
from ledger.store.schema import EVENTS, Schema
from ledger.store.sqlite import SqliteStore


def open_store(
    where: Path | str,
    *,
    writes: bool = True,
    upgrade: bool = False,
    schema: Schema = EVENTS,
    bounds: Bounds = UNBOUNDED,
) -> Store:
    """Open the store at ``where``: a file, or the URL of a PostgreSQL database.

    Args:
        where: Of the store.
        writes: Commands may be stored.
        upgrade: Older tables may be changed where other processes may be writing; a file has
            one writer, and so is always brought up by it.
        schema: The tables that there ought to be.
        bounds: Of the tallies that commands change. Whoever gives none only reads, or stores
            what another store held.

    """
    if is_url(where):
        return PostgresStore(
            str(where), writes=writes, upgrade=upgrade, schema=schema, bounds=bounds
        )
    return SqliteStore(Path(where), writes=writes, schema=schema, bounds=bounds)
