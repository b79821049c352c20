"""Checkpoints (C2SP tlog-checkpoint v1.0.0): a log's statement of its tree, signed as a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.transparency.encoding import Malformed, from_base64, from_decimal, lines_of, to_base64
from ledger.transparency.merkle import EMPTY_ROOT, HASH_BYTES
from ledger.transparency.note import Note, NotSigned, Signer, Verifier, open_note, parse_note

_LINES = 3
"""Lines that each checkpoint has: origin, size, root."""


class Checkpoint(NamedTuple):
    """The state of a log.

    Attributes:
        origin: The log's name: "a unique identifier for the log identity".
        size: How many leaves its tree has.
        root: The hash over all of them.
        extensions: Further lines, of which nothing is known. We write none.

    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, *signers: Signer) -> Note:
        """Return the note of this checkpoint, signed by all of ``signers``."""
        parse_checkpoint(self.text)  # What cannot be read back is not signed.
        return Note(self.text, tuple(each.sign(self.text) for each in signers))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a note as a checkpoint, without believing it."""
    # As specified: "a sequence of at least three non-empty lines".
    lines = lines_of(text)
    if len(lines) < _LINES or not all(lines):
        raise Malformed(f"a checkpoint is at least {_LINES} lines, none of them empty")
    origin, size, root, *extensions = lines
    # The size has "no leading zeroes (unless the tree is empty, in which case the tree size is 0)".
    checkpoint = Checkpoint(
        origin, from_decimal(size), from_base64(root, HASH_BYTES), tuple(extensions)
    )
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise Malformed("an empty tree has another root")
    return checkpoint


def open_checkpoint(signed: bytes, keys: Sequence[Verifier]) -> Checkpoint:
    """Read a checkpoint that at least one of a log's ``keys`` signed, under the name of that key.

    Raises:
        Malformed: It is not a checkpoint.
        NotSigned: None of them signed it, or it is of another log.

    """
    checkpoint = parse_checkpoint(parse_note(signed).text)
    # "The log's key name in its signature line SHOULD match the origin line": ours always does.
    its_own = [key for key in keys if key.name == checkpoint.origin]
    if not its_own:
        raise NotSigned(f"no key is trusted to sign for {checkpoint.origin}")
    open_note(signed, its_own)
    return checkpoint
