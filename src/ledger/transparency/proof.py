"""Proofs that stand alone (C2SP tlog-proof v1): a leaf, its path, a checkpoint that it is in."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.encoding import Malformed, from_base64, from_decimal, to_base64
from ledger.transparency.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from ledger.transparency.note import parse_note
from ledger.transparency.policy import Policy

_FIRST = "c2sp.org/tlog-proof@v1"

PATH_MAX = 63
"""Hashes of the longest path, that in a tree of the greatest size."""


@dataclass(frozen=True)
class Proof:
    """A self-contained proof that an entry is in a log.

    Attributes:
        index: Of the entry, counting from 0.
        path: "starting from the leaf's sibling hash up to the root's child hash".
        checkpoint: The note with all its signatures, verbatim.
        extra: Anything, and not to be trusted: "it is not authenticated".

    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """Write the proof."""
        # "If no extra data is present, this line is omitted."
        extra = [f"extra {to_base64(self.extra)}"] if self.extra else []
        hashes = [to_base64(each) for each in self.path]
        head = "\n".join([_FIRST, *extra, f"index {self.index}", *hashes])
        return head.encode() + b"\n\n" + self.checkpoint

    def verify(self, entry: bytes, policy: Policy) -> Checkpoint:
        """Check that ``entry`` is in a log, and that this has been signed and seen as it must be.

        Raises:
            NotSigned: No log that ``policy`` trusts signed the checkpoint.
            QuorumMissing: Too few witnesses did.
            NotProven: The entry is not there.

        """
        checkpoint = policy.open(self.checkpoint)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(entry), self.path, checkpoint.root)
        return checkpoint


def parse_proof(written: bytes) -> Proof:
    """Read a proof without believing it."""
    # "After the inclusion proof lines and an empty line, the checkpoint issued by the log is
    # included verbatim"
    head, empty_line, checkpoint = written.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Malformed("a proof is ASCII up to its checkpoint") from None
    if first != _FIRST or not empty_line:
        raise Malformed(f"a proof begins with {_FIRST} and has an empty line before its checkpoint")
    extra = b""
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "))
    if not lines or not lines[0].startswith("index "):
        raise Malformed("a proof says which index it is about")
    index, *path = lines
    if len(path) > PATH_MAX:
        raise Malformed(f"a path has at most {PATH_MAX} hashes")
    parse_checkpoint(parse_note(checkpoint).text)
    return Proof(
        from_decimal(index.removeprefix("index ")),
        tuple(from_base64(each, HASH_BYTES) for each in path),
        checkpoint,
        extra,
    )
