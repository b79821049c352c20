"""The tables of views: created when there are none, and made anew for another version's views."""

from __future__ import annotations

from zlib import crc32

from sqlalchemy import Engine

from ledger.store.engine import changing_tables, creation
from ledger.store.schema import POSTGRESQL, SchemaError, set_version, version_of
from projections.kernel.view import METADATA


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
        existing = version_of(connection.exec_driver_sql, dialect)
        if existing == version:
            return []
        if existing and not upgrade and dialect == POSTGRESQL:
            raise OtherViews
        METADATA.drop_all(connection)
        for statement in statements:
            connection.exec_driver_sql(statement)
        set_version(connection.exec_driver_sql, dialect, version)
    done = "made anew" if existing else "created"
    return [f"{done} views: tables that are filled from the history"]


class OtherViews(SchemaError):
    """Views are read by the program that wrote them."""

    def __init__(self) -> None:
        super().__init__(
            "views have the tables of another version of this program;"
            " stop every server and run leifeng migrate"
        )
