"""What others hand over about a log: notes, checkpoints, proofs, submissions, keys and tiles."""

from __future__ import annotations

from contextlib import suppress

from ledger.kernel.errors import LedgerError
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.transparency.cosignature import Cosigner, Witness
from ledger.transparency.encoding import Malformed
from ledger.transparency.leaf import read_leaf
from ledger.transparency.merkle import EMPTY_ROOT, leaf_hash, verify_inclusion
from ledger.transparency.note import Signer, Verifier, parse_note
from ledger.transparency.policy import parse_policy
from ledger.transparency.proof import parse_proof
from ledger.transparency.tiles import pack_entries, parse_path, unpack_entries
from ledger.transparency.witness import judge, log_of, parse_submission

SIGNER = Signer("log.example", bytes(32))
WITNESS = Cosigner("w.example", bytes(31) + b"\1")
GENUINE = Checkpoint("log.example", 1, leaf_hash(b"the only leaf"))
SIGNED = GENUINE.sign(SIGNER).signed_again(WITNESS.cosign(GENUINE.text, 1_775_000_000))
"""The one note that was ever signed by these two."""


def note(data: bytes) -> None:
    """Read a note, and a checkpoint: each has one spelling, and only the genuine one is signed."""
    read = parse_note(data)
    assert read.encode() == data
    assert parse_checkpoint(read.text).text == read.text
    assert open_checkpoint(data, [SIGNER.verifier]) == GENUINE


def policy(data: bytes) -> None:
    """Read a policy, and hold the genuine note to it; written again it is the same."""
    read = parse_policy(data)
    assert parse_policy(read.encode()) == read
    assert read.open(SIGNED.encode()) == GENUINE


def proof(data: bytes) -> None:
    """Read a proof that stands alone; it proves the one leaf that there is, or nothing."""
    read = parse_proof(data)
    assert parse_proof(read.encode()) == read
    verify_inclusion(read.index, GENUINE.size, leaf_hash(data), read.path, GENUINE.root)
    raise AssertionError("another leaf was proven")


def submission(data: bytes) -> None:
    """Read what a witness is sent; only the genuine checkpoint is of a log that it knows."""
    read = parse_submission(data)
    assert read.encode() == data
    claimed = parse_checkpoint(parse_note(read.checkpoint).text)
    with suppress(LedgerError):
        judge(read, claimed, Checkpoint(claimed.origin, read.old, EMPTY_ROOT))
    assert log_of(read, [SIGNER.verifier]) == GENUINE


def key(data: bytes) -> None:
    """Read keys of each kind; each has one spelling."""
    text = data.decode(errors="surrogateescape")
    for kind in (Verifier, Witness):
        with suppress(Malformed):
            assert str(kind.parse(text)) == text
    for secret in (Signer, Cosigner):
        with suppress(Malformed):
            assert secret.parse(text).secret_text() == text


def tile(data: bytes) -> None:
    """Read the path of a tile, a leaf, and a bundle of entries; each has one spelling."""
    with suppress(Malformed):
        path = data.decode("latin-1")
        assert parse_path(path).path == path
    with suppress(Malformed):
        assert read_leaf(data).encode() == data
    with suppress(Malformed):
        assert pack_entries(unpack_entries(data)) == data


KINDS = (note, policy, proof, submission, key, tile)


def evidence(data: bytes) -> None:
    """Read what the first byte says that it is."""
    if data:
        with suppress(LedgerError):
            KINDS[data[0] % len(KINDS)](data[1:])
