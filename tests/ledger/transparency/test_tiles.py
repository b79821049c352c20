"""Tiles are where C2SP tlog-tiles says, and the same however the tree came to grow."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.transparency.encoding import Malformed
from ledger.transparency.merkle import (
    Frontier,
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    root,
    verify_consistency,
    verify_inclusion,
)
from ledger.transparency.tiles import (
    ENTRIES,
    ENTRY_MAX,
    Tile,
    grow,
    hash_reader,
    pack_entries,
    parse_path,
    partial_tiles,
    tiles_of,
    tiles_written,
    unpack_entries,
)

LARGE = 65_536 + 300
HASHES = [leaf_hash(str(each).encode()) for each in range(LARGE)]

PATHS = {
    "tile/0/000": Tile(0, 0),
    "tile/0/273.p/112": Tile(0, 273, 112),
    "tile/1/x001/067": Tile(1, 1067),
    "tile/3/x001/x234/067": Tile(3, 1_234_067),
    "tile/63/x001/x234/067.p/255": Tile(63, 1_234_067, 255),
    "tile/entries/x001/067.p/1": Tile(ENTRIES, 1067, 1),
}


class Shelf:
    """Tiles as a log keeps them: of each place the widest, from which the narrower are cut."""

    def __init__(self):
        self.size = 0
        self.tiles = {}

    def add(self, count):
        new = HASHES[self.size : self.size + count]
        partial = dict(
            zip(partial_tiles(self.size), self.read(partial_tiles(self.size)), strict=True)
        )
        for tile, content in grow(self.size, new, partial):
            self.tiles[tile[:2]] = content
        self.size += count

    def read(self, tiles):
        return [self.tiles[tile[:2]][: 32 * tile.width] for tile in tiles]

    def hashes(self, size):
        return hash_reader(size, self.read)


@pytest.fixture(name="shelf", scope="module")
def _shelf():
    shelf = Shelf()
    shelf.add(LARGE)
    return shelf


def root_of(size):
    tree = Frontier()
    for each in HASHES[:size]:
        tree.append(each)
    return tree.root()


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_written_and_read_as_specified(path):
    assert PATHS[path].path == path
    assert parse_path(path) == PATHS[path]


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/100/000",
        "tile/-1/000",
        "tile/data/000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/0/x001/x067",
        "tile/0/1067",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "/tile/0/000",
        "tile/0/" + "x999/" * 7 + "999",
        "tile/0/" + "x999/" * 5_000 + "999",
    ],
)
def test_each_tile_has_one_path_and_no_other(path):
    with pytest.raises(Malformed):
        parse_path(path)


def test_the_specifications_own_example_of_a_tree():
    """Its words: "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial
    level 0 tile of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one
    partial level 2 tile of width 1"; 256 "by a full level 0 tile and a partial level 1 tile of
    width 1".
    """  # Quoted.
    assert list(tiles_of(70_000)) == [
        *(Tile(0, number) for number in range(273)),
        Tile(0, 273, 112),
        Tile(1, 0),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert list(partial_tiles(70_000)) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        (0, 1, [Tile(0, 0, 1)]),
        (1, 255, [Tile(0, 0, 255)]),
        (255, 256, [Tile(0, 0), Tile(1, 0, 1)]),
        (256, 257, [Tile(0, 1, 1)]),
        (300, 300, []),
        (500, 800, [Tile(0, 1), Tile(0, 2), Tile(0, 3, 32), Tile(1, 0, 3)]),
        (65_535, 65_537, [Tile(0, 255), Tile(0, 256, 1), Tile(1, 0), Tile(2, 0, 1)]),
    ],
)
def test_growing_writes_what_is_new_or_wider(old, new, written):
    assert list(tiles_written(old, new)) == written


def test_level_0_has_the_leaves_and_each_level_above_the_tops_of_full_tiles(shelf):
    assert shelf.tiles[0, 7] == b"".join(HASHES[7 * 256 : 8 * 256])
    for level, number in ((0, 3), (1, 0)):
        top = shelf.tiles[level, number]
        rows = [top[at : at + 32] for at in range(0, len(top), 32)]
        while len(rows) > 1:
            rows = [
                sha256(b"\1" + left + right).digest()
                for left, right in zip(rows[::2], rows[1::2], strict=True)
            ]

        assert shelf.tiles[level + 1, 0][32 * number : 32 * (number + 1)] == rows[0]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 700), max_size=6))
def test_any_split_into_batches_gives_the_same_tiles(batches):
    at_once, in_parts = Shelf(), Shelf()
    at_once.add(sum(batches))
    for each in batches:
        in_parts.add(each)

    assert in_parts.tiles == at_once.tiles
    assert {(tile[:2], tile.width) for tile in tiles_of(at_once.size)} == {
        (place, len(content) // 32) for place, content in at_once.tiles.items()
    }
    assert root(at_once.size, at_once.hashes(at_once.size)) == root_of(at_once.size)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300, 511, 65_535, 65_536, 65_537, LARGE])
def test_roots_and_proofs_of_any_size_come_from_the_tiles_of_the_largest(shelf, size):
    trusted = root(size, shelf.hashes(size))
    assert trusted == root_of(size)

    for index in {0, size // 3, size - 1}:
        path = prove_inclusion(index, size, shelf.hashes(size))
        verify_inclusion(index, size, HASHES[index], path, trusted)
    for old in {1, size // 2, size - 1, size}:
        proof = prove_consistency(old, size, shelf.hashes(size))
        verify_consistency(old, size, root_of(old), trusted, proof)


def test_a_proof_reads_one_tile_a_level(shelf):
    asked = []

    def counted(tiles):
        asked.append(sorted(tiles))
        return shelf.read(tiles)

    prove_inclusion(40_000, LARGE, hash_reader(LARGE, counted))

    assert asked == [[Tile(0, 156), Tile(0, 257, 44), Tile(1, 0), Tile(1, 1, 1)]]


def test_a_tile_that_is_too_short_is_refused(shelf):
    def cut(tiles):
        return [content[:-32] for content in shelf.read(tiles)]

    with pytest.raises(Malformed, match=r"tile/0/156 has 8160 bytes"):
        prove_inclusion(40_000, LARGE, hash_reader(LARGE, cut))


def test_entries_are_preceded_by_their_length():
    assert pack_entries([b"ab", b"", b"c" * 258]) == b"\0\2ab\0\0\1\2" + b"c" * 258
    assert unpack_entries(pack_entries([b"ab", b"", b"c" * 258])) == [b"ab", b"", b"c" * 258]
    assert unpack_entries(b"") == []
    assert unpack_entries(pack_entries([b"a" * ENTRY_MAX])) == [b"a" * ENTRY_MAX]


@pytest.mark.parametrize("bundle", [b"\0", b"\0\2a", b"\0\1ab"])
def test_a_bundle_that_is_cut_off_is_refused(bundle):
    with pytest.raises(Malformed):
        unpack_entries(bundle)


def test_an_entry_that_is_too_long_for_a_bundle_is_refused():
    with pytest.raises(Malformed):
        pack_entries([b"a" * (ENTRY_MAX + 1)])
