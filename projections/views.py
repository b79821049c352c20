"""What every view has in common: tables, a position, and how rows are added to.

A view is told each event once, in order, in batches; its rows and the position that it has reached
are written in one transaction, so whatever crashes, each event counts once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    select,
)
from sqlalchemy.dialects.sqlite import insert

from ledger.aggregate import Fact
from ledger.names import Position

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
            insert(TRACKING)
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
    adding = insert(table)
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


def open_views(path: Path | None) -> Engine:
    """Open the database of views, in a file or, for replay, in fresh memory.

    Views may be lost and made again, so they need not wait for the disk.
    """
    if path is None:
        engine = create_engine("sqlite://")
    else:
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    METADATA.create_all(engine)
    return engine
