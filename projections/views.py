"""What every view has in common: tables, a position, and how rows are added to.

A view is told each event once, in order, in batches; its rows and the position that it has reached
are written in one transaction, so whatever crashes, each event counts once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite import Insert

from ledger.aggregate import Fact
from ledger.names import Position
from ledger.store.engine import engine_at

METADATA = MetaData()

TRACKING = Table(
    "tracking",
    METADATA,
    Column("view", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
)
"""How far each view has read."""

Batch = Sequence[tuple[Position, Fact]]
"""Events with their places in the ledger, in order."""


class View(ABC):
    """Something that people look at, kept level with the history."""

    name: ClassVar[str]
    tables: ClassVar[tuple[Table, ...]]

    @abstractmethod
    def write(self, connection: Connection, batch: Batch) -> None:
        """Take in the next events."""

    def reached(self, connection: Connection) -> Position:
        """Return the position up to which this view has read."""
        found = connection.execute(
            select(TRACKING.c.position).where(TRACKING.c.view == self.name)
        ).scalar()
        return Position(found or 0)

    def advance(self, connection: Connection, batch: Batch) -> None:
        """Take in ``batch`` and remember how far that was, both or neither."""
        self.write(connection, batch)
        row = {"view": self.name, "position": batch[-1][0]}
        connection.execute(
            _insert(connection, TRACKING)
            .values(row)
            .on_conflict_do_update(index_elements=["view"], set_={"position": row["position"]})
        )

    def clear(self, connection: Connection) -> None:
        """Forget everything, to be told again from the first event."""
        for table in self.tables:
            connection.execute(table.delete())
        connection.execute(TRACKING.delete().where(TRACKING.c.view == self.name))


def add_up(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add figures to the rows of ``table``, beginning a row at nothing where there is none.

    All columns outside the primary key are figures.
    """
    rows = list(rows)
    if not rows:
        return
    adding = _insert(connection, table)
    figures = {
        column.name: column + adding.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column.name in rows[0]
    }
    keys = [column.name for column in table.primary_key]
    connection.execute(adding.on_conflict_do_update(index_elements=keys, set_=figures), rows)


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add ``rows``, if there are any."""
    if rows:
        connection.execute(table.insert(), rows)


def open_views(where: Path | str) -> Engine:
    """Open the database of views. They may be lost and made again, so they need not be durable."""
    engine = engine_at(where, schema="views", durable=False)
    METADATA.create_all(engine)
    return engine


def _insert(connection: Connection, table: Table) -> Insert:
    """Return an insert that can say what to do about a row that is there already."""
    return cast("Insert", _INSERTS[connection.dialect.name](table))


_INSERTS: Mapping[str, Callable[[Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
"""The two dialects say it alike, each with a function of its own."""
