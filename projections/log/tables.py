"""Tables of tiles and checkpoints, in a database of their own beside the events.

A partial tile is the beginning of what it becomes, so of each tile only the widest is kept. The
entries are not: they follow from the events, and would otherwise be kept twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    func,
    select,
)

from ledger.store.engine import ALONE, engine_at, prepare
from ledger.store.schema import POSTGRESQL, SQLITE, Migration, Schema
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.merkle import HASH_BYTES
from ledger.transparency.note import parse_note
from ledger.transparency.tiles import WIDTH, Tile, partial_tiles
from projections.kernel.view import put_all

WRITER = 0x106
"""The advisory lock of whoever adds to the log; those of the ledger's own writers are others."""

_LOG_1 = Migration(
    "tables for tiles and checkpoints",
    {
        SQLITE: (
            """
            CREATE TABLE tiles (
                level  INTEGER NOT NULL,
                number INTEGER NOT NULL,
                hashes BLOB NOT NULL,
                PRIMARY KEY (level, number),
                CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0)
            ) STRICT
            """,
            """
            CREATE TABLE checkpoints (
                origin       TEXT NOT NULL,
                size         INTEGER NOT NULL,
                note         BLOB NOT NULL,
                published_at INTEGER NOT NULL,
                PRIMARY KEY (origin, size)
            ) STRICT
            """,
            """
            CREATE TABLE logs (
                one    INTEGER PRIMARY KEY CHECK (one = 1),
                origin TEXT NOT NULL
            ) STRICT
            """,
        ),
        POSTGRESQL: (
            """
            CREATE TABLE tiles (
                level  integer NOT NULL,
                number bigint NOT NULL,
                hashes bytea NOT NULL,
                PRIMARY KEY (level, number),
                CHECK (length(hashes) BETWEEN 32 AND 8192 AND mod(length(hashes), 32) = 0)
            )
            """,
            """
            CREATE TABLE checkpoints (
                origin       text COLLATE "C" NOT NULL,
                size         bigint NOT NULL,
                note         bytea NOT NULL,
                published_at bigint NOT NULL,
                PRIMARY KEY (origin, size)
            )
            """,
            """
            CREATE TABLE logs (
                one    integer PRIMARY KEY CHECK (one = 1),
                origin text NOT NULL
            )
            """,
        ),
    },
)

LOG = Schema("the log", (_LOG_1,))

_METADATA = MetaData()

TILES = Table(
    "tiles",
    _METADATA,
    Column("level", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("hashes", LargeBinary),
)

CHECKPOINTS = Table(
    "checkpoints",
    _METADATA,
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, primary_key=True),
    Column("note", LargeBinary),
    Column("published_at", BigInteger),
)

LOGS = Table(
    "logs",
    _METADATA,
    Column("one", Integer, primary_key=True),
    Column("origin", String),
)
"""Which log is being written, in one row. Checkpoints of an earlier one are kept, and no more."""

ALL = (TILES, CHECKPOINTS, LOGS)


class Published(NamedTuple):
    """A checkpoint that anybody may have.

    Attributes:
        checkpoint: What it says.
        note: The same as it was signed, with all its signatures.
        at: When it was published, the last time if more than once.

    """

    checkpoint: Checkpoint
    note: bytes
    at: datetime


def open_log(where: Path | str, *, upgrade: bool = False) -> Engine:
    """Open the database of the log, making its tables if they are not there."""
    engine = engine_at(where, schema="log", durable=True)
    try:
        prepare(engine, LOG, upgrade=upgrade)
    except BaseException:
        engine.dispose()
        raise
    return engine


def upgrade_log(where: Path | str) -> list[str]:
    """Create the tables of the log, or bring them up; return in lines what was done."""
    engine = engine_at(where, schema="log", durable=True)
    try:
        return prepare(engine, LOG, upgrade=True)
    finally:
        engine.dispose()


