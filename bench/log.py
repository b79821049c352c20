"""The public log: growing it, proving from it, and what it takes from those who record."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import monotonic, process_time
from uuid import UUID

from sqlalchemy import Engine

from bench.books import Charity, act_for, together
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from ledger.commands import Ledger
from ledger.commands.donations import pledge
from ledger.kernel.ids import new_id
from ledger.kernel.names import Position
from ledger.transparency.leaf import leaf_of
from ledger.transparency.merkle import leaf_hash, prove_inclusion, root, verify_inclusion
from ledger.transparency.tiles import grow, hash_reader
from projections.log import tables
from projections.log.keeper import Keeper
from projections.log.keys import KeyFile
from projections.log.log import STEP, Log

STATE_BYTES = 450
"""What an event takes, on the average."""

WITHIN, KEEPS = 1 / 3, 0.9
"""What is asked for: of bare hashing, and of what is stored without a log."""

PROOFS_A_TURN = 50
"""Per ``Size.rounds`` turn; each from a leaf drawn by chance."""

TURNS = 5
"""Times ``Size.requests`` that are stored in a turn, so that a few checkpoints fall into it."""

Row = tuple[Position, UUID, int, str, bytes]


def log(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure the log: growing, proving, and how much slower pledges are stored beside it."""
    yield _append(size)
    yield from _proofs(folder, size)
    yield _intake(folder, size)


def _append(size: Size) -> Figure:
    """Grow a tree from rows at hand, beside the least hashing that a tree of them takes."""
    rows = [_row(Position(n)) for n in range(1, size.history + 1)]
    entries = [leaf_of(*row).encode() for row in rows]

    def grown() -> float:
        return a_second(len(rows), lambda: done("tiles", expected=True, actual=bool(_grown(rows))))

    def hashed() -> float:
        return a_second(len(rows), lambda: _hash_only(rows, entries))

    value, limit = rates_in_turns(size.rounds, grown, hashed)
    return Measured(value, limit).rate(
        "log-append",
        "events taken into the tree",
        unit="leaves/s",
        against="their three SHA-256 each, alone",
        target=WITHIN,
    )


def _row(position: Position) -> Row:
    return position, new_id(), 1, "donation.pledged.1", os.urandom(STATE_BYTES)


def _grown(rows: list[Row]) -> int:
    return sum(1 for _ in grow(0, [leaf_hash(leaf_of(*row).encode()) for row in rows], {}))


def _hash_only(rows: list[Row], entries: list[bytes]) -> None:
    node = b"\x01" + bytes(64)
    for row, entry in zip(rows, entries, strict=True):
        sha256(row[4]).digest()
        sha256(b"\x00" + entry).digest()
        sha256(node).digest()


def _proofs(folder: Path, size: Size) -> Iterator[Figure]:
    """Prove leaves from stored tiles, of a log of many years and of a young one."""
    engines = {leaves: _filled(folder / f"{leaves}.db", leaves) for leaves in (size.many, size.few)}
    try:
        value, limit = rates_in_turns(
            size.rounds, *(_prover(engine, leaves) for leaves, engine in engines.items())
        )
    finally:
        for engine in engines.values():
            engine.dispose()
    yield Measured(value, limit).rate(
        "log-proofs",
        f"proofs from the tiles of {size.many:,} leaves",
        unit="proofs/s",
        against=f"the same of {size.few:,} leaves",
    )


def _filled(path: Path, leaves: int) -> Engine:
    engine = tables.open_log(path)
    for old in range(0, leaves, STEP):
        new = min(leaves, old + STEP)
        hashes = [leaf_hash(b"%d" % n) for n in range(old, new)]
        with tables.adding(engine) as connection:
            partial = tables.partial_contents(connection, old)
            tables.put_tiles(connection, grow(old, hashes, partial))
    return engine


def _prover(engine: Engine, leaves: int) -> Callable[[], float]:
    chance = random.Random(leaves)
    with engine.connect() as connection:
        trusted = root(leaves, hash_reader(leaves, tables.tiles_reader(connection)))

    def prove() -> None:
        for _ in range(PROOFS_A_TURN):
            index = chance.randrange(leaves)
            with engine.connect() as connection:
                reader = hash_reader(leaves, tables.tiles_reader(connection))
                path = prove_inclusion(index, leaves, reader)
            verify_inclusion(index, leaves, leaf_hash(b"%d" % index), path, trusted)

    return lambda: a_second(PROOFS_A_TURN, prove)


def _intake(folder: Path, size: Size) -> Figure:
    """Store pledges, 64 in flight, in a ledger whose log is kept and in one without.

    By processor time, all of which is at the intake's cost in one process, and until the log is
    level: what it does later is at somebody's cost, too.
    """
    with_log, without = (Charity(_made(folder / name)) for name in ("with", "without"))
    engine = tables.open_log(folder / "with" / "log.db")
    with closing(Ledger(with_log.path)) as ledger, closing(Ledger(without.path)) as bare:
        log = Log(ledger.store, engine, KeyFile(folder / "log.key"), lambda: datetime.now(UTC))
        log.begin()
        log.publish()
        amount = size.requests * TURNS

        def beside() -> float:
            with closing(Keeper(log, ledger.store.last_position, monotonic)) as keeper:
                ledger.committer.on_stored = keeper.notice
                keeper.start()
                started = process_time()
                _record(ledger, with_log, amount)
                covered = log.publish().checkpoint.size
                took = process_time() - started
            done("events in the log", expected=ledger.store.last_position(), actual=covered)
            return amount / took

        def alone() -> float:
            started = process_time()
            _record(bare, without, amount)
            return amount / (process_time() - started)

        value, limit = rates_in_turns(size.rounds, beside, alone)
    engine.dispose()
    return Measured(value, limit).rate(
        "log-intake",
        "commands without HTTP, 64 in flight, and into the log",
        unit="commands/s",
        against="the same without a log, a second of processor time",
        target=KEEPS,
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _record(ledger: Ledger, charity: Charity, amount: int) -> None:
    promise, before = charity.pledge(), ledger.store.last_position()
    together(ledger.record_async(pledge, act_for(pledge), **promise) for _ in range(amount))
    done("events", expected=amount, actual=ledger.store.last_position() - before)
