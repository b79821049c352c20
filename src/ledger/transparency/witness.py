"""Requests to a witness, and when it cosigns (C2SP tlog-witness): a log has only ever grown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.kernel.errors import LedgerError
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.transparency.encoding import Malformed, from_base64, from_decimal, lines_of, to_base64
from ledger.transparency.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency
from ledger.transparency.note import Verifier, parse_note

PROOF_MAX = 63
"""Hashes in a proof: "The client MUST NOT send more than 63 consistency proof lines."."""


class UnknownLog(LedgerError):
    """A witness cosigns the logs that it was told of."""

    def __init__(self, origin: str) -> None:
        super().__init__(f"{origin} is not a log that is witnessed here")


class OldSizeDiffers(LedgerError):
    """A proof begins at the tree that the witness cosigned last.

    Attributes:
        size: Of that tree.

    """

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the tree that was cosigned last has {size} leaves")


class SecondTree(OldSizeDiffers):
    """A log has one tree of each size."""


class Submission(NamedTuple):
    """A new checkpoint, and what shows that it extends the one that the witness cosigned last.

    Attributes:
        old: How many leaves that one has.
        proof: That the new tree begins with it.
        checkpoint: The note with all its signatures, verbatim.

    """

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Write it as it is sent."""
        lines = [f"old {self.old}", *map(to_base64, self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_submission(body: bytes) -> Submission:
    """Read what was sent, without believing it.

    Raises:
        Malformed: It is no submission.

    """
    # "an old size line, zero or more consistency proof lines, and an empty line, followed by a
    # checkpoint"
    head, empty_line, checkpoint = body.partition(b"\n\n")
    try:
        old, *proof = lines_of(head.decode("ascii") + "\n")
    except UnicodeDecodeError:
        raise Malformed("a submission is ASCII up to its checkpoint") from None
    if not old.startswith("old ") or not empty_line:
        raise Malformed(
            "a submission says which size is old, and has an empty line after its proof"
        )
    if len(proof) > PROOF_MAX:
        raise Malformed(f"a proof has at most {PROOF_MAX} hashes")
    submission = Submission(
        from_decimal(old.removeprefix("old ")),
        tuple(from_base64(each, HASH_BYTES) for each in proof),
        checkpoint,
    )
    if submission.old > parse_checkpoint(parse_note(checkpoint).text).size:
        # "The old size MUST be equal to or lower than the checkpoint size."
        raise Malformed("the old size is greater than that of the checkpoint")
    return submission


def log_of(submission: Submission, logs: Sequence[Verifier]) -> Checkpoint:
    """Return the checkpoint that was sent, if one of ``logs`` signed it.

    Raises:
        UnknownLog: It is of none of them.
        NotSigned: It is, and was not signed by it.

    """
    origin = parse_checkpoint(parse_note(submission.checkpoint).text).origin
    keys = [key for key in logs if key.name == origin]
    if not keys:
        raise UnknownLog(origin)
    return open_checkpoint(submission.checkpoint, keys)


def judge(submission: Submission, new: Checkpoint, seen: Checkpoint | None) -> None:
    """Refuse to cosign ``new`` unless it extends what was ``seen`` of its log.

    Raises:
        OldSizeDiffers: The proof begins elsewhere.
        SecondTree: There are two trees of this size.
        NotProven: The proof does not show it.

    """
    old_size, old_root = (seen.size, seen.root) if seen else (0, EMPTY_ROOT)
    if submission.old != old_size:
        raise OldSizeDiffers(old_size)
    # "If the old size matches the checkpoint size, the witness MUST check that the root hashes are
    # also identical."
    if new.size == old_size and new.root != old_root:
        raise SecondTree(old_size)
    verify_consistency(old_size, new.size, old_root, new.root, submission.proof)
