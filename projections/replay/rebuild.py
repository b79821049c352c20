"""Makes views anew beside the ones that are read, and puts them in their place at the end.

Readers see the old rows until the new ones are level, and then the new ones, never a half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, event, select, text
from sqlalchemy.schema import CreateTable

from ledger.commands.records import Records
from ledger.kernel.names import Position
from ledger.store.engine import ALONE, engine_at, is_url
from projections.kernel.follow import Follower, Progress, silent
from projections.kernel.view import TRACKING, View
from projections.views.opening import open_views, prepare_unread

BESIDE = "views_beside"
"""Where the new rows stand until they are level: a PostgreSQL schema, or an attached file."""

CACHE_KB = 64_000
"""Memory for pages of the file of new rows, which are written to here and there."""


def rebuild(
    ledger: Records, where: Path | str, views: Sequence[View], progress: Progress = silent
) -> Position:
    """Make ``views``, kept at ``where``, anew from event 1; return the position reached."""
    served = open_views(where)
    try:
        with _beside(served, where) as (fresh, swapping):
            follower = Follower(ledger, fresh, views)
            follower.catch_up(progress=progress)
            while not _swap(swapping, views):
                follower.catch_up(progress=progress)
            return follower.reached
    finally:
        served.dispose()


@contextmanager
def _beside(served: Engine, where: Path | str) -> Iterator[tuple[Engine, Connection]]:
    """Open an empty database of views, and a connection that sees both it and the served one."""
    if is_url(where):
        with served.begin() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))
        fresh = engine_at(where, schema=BESIDE, durable=False)
        prepare_unread(fresh)
        with served.connect() as connection:
            yield fresh, connection
            connection.execute(text(f"DROP SCHEMA {BESIDE} CASCADE"))
            connection.commit()
        fresh.dispose()
        return
    with TemporaryDirectory(dir=Path(where).parent, prefix=".views-") as folder:
        file = Path(folder) / "views.db"
        fresh = engine_at(file, schema=BESIDE, durable=False)
        event.listen(fresh, "connect", _hurry)
        prepare_unread(fresh)
        with served.connect() as connection:
            driver = connection.connection.cursor()
            driver.execute(f"ATTACH DATABASE ? AS {BESIDE}", (str(file),))
            yield fresh, connection
            driver.execute(f"DETACH DATABASE {BESIDE}")
        fresh.dispose()


def _hurry(connection: Any, _: Any) -> None:
    """Wait for no disk: what is lost of new rows is made once more."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")


def _swap(connection: Connection, views: Sequence[View]) -> bool:
    """Put the new rows in the place of the old, unless those have gone on meanwhile."""
    with connection.execution_options(**{ALONE: True}).begin():
        for view in views:
            served = view.reached(connection, alone=True)
            if served > _reached_beside(connection, view):
                return False
        for view in views:
            _replace(connection, view)
    return True


def _reached_beside(connection: Connection, view: View) -> int:
    beside = TRACKING.to_metadata(MetaData(), schema=BESIDE)
    query = select(beside.c.position).where(beside.c.view == view.name)
    return connection.execute(query).scalar() or 0


def _replace(connection: Connection, view: View) -> None:
    for table in view.tables:
        table.drop(connection)
        connection.execute(CreateTable(table))
        columns = [column.name for column in table.columns]
        beside = table.to_metadata(MetaData(), schema=BESIDE)
        connection.execute(table.insert().from_select(columns, select(beside)))
        for index in table.indexes:
            index.create(connection)
    beside = TRACKING.to_metadata(MetaData(), schema=BESIDE)
    connection.execute(TRACKING.delete().where(TRACKING.c.view == view.name))
    connection.execute(
        TRACKING.insert().from_select(
            ["view", "position"], select(beside).where(beside.c.view == view.name)
        )
    )
