"""The tree of the events, built anew beside the one that is kept and was signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from ledger.kernel.errors import LedgerError
from ledger.store.recorder import Row
from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.leaf import leaf_of
from ledger.transparency.merkle import (
    HASH_BYTES,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root,
    verify_consistency,
    verify_inclusion,
)
from ledger.transparency.tiles import ENTRIES, WIDTH, Tile, grow, hash_reader, pack_entries
from projections.audit.evidence import Evidence
from projections.audit.findings import (
    EntriesDiffer,
    EventDiffers,
    Finding,
    HistoryForked,
    HistoryRewritten,
    HistoryShortened,
    TileDiffers,
)


class Tree:
    """Hashes events, and compares each tile that they make with the one that is kept.

    Attributes:
        checkpoint: What was signed.
        size: How many events are in so far.
        tiles: How many tiles were compared.

    """

    def __init__(self, evidence: Evidence, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.size = 0
        self.tiles = 0
        self._evidence = evidence
        self._kept = hash_reader(checkpoint.size, evidence.tiles)
        self._growing: dict[Tile, bytes] = {}
        self._leaf: int | None = None
        self._tile: Finding | None = None

    def take_in(self, rows: Sequence[Row]) -> None:
        """Add the next events: whole tiles of them, but for the last."""
        lines = [leaf_of(*row).encode() for row in rows]
        self._compare_entries(lines)
        grown = dict(grow(self.size, [leaf_hash(line) for line in lines], self._growing))
        self.size += len(rows)
        levels = {tile.level for tile in grown}
        waiting = {tile: made for tile, made in self._growing.items() if tile.level not in levels}
        partial = {tile: made for tile, made in grown.items() if not tile.is_full}
        self._growing = waiting | partial
        whole = {tile: made for tile, made in grown.items() if tile.is_full}
        self._compare(whole | self._growing if self.size == self.checkpoint.size else whole)

    def judge(self) -> Iterator[Finding]:
        """Say what is wrong, once every event that was signed is in."""
        made = root(self.size, hash_reader(self.size, self._made))
        if made == self.checkpoint.root:
            if self._tile is not None:
                yield self._tile
        elif changed := self.first_changed():
            yield changed
        else:
            yield HistoryRewritten(self.size)

    def first_changed(self) -> Finding | None:
        """Return which event is the first that is not what was signed, where the tiles can tell."""
        if self._leaf is not None and self._was_signed(self._leaf):
            return EventDiffers(self._leaf + 1)
        return None

    def hold_to(self, old: Checkpoint, of: str) -> Iterator[Finding]:
        """Say whether what was signed extends what was signed before.

        Where the kept tiles do not lead to the signed root, that has been found already.

        Args:
            old: What was signed before.
            of: What to call it.

        """
        now = self.checkpoint
        if old.size > now.size:
            yield HistoryShortened(now.size, old.size, of)
            return
        with suppress(LedgerError):
            then = root(old.size, self._kept)
            proof = prove_consistency(old.size, now.size, self._kept)
            verify_consistency(old.size, now.size, then, now.root, proof)
            if then != old.root:
                yield HistoryForked(old.size, of)

    def _made(self, tiles: Sequence[Tile]) -> list[bytes]:
        return [self._growing[tile] for tile in tiles]

    def _compare(self, made: dict[Tile, bytes]) -> None:
        stored = self._evidence.tiles([*made])
        for (tile, ours), theirs in zip(made.items(), stored, strict=True):
            self.tiles += 1
            if ours == theirs:
                continue
            if self._tile is None:
                self._tile = TileDiffers(tile.path, missing=not theirs)
            if tile.level == 0 and self._leaf is None:
                self._leaf = tile.first + _first_differing(ours, theirs)

    def _compare_entries(self, lines: Sequence[bytes]) -> None:
        for start in range(0, len(lines), WIDTH):
            some = lines[start : start + WIDTH]
            bundle = Tile(ENTRIES, (self.size + start) // WIDTH, len(some))
            stored = self._evidence.entries(bundle)
            if stored is not None and stored != pack_entries(some) and self._tile is None:
                self._tile = EntriesDiffer(bundle.path, missing=not stored)

    def _was_signed(self, index: int) -> bool:
        """Say whether the kept leaf at ``index`` is in the tree that was signed."""
        size, number = self.checkpoint.size, index // WIDTH
        (hashes,) = self._evidence.tiles([Tile(0, number, min(WIDTH, size - number * WIDTH))])
        start = index % WIDTH * HASH_BYTES
        with suppress(LedgerError):
            path = prove_inclusion(index, size, self._kept)
            kept = hashes[start : start + HASH_BYTES]
            verify_inclusion(index, size, kept, path, self.checkpoint.root)
            return True
        return False


def _first_differing(ours: bytes, theirs: bytes) -> int:
    """Return which hash of a tile is the first that differs."""
    starts = range(0, len(ours), HASH_BYTES)
    same = (ours[at : at + HASH_BYTES] == theirs[at : at + HASH_BYTES] for at in starts)
    return next(number for number, is_same in enumerate(same) if not is_same)
