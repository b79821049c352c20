"""The public log of a ledger, opened beside it as a server does, with a clock that tests set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from api.places import Places
from ledger.store import open_store
from ledger.store.engine import is_url
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint
from ledger.transparency.leaf import read_leaf
from ledger.transparency.merkle import (
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.transparency.note import Verifier
from ledger.transparency.tiles import ENTRIES, tiles_of, unpack_entries
from projections.log.keys import KeyFile
from projections.log.log import Log
from projections.log.tables import open_log

NOON = datetime(2026, 4, 1, 4, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


WAIT_S = 60.0
"""Seconds in which a thread does what it is there for even on a busy machine."""


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread or process brings about."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"


@contextmanager
def opened(
    ledger: Path | str, tiles: Path | str, keys: KeyFile, clock: Clock | None = None
) -> Iterator[Log]:
    """Open the log of the ledger kept at ``ledger``, and begin it if it is new."""
    with closing(open_store(ledger, writes=False)) as store:
        engine = open_log(tiles)
        try:
            log = Log(store, engine, keys, clock or Clock())
            log.begin()
            yield log
        finally:
            engine.dispose()


@contextmanager
def logged(places: Places) -> Iterator[Log]:
    """Open the log of a ledger, with a key that is forgotten afterwards."""
    with (
        TemporaryDirectory() as folder,
        opened(places.ledger, places.log, KeyFile(Path(folder) / "log.key")) as log,
    ):
        yield log


def beside(place: Path | str) -> Path | str:
    """Return where the log of the ledger at ``place`` is kept."""
    return place if is_url(place) else Path(place).with_name("log.db")


def verifiers(keys: KeyFile) -> list[Verifier]:
    """Return the keys that somebody would have got from the charity."""
    ring = keys.read()
    assert ring is not None
    return [each.verifier for each in ring.signing]


def verified(log: Log, keys: KeyFile) -> Checkpoint:
    """Check everything that a log serves as a stranger would, and return its checkpoint."""
    checkpoint = open_checkpoint(log.newest().note, verifiers(keys))
    for tile in tiles_of(checkpoint.size):
        content = log.tile(tile)
        if tile.level == 0:
            entries = unpack_entries(log.entries(tile._replace(level=ENTRIES)))
            assert b"".join(map(leaf_hash, entries)) == content
            first = tile.first + 1
            nids = [read_leaf(each).nid for each in entries]
            assert nids == list(range(first, first + tile.width))
    published = log.newest()
    for position in {1, (checkpoint.size + 1) // 2, checkpoint.size} if checkpoint.size else ():
        (proven,) = log.prove(published, [position])
        hashed = leaf_hash(proven.leaf.encode())
        verify_inclusion(position - 1, checkpoint.size, hashed, proven.path, checkpoint.root)
    return checkpoint


def consistent(log: Log, old: Checkpoint, new: Checkpoint) -> None:
    """Check that one checkpoint extends another, by a proof of the log's."""
    growth = log.prove_consistency(old.size, new.size)
    verify_consistency(old.size, new.size, old.root, new.root, growth.proof)