@contextmanager
def adding(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that excludes every other writer of the log, across processes."""
    with engine.execution_options(**{ALONE: True}).begin() as connection:
        if connection.dialect.name == POSTGRESQL:
            connection.execute(select(func.pg_advisory_xact_lock(WRITER)))
        yield connection


def origin(connection: Connection) -> str | None:
    """Return the name of the log that is being written, if one was begun."""
    name: str | None = connection.execute(select(LOGS.c.origin)).scalar()
    return name


def set_origin(connection: Connection, name: str) -> None:
    """Begin a log of this name."""
    put_all(connection, LOGS, [{"one": 1, "origin": name}])


def size(connection: Connection) -> int:
    """Return how many leaves are in the tree."""
    query = (
        select(TILES.c.number, func.length(TILES.c.hashes))
        .where(TILES.c.level == 0)
        .order_by(TILES.c.number.desc())
        .limit(1)
    )
    last = connection.execute(query).first()
    return 0 if last is None else int(last[0]) * WIDTH + int(last[1]) // HASH_BYTES


def tiles_reader(connection: Connection) -> Callable[[Sequence[Tile]], list[bytes]]:
    """Return what reads tiles; of one that is not there, or not so wide, there is too little."""
    mark = "%s" if connection.dialect.name == POSTGRESQL else "?"
    query = f"SELECT hashes FROM tiles WHERE level = {mark} AND number = {mark}"  # noqa: S608  # Marks.

    def one(tile: Tile) -> bytes:
        hashes = connection.exec_driver_sql(query, tile[:2]).scalar()
        return b"" if hashes is None else bytes(hashes)[: tile.width * HASH_BYTES]

    return lambda tiles: [one(tile) for tile in tiles]


def partial_contents(connection: Connection, size: int) -> Mapping[Tile, bytes]:
    """Return what is in the tiles that the next leaves are added to."""
    tiles = list(partial_tiles(size))
    return dict(zip(tiles, tiles_reader(connection)(tiles), strict=True))


def put_tiles(connection: Connection, tiles: Iterable[tuple[Tile, bytes]]) -> None:
    """Write tiles in the place of narrower ones."""
    rows = [
        {"level": tile.level, "number": tile.number, "hashes": content} for tile, content in tiles
    ]
    put_all(connection, TILES, rows)


def clear_tiles(connection: Connection) -> None:
    """Forget the tree."""
    connection.execute(TILES.delete())


def publish(connection: Connection, published: Published) -> None:
    """Write down a checkpoint, or the same one again."""
    row = {
        "origin": published.checkpoint.origin,
        "size": published.checkpoint.size,
        "note": published.note,
        "published_at": int(published.at.timestamp()),
    }
    put_all(connection, CHECKPOINTS, [row])


def newest(connection: Connection, name: str) -> Published | None:
    """Return the newest checkpoint of the log called ``name``."""
    query = (
        select(CHECKPOINTS)
        .where(CHECKPOINTS.c.origin == name)
        .order_by(CHECKPOINTS.c.size.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else _published(row)


def at(connection: Connection, checkpoint: Checkpoint) -> Published | None:
    """Return what was published of this very checkpoint, if it was."""
    query = select(CHECKPOINTS).where(
        CHECKPOINTS.c.origin == checkpoint.origin, CHECKPOINTS.c.size == checkpoint.size
    )
    row = connection.execute(query).first()
    published = None if row is None else _published(row)
    return published if published is not None and published.checkpoint == checkpoint else None


def checkpoints(connection: Connection, name: str, after: int = -1) -> Iterator[Published]:
    """Return every checkpoint of the log called ``name`` whose size is beyond ``after``."""
    query = (
        select(CHECKPOINTS)
        .where(CHECKPOINTS.c.origin == name, CHECKPOINTS.c.size > after)
        .order_by(CHECKPOINTS.c.size)
    )
    for row in connection.execute(query):
        yield _published(row)


def is_known(connection: Connection, name: str) -> bool:
    """Say whether a log of this name was ever begun here."""
    return origin(connection) == name or newest(connection, name) is not None


def _published(row: Row[Any]) -> Published:
    note = bytes(row.note)
    checkpoint = parse_checkpoint(parse_note(note).text)
    return Published(checkpoint, note, datetime.fromtimestamp(row.published_at, UTC))
