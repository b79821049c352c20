"""The base of every view: tables, a position, and how rows are added to.

A view is told each event once, in order, in batches; its rows and the position that it has reached
are written in one transaction, so whatever crashes, each event counts once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, ClassVar, cast

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Dialect,
    Engine,
    MetaData,
    String,
    Table,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.exc import OperationalError

from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from ledger.store.schema import POSTGRESQL

METADATA = MetaData()

DAYS_MAX = 1_000
"""Days whose text is remembered, as the rows of a batch have few."""

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

    def begin(self, connection: Connection) -> None:
        """Make a place for how far this view has read, if there is none."""
        place = {"view": self.name, "position": 0}
        connection.execute(_insert(connection, TRACKING).values(place).on_conflict_do_nothing())

    def reached(self, connection: Connection, *, alone: bool = False) -> Position:
        """Return the position up to which this view has read.

        Args:
            connection: To the views.
            alone: Let no other process move it until the transaction ends.

        """
        query = select(TRACKING.c.position).where(TRACKING.c.view == self.name)
        position = connection.execute(query.with_for_update() if alone else query).scalar()
        return Position(position or 0)

    def advance(self, connection: Connection, batch: Batch) -> Position:
        """Take in what follows in ``batch`` and remember how far that was, both or neither.

        Another process may have been here meanwhile, so what it took in is left out; and where
        ``batch`` does not begin with the very next event, nothing is taken in.
        """
        reached = self.reached(connection, alone=True)
        news = [each for each in batch if each[0] > reached]
        if not news or news[0][0] != reached + 1:
            return reached
        self.write(connection, news)
        reached = news[-1][0]
        moved = connection.execute(
            TRACKING.update().where(TRACKING.c.view == self.name).values(position=reached)
        )
        if moved.rowcount != 1:  # The tables are only just made anew.
            raise OperationalError("", None, LookupError(f"{self.name} has no place yet"))
        return reached


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


def put_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put ``rows`` in the place of those with the same key, or where there were none."""
    if rows:
        plan = _plan(table, connection.dialect.name)
        values = [plan.values(tuple(row[name] for name in plan.names)) for row in rows]
        connection.exec_driver_sql(plan.putting, values)


def insert_all(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add ``rows``, if there are any; each has a value for every column, in their order.

    Most of what a view writes goes through here, so the statement is worked out once a table and
    the rows go to the driver as they are.
    """
    if not rows:
        return
    plan = _plan(table, connection.dialect.name)
    connection.exec_driver_sql(plan.adding, list(map(plan.values, rows)))


def run_all(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run ``statement``, with a ``?`` for each value, once for each of ``rows``."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        statement = statement.replace("?", "%s")
    connection.exec_driver_sql(statement, list(rows))


class _Plan:
    """The way in which one kind of driver takes rows of one table."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self.names = [str(column.name) for column in table.columns]
        names = ", ".join(f'"{name}"' for name in self.names)
        mark = "?" if dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(table.columns))
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        new = ", ".join(
            f'"{column.name}" = excluded."{column.name}"'
            for column in table.columns
            if not column.primary_key
        )
        self.adding = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  # Our own names.
        self.putting = f"{self.adding} ON CONFLICT ({keys}) DO UPDATE SET {new}"
        processes = [
            column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns
        ]
        self._processes = [
            (n, lru_cache(DAYS_MAX)(process) if isinstance(column.type, Date) else process)
            for n, (column, process) in enumerate(zip(table.columns, processes, strict=True))
            if process
        ]

    def values(self, row: tuple[Any, ...]) -> Sequence[Any]:
        """Return ``row`` as the driver takes it: a day as text, where it must be text."""
        values = list(row)
        for number, process in self._processes:
            values[number] = process(values[number])
        return tuple(values)


@lru_cache
def _plan(table: Table, dialect: str) -> _Plan:
    return _Plan(table, _DIALECTS[dialect](json_serializer=_json))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


_DIALECTS: Mapping[str, Callable[..., Dialect]] = {
    "sqlite": sqlite.dialect,
    "postgresql": postgresql.dialect,
}


@contextmanager
def as_of_now(engine: Engine) -> Iterator[Connection]:
    """Open a connection that sees all views as they are now, whoever goes on writing them.

    Without this, PostgreSQL would show each statement what was there when that one began: figures
    that are newer than the position they are said to be of.
    """
    steady = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == POSTGRESQL else {}
    with engine.connect().execution_options(**steady) as connection:
        yield connection


def _insert(connection: Connection, table: Table) -> Insert:
    """Return an insert that can say what to do about a row that is there already."""
    return cast("Insert", _INSERTS[connection.dialect.name](table))


_INSERTS: Mapping[str, Callable[[Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
"""The two dialects say it alike, each with a function of its own."""
