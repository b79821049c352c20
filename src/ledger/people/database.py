"""The people database: opening, reading, writing, and clearing what was deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from ledger.kernel.errors import LedgerError
from ledger.people.schema import PEOPLE
from ledger.people.tables import DATA_KEYS, SEALED
from ledger.store.commits import StoreFailed
from ledger.store.engine import ALONE, engine_at, is_url, nothing, prepare


class StillRead(LedgerError):
    """A log is cleared when nobody reads from it any more."""

    def __init__(self) -> None:
        super().__init__("the register is being read; what was deleted is still in its log")


class PeopleDatabase:
    """The database of people, credentials and sealed personal data.

    Attributes:
        engine: Of a file, or of a PostgreSQL database.
        is_local: It is a file.

    """

    def __init__(self, where: Path | str) -> None:
        self.is_local = not is_url(where)
        self.engine = engine_at(where, schema="people", durable=True)
        if self.is_local:
            event.listen(self.engine, "connect", _overwrite_what_is_deleted)

    def prepare(
        self, *, upgrade: bool = False, then: Callable[[Connection], list[str]] = nothing
    ) -> list[str]:
        """Create the tables or bring them up; return in lines what was done.

        Args:
            upgrade: Older tables of a database may be changed; a file is always brought up.
            then: What else is to be there, done in the same transaction.

        """
        return prepare(self.engine, PEOPLE, upgrade=upgrade, then=then)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that only looks."""
        with _store_failures(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that no other write can interleave with."""
        with (
            _store_failures(),
            self.engine.execution_options(**{ALONE: True}).begin() as connection,
        ):
            yield connection

    def clear(self) -> None:
        """Purge deleted data from the files, as far as the database can.

        A file of SQLite was overwritten already, and its log is cut to nothing. PostgreSQL takes
        dead rows out of the tables; its own log keeps them, sealed, until it is recycled.
        """
        with _store_failures():
            if self.is_local:
                (busy, *_) = self._outside_transactions("PRAGMA wal_checkpoint(TRUNCATE)")
                if busy:
                    raise StoreFailed(StillRead())
                return
            with self.engine.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.exec_driver_sql(f"VACUUM {DATA_KEYS.name}, {SEALED.name}")

    def rewrite(self) -> None:
        """Rewrite a file, so that no deleted data remains in it."""
        if self.is_local:
            with _store_failures():
                self._outside_transactions("VACUUM")
        self.clear()

    def _outside_transactions(self, statement: str) -> Any:
        """Run a statement that SQLite refuses inside a transaction."""
        raw = self.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(statement)
            row = cursor.fetchone()
            cursor.close()
            return row
        finally:
            raw.close()


def _overwrite_what_is_deleted(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA secure_delete = ON")


@contextmanager
def _store_failures() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise StoreFailed(error.orig or error) from error
