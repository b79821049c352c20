"""A log that we write is checked by others' code, and found wrong by it where it is."""

from uuid import UUID

import pytest

from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.cosignature import Cosigner
from ledger.transparency.leaf import leaf_of
from ledger.transparency.merkle import leaf_hash, prove_consistency, prove_inclusion, root
from ledger.transparency.note import Signer
from ledger.transparency.tiles import ENTRIES, Tile, grow, hash_reader, pack_entries, tiles_of
from tests.go_check import build, check, write_proofs

pytestmark = pytest.mark.slow  # Building their code takes longest.

SEED = bytes(range(32))
SIGNER = Signer("leifeng.example/ledger", SEED[::-1])
WITNESS = Cosigner("witness.example/w", SEED)


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    return build(tmp_path_factory.mktemp("go"))


def write_log(folder, size):
    """Write a log of ``size`` leaves as files, with every proof of its leaves and smaller trees."""
    entries = [
        leaf_of(nid, UUID(int=nid), 1, "donation.pledged.1", b"%d" % nid).encode()
        for nid in range(1, size + 1)
    ]
    tiles = dict(grow(0, [leaf_hash(each) for each in entries], {}))
    hashes = hash_reader(size, lambda wanted: [tiles[each] for each in wanted])
    for tile in tiles_of(size):
        write(folder / tile.path, tiles[tile])
        if tile.level == 0:
            held = entries[tile.first : tile.first + tile.width]
            write(folder / Tile(ENTRIES, tile.number, tile.width).path, pack_entries(held))
    note = Checkpoint(SIGNER.verifier.name, size, root(size, hashes)).sign(SIGNER)
    note = note.signed_again(WITNESS.cosign(note.text, 1679315147))
    write(folder / "checkpoint", note.encode())
    write_proofs(
        folder,
        [(index, size, prove_inclusion(index, size, hashes)) for index in range(size)],
        [(old, size, prove_consistency(old, size, hashes)) for old in range(1, size + 1)],
    )


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def checked(checker, folder):
    return check(checker, folder, SIGNER.verifier, WITNESS.verifier.name, SEED.hex())


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_it_is_read_and_every_proof_of_it_holds(checker, tmp_path, size):
    write_log(tmp_path, size)

    done = checked(checker, tmp_path)

    assert done.stderr == ""
    assert done.stdout == f"{size} entries, 2 signatures, {size} and {size} proofs\n"


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        ("checkpoint", b"ledger"),
        ("checkpoint", b"witness"),
        ("tile/entries/001", b"ledger"),
        ("tile/0/001", b""),
        ("tile/1/000.p/2", b""),
        ("inclusion.json", b'["'),
        ("consistency.json", b'["'),
    ],
)
def test_what_is_changed_is_found(checker, tmp_path, name, sign):
    write_log(tmp_path, 700)
    content = (tmp_path / name).read_bytes()
    place = content.index(sign) + len(sign)
    changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    (tmp_path / name).write_bytes(changed)

    done = checked(checker, tmp_path)

    if sign == b"witness":  # An unknown key's signature is ignored, as it must be.
        assert "700 entries, 1 signatures" in done.stdout
    else:
        assert done.returncode == 1
