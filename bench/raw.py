"""The limits of any store: the same rows written to, and read from, SQLite by nobody's rules."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any, TypeAlias

import msgspec
import psycopg

from ledger.kernel.aggregate import FACTS, Fact

Row: TypeAlias = tuple[int, str, int, str, bytes]

READ = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events"


def events_in(place: Path | str) -> int:
    """Return how many events are stored in a file, or in a PostgreSQL database."""
    connect: Callable[..., Any] = sqlite3.connect if isinstance(place, Path) else psycopg.connect
    with closing(connect(place)) as ledger:
        (amount,) = ledger.execute("SELECT count(*) FROM stored_events").fetchone()
    return int(amount)


class Bare:
    """A file with a ledger's own table of events, its indexes and pragmas, and nothing else.

    It begins level with the ledger and is fed the same rows, so it grows as the ledger does.
    """

    def __init__(self, path: Path, *, like: Path) -> None:
        self._ledger = like
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        with closing(sqlite3.connect(like)) as ledger:
            for (statement,) in ledger.execute(
                "SELECT sql FROM sqlite_master WHERE tbl_name = 'stored_events' AND sql NOT NULL"
            ):
                self._connection.execute(statement)
        self.insert(self.behind(-1), batch=1_000)

    def behind(self, limit: int) -> list[Row]:
        """Return up to ``limit`` rows, or all, that the ledger has and this file has not."""
        (last,) = self._connection.execute("SELECT max(rowid) FROM stored_events").fetchone()
        with closing(sqlite3.connect(self._ledger)) as ledger:
            return ledger.execute(
                f"{READ} WHERE rowid > ? ORDER BY rowid LIMIT ?", (last or 0, limit)
            ).fetchall()

    def insert(self, rows: Sequence[Row], *, batch: int) -> None:
        """Insert ``rows``, one executemany and one durable commit for every ``batch`` of them."""
        for start in range(0, len(rows), batch):
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO stored_events"
                " (rowid, originator_id, originator_version, topic, state) VALUES (?, ?, ?, ?, ?)",
                rows[start : start + batch],
            )
            self._connection.execute("COMMIT")

    def commit_each(self, rows: Sequence[Row]) -> list[float]:
        """Insert ``rows``, one durable commit for each; return how long each took, in µs."""
        took = []
        for row in rows:
            begun = perf_counter()
            self.insert([row], batch=1)
            took.append((perf_counter() - begun) * 1_000_000)
        return took

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


Decoders: TypeAlias = Mapping[str, Callable[[bytes], Fact]]


def decoders() -> Decoders:
    """Return what decodes each kind of event; made beforehand, so that the limit pays no more."""
    return {topic: msgspec.json.Decoder(kind).decode for topic, kind in FACTS.items()}


def read_and_decode(path: Path, decode: Decoders) -> int:
    """Read every stored event in order and decode it, keeping nothing; return how many."""
    amount = 0
    with closing(sqlite3.connect(path)) as ledger:
        for _, _, _, topic, state in ledger.execute(f"{READ} ORDER BY rowid"):
            decode[topic](state)
            amount += 1
    return amount
