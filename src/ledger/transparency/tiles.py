"""The tree as C2SP tlog-tiles keeps and serves it: 256 hashes a tile, tiles in levels.

A tile once full never changes, and a partial one is the beginning of what it becomes. So a shorter
partial tile is cut from a longer one, and nothing has to be kept twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ledger.transparency.encoding import Malformed
from ledger.transparency.merkle import HASH_BYTES, Node, ReadHashes, node_hash

HEIGHT = 8
"""Levels of the tree in one level of tiles."""

WIDTH = 1 << HEIGHT
"""Hashes in a full tile: "Full tiles MUST be exactly 256 hashes wide, or 8,192 bytes"."""

LEVEL_MAX = 63
"""The highest level of tiles that has a path."""

ENTRIES = -1
"""The level under which bundles of entries go, which have the places of the tiles of level 0."""

ENTRY_MAX = 2**16 - 1
"""Bytes of the longest entry: each is preceded by its length, as a "big-endian uint16"."""

_PATH = re.compile(
    r"tile/(?P<level>[0-9]{1,2}|entries)"
    r"/(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[0-9]{1,3}))?",
    re.ASCII,
)
_ELEMENT = 1_000


class Tile(NamedTuple):
    """One tile of a tree of some size.

    Attributes:
        level: Of tiles, from 0; ``ENTRIES`` for a bundle of entries.
        number: Its place in the level, from 0.
        width: How many hashes or entries are in it, 1 to 256.

    """

    level: int
    number: int
    width: int = WIDTH

    @property
    def is_full(self) -> bool:
        """It will never change."""
        return self.width == WIDTH

    @property
    def first(self) -> int:
        """Index of the first leaf that it is over."""
        return self.number << (HEIGHT * (max(self.level, 0) + 1))

    @property
    def path(self) -> str:
        """Where it is served: ``tile/<L>/<N>[.p/<W>]``."""
        # <N> is "a non-negative integer encoded into zero-padded 3-digit path elements. All but
        # the last path element MUST begin with an x".
        rest, last = divmod(self.number, _ELEMENT)
        elements = f"{last:03}"
        while rest:
            rest, element = divmod(rest, _ELEMENT)
            elements = f"x{element:03}/{elements}"
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{elements}" + ("" if self.is_full else f".p/{self.width}")


def parse_path(path: str) -> Tile:
    """Read a path; each tile has one, and no other is read."""
    parts = _PATH.fullmatch(path)
    if parts is None:
        raise Malformed("this is not the path of a tile")
    tile = Tile(
        ENTRIES if parts["level"] == "entries" else int(parts["level"]),
        int(parts["number"].replace("x", "").replace("/", "")),
        int(parts["width"] or WIDTH),
    )
    if tile.level > LEVEL_MAX or not 1 <= tile.width <= WIDTH or tile.path != path:
        raise Malformed("this is not how the path of a tile is written")
    return tile


def tiles_of(size: int) -> Iterator[Tile]:
    """Return every tile of a tree of ``size``, level by level."""
    return tiles_written(0, size)


def tiles_written(old: int, new: int) -> Iterator[Tile]:
    """Return the tiles that are new or wider when a tree grows from ``old`` to ``new`` leaves."""
    level = 0
    while new > old:
        for index in range(old >> HEIGHT, ((new - 1) >> HEIGHT) + 1):
            yield Tile(level, index, min(WIDTH, new - (index << HEIGHT)))
        level, old, new = level + 1, old >> HEIGHT, new >> HEIGHT


def partial_tiles(size: int) -> Iterator[Tile]:
    """Return the rightmost tiles of a tree, those that its next leaves are added to."""
    level = 0
    while size:
        # "The partial tile at level l for a tree of size s has floor(s / 256**l) mod 256 entries.
        # Empty tiles MUST NOT be served."
        if size % WIDTH:
            yield Tile(level, size >> HEIGHT, size % WIDTH)
        level, size = level + 1, size >> HEIGHT


def grow(
    old: int, hashes: Sequence[bytes], partial: Mapping[Tile, bytes]
) -> Iterator[tuple[Tile, bytes]]:
    """Return the tiles that are written when leaves are added, and what is in them.

    Args:
        old: How many leaves there were.
        hashes: Of the leaves that are added.
        partial: What is in the ``partial_tiles`` of the old tree.

    """
    level = 0
    while hashes:
        index, kept = divmod(old, WIDTH)
        beginning = partial[Tile(level, index, kept)] if kept else b""
        content = beginning + b"".join(hashes)
        above = []
        for start in range(0, len(content), WIDTH * HASH_BYTES):
            tile = content[start : start + WIDTH * HASH_BYTES]
            yield Tile(level, index, len(tile) // HASH_BYTES), tile
            if len(tile) == WIDTH * HASH_BYTES:
                # A partial tile "MUST NOT be hashed into a tile at the level above".
                above.append(_top(tile))
            index += 1
        level, old, hashes = level + 1, old >> HEIGHT, above


ReadTiles = Callable[[Sequence[Tile]], Sequence[bytes]]
"""Returns what is in some tiles, in their order."""


def hash_reader(size: int, read: ReadTiles) -> ReadHashes:
    """Return what reads the hashes of nodes in a tree of ``size`` from its tiles."""

    def read_hashes(nodes: Sequence[Node]) -> list[bytes]:
        spans = [_place(node, size) for node in nodes]
        tiles = list(dict.fromkeys(tile for tile, _ in spans))
        contents = dict(zip(tiles, read(tiles), strict=True))
        for tile, content in contents.items():
            if len(content) != tile.width * HASH_BYTES:
                raise Malformed(f"{tile.path} has {len(content)} bytes")
        return [_top(contents[tile][span]) for tile, span in spans]

    return read_hashes


def _place(node: Node, size: int) -> tuple[Tile, slice]:
    """Return in which tile a node's hash is, and what part of it is hashed together to get it."""
    level, height = divmod(node.level, HEIGHT)
    start = node.number << height
    index, offset = divmod(start, WIDTH)
    tile = Tile(level, index, min(WIDTH, (size >> (HEIGHT * level)) - (index << HEIGHT)))
    return tile, slice(offset * HASH_BYTES, (offset + (1 << height)) * HASH_BYTES)


def _top(hashes: bytes) -> bytes:
    """Return the hash over a perfect subtree, from those of its lowest level."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Write a bundle: "sequences of big-endian uint16 length-prefixed log entries"."""
    if any(len(each) > ENTRY_MAX for each in entries):
        raise Malformed(f"an entry is longer than {ENTRY_MAX} bytes")
    return b"".join(len(each).to_bytes(2, "big") + each for each in entries)


def unpack_entries(bundle: bytes) -> list[bytes]:
    """Read a bundle."""
    entries, at = [], 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start], "big")
        entries.append(bundle[start:at])
        if start > len(bundle) or at > len(bundle):
            raise Malformed("the last entry is cut off")
    return entries
