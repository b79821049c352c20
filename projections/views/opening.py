"""Opens the database of views, whose tables are those of every view that is kept."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

import projections.views.every  # noqa: F401  # So that all tables are known, not some.
from ledger.store.engine import engine_at
from projections.kernel.tables import prepare_views
from projections.kernel.view import METADATA


def open_views(where: Path | str) -> Engine:
    """Open the database of views. They may be lost and made again, so they need not be durable."""
    engine = engine_at(where, schema="views", durable=False)
    try:
        prepare_views(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade_views(where: Path | str) -> list[str]:
    """Make the tables of this program's views in place of any others; return what was done."""
    engine = engine_at(where, schema="views", durable=False)
    try:
        return prepare_views(engine, upgrade=True)
    finally:
        engine.dispose()


def prepare_unread(engine: Engine) -> None:
    """Create the tables of all views as ``prepare_views`` does, without what only readers need.

    Indexes cost more to keep than the rows themselves, and less if made of all rows at once.
    """
    prepare_views(engine)
    with engine.begin() as connection:
        for table in METADATA.tables.values():
            for index in table.indexes:
                index.drop(connection)
