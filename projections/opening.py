"""The database of views: made when there is none, and made anew for another version's views."""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

from sqlalchemy import Engine

import projections.every_view  # noqa: F401  # So that all tables are known, not some.
from ledger.store.engine import changing_tables, creation, engine_at
from ledger.store.schema import POSTGRESQL, SchemaError, set_version, version_of
from projections.views import METADATA


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


def prepare_views(engine: Engine, *, upgrade: bool = False) -> list[str]:
    """Create the tables of all views; return in lines what was done.

    Their version is a checksum of their statements. Tables of any other are dropped and made
    anew, for the follower to fill from the history: views are worth no migration of their own.

    Args:
        engine: Of the database.
        upgrade: Other tables may be dropped; those in a file always are.

    """
    dialect = engine.dialect.name
    statements = creation(METADATA)[dialect]
    version = crc32("\n".join(statements).encode())
    with changing_tables(engine) as connection:
        found = version_of(connection.exec_driver_sql, dialect)
        if found == version:
            return []
        if found and not upgrade and dialect == POSTGRESQL:
            raise OtherViews
        METADATA.drop_all(connection)
        for statement in statements:
            connection.exec_driver_sql(statement)
        set_version(connection.exec_driver_sql, dialect, version)
    done = "made anew" if found else "created"
    return [f"{done} views: tables that are filled from the history"]


def prepare_unread(engine: Engine) -> None:
    """Create the tables of all views as ``prepare_views`` does, without what only readers need.

    Indexes cost more to keep than the rows themselves, and less if made of all rows at once.
    """
    prepare_views(engine)
    with engine.begin() as connection:
        for table in METADATA.tables.values():
            for index in table.indexes:
                index.drop(connection)


class OtherViews(SchemaError):
    """Views are read by the program that wrote them."""

    def __init__(self) -> None:
        super().__init__(
            "views have the tables of another version of this program;"
            " stop every server and run leifeng migrate"
        )
