"""A PostgreSQL server that goes away for a while: how that is noticed, and waited out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from eventsourcing.utils import strtobool
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import ConnectionPool

from ledger.kernel.errors import LedgerError
from ledger.store.commits import StoreFailed

T = TypeVar("T")

OUTAGE_MAX_S = 20.0
"""How long anybody waits for a server that restarts, or for a standby to take its place."""

RETRY_S = 0.1

POOL_WAIT_S = 5.0
"""How long to wait for a connection before looking again whether it is worth waiting."""

POOL_MAX = 12
"""Connections of one process: its readers, and the one that writes."""

CONNECTION = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "target_session_attrs": "read-write",
}
"""A server that went away is noticed in seconds, and a primary found among several hosts."""

OPTIONS = (
    r"-c default_transaction_isolation=read\ committed"
    " -c synchronous_commit=on"
    " -c statement_timeout=30s"
    " -c lock_timeout=10s"
    " -c idle_in_transaction_session_timeout=30s"
)
"""What is said of every session, whatever the database's own defaults are.

A writer must see what the one before it stored, and what is acknowledged must be on disk.
"""

PASSING = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "53300",  # too_many_connections
    "55P03",  # lock_not_available
    "25P03",  # idle_in_transaction_session_timeout
}
"""Errors of the server after which the same may be tried again, besides lost connections."""

LOST = ("08", "57P")
"""Classes of errors that end a connection: it was cut, or the server goes down or comes up."""

FUNCTIONS = "POSTGRES_ENABLE_DB_FUNCTIONS"


class FunctionsEnabled(LedgerError):
    """Events are numbered under a lock, or readers that follow them skip some for good."""

    def __init__(self) -> None:
        super().__init__(
            f"{FUNCTIONS} is set, which would have events stored without a lock; unset it"
        )


def refuse_functions() -> None:
    """Refuse to start where the library's unlocked way of storing is asked for."""
    try:
        enabled = strtobool(os.environ.get(FUNCTIONS) or "no")
    except ValueError:
        enabled = True
    if enabled:
        raise FunctionsEnabled


def settings(url: str, options: str = "") -> dict[str, Any]:
    """Return how to connect to ``url``: as it says itself, and where it says nothing, as above."""
    parameters = conninfo_to_dict(url)
    all_options = " ".join(
        str(each) for each in (parameters.get("options"), OPTIONS, options) if each
    )
    return CONNECTION | parameters | {"options": all_options}


def named(url: str) -> str:
    """Name a database for a person, without its password.

    >>> named("postgresql://lei:secret@db.example/charity")
    'database charity at db.example'

    """
    parameters = conninfo_to_dict(url)
    return f"database {parameters.get('dbname', '')} at {parameters.get('host', 'this machine')}"


def passes(error: psycopg.Error) -> bool:
    """Say whether the same may succeed a little later."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in PASSING or error.sqlstate.startswith(LOST)


class Connections:
    """Connections to one database that outlast its server."""

    def __init__(self, url: str, *, outage_max_s: float) -> None:
        parameters = settings(url) | {"autocommit": True}
        self._outage_max_s = outage_max_s
        try:
            psycopg.connect(**parameters).close()  # So that it is told at once why it cannot be.
        except psycopg.OperationalError as error:
            raise StoreFailed(error) from error
        self._pool: ConnectionPool[psycopg.Connection[Any]] = ConnectionPool(
            kwargs=parameters,
            min_size=1,
            max_size=POOL_MAX,
            timeout=min(POOL_WAIT_S, outage_max_s),
            reconnect_timeout=3.0,
            open=True,
        )

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    @contextmanager
    def one(self) -> Iterator[psycopg.Connection[Any]]:
        """Borrow a working connection."""
        connection = self._working()
        try:
            yield connection
        finally:
            self._pool.putconn(connection)

    def _working(self) -> psycopg.Connection[Any]:
        """Take a connection that works from the pool, and give those back that do not.

        The pool could look by itself, but waits a second and more each time that it finds one cut.
        """
        left = POOL_MAX
        while True:
            connection = self._pool.getconn()
            try:
                ConnectionPool.check_connection(connection)
            except BaseException as error:
                self._pool.putconn(connection)
                left -= 1
                if left == 0 or not isinstance(error, psycopg.Error):
                    raise
            else:
                return connection

    def patiently(self, step: Callable[[], T]) -> T:
        """Run ``step``, retrying while the server is unreachable.

        Raises:
            StoreFailed: It was away for too long.

        """
        give_up = time.monotonic() + self._outage_max_s
        while True:
            try:
                return step()
            except psycopg.Error as error:
                if not passes(error):
                    raise
                if time.monotonic() > give_up:
                    raise StoreFailed(error) from error
            time.sleep(RETRY_S)
