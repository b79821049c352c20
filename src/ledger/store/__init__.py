"""How events are kept: their stored form, the transaction that stores them, and who runs it."""

from __future__ import annotations

from pathlib import Path

from ledger.store.engine import is_url
from ledger.store.postgres import PostgresStore
from ledger.store.recorder import Store
from ledger.store.sqlite import SqliteStore


def open_store(where: Path | str, *, writes: bool = True) -> Store:
    """Open the store at ``where``: a file, or the URL of a PostgreSQL database."""
    if is_url(where):
        return PostgresStore(str(where), writes=writes)
    return SqliteStore(Path(where), writes=writes)
