"""Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519): seen to be consistent, and when."""

from __future__ import annotations

from typing import ClassVar

from ledger.transparency.checkpoint import parse_checkpoint
from ledger.transparency.encoding import NUMBER_MAX, Malformed
from ledger.transparency.note import Signature, Signer, Verifier

_TIME_BYTES = 8
_BYTES = _TIME_BYTES + 64


class Witness(Verifier):
    """The public key of a witness.

    "0x04 — Timestamped Ed25519 witness cosignatures, as specified by c2sp.org/tlog-cosignature".
    """

    TYPE: ClassVar[int] = 0x04

    def verifies(self, text: str, signature: bytes) -> bool:
        """Say whether the witness made ``signature``, which has a time in it, of ``text``."""
        if len(signature) != _BYTES or cosigned_at(signature) > NUMBER_MAX:
            return False
        try:
            message = _message(text, cosigned_at(signature))
        except Malformed:
            return False
        return self._verifies(message, signature[_TIME_BYTES:])


class Cosigner(Signer):
    """The secret key of a witness."""

    VERIFIER: ClassVar[type[Verifier]] = Witness

    def sign(self, text: str) -> Signature:
        """Refuse: a witness says when."""
        raise NotImplementedError("a witness signs by Cosigner.cosign")

    def cosign(self, text: str, at: int) -> Signature:
        """Say that, as of ``at``, this is the largest consistent tree that was seen of its log.

        Args:
            text: Of a checkpoint.
            at: Seconds since the Epoch.

        """
        made = self._sign(_message(text, at))
        return self._signature(at.to_bytes(_TIME_BYTES, "big") + made)


def cosigned_at(signature: bytes) -> int:
    """Return when a witness says that it signed, in seconds since the Epoch.

    "these are serialized in sequence, with the timestamp encoded in big-endian order".
    """
    return int.from_bytes(signature[:_TIME_BYTES], "big")


def _message(text: str, at: int) -> bytes:
    parse_checkpoint(text)  # A witness signs checkpoints and nothing else.
    if not 0 <= at <= NUMBER_MAX:  # "It MUST NOT exceed 2^63 - 1".
        raise Malformed("there is no such time")
    # Signed message: "two newline (U+000A) terminated lines (one header line and one timestamp
    # line) followed by the whole note body of the cosigned checkpoint".
    return f"cosignature/v1\ntime {at}\n{text}".encode()
