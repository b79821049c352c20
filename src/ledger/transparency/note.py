"""Signed notes (C2SP signed-note v1.0.0): text that one or more keys have signed.

``— <key name> base64(32-bit key ID || signature)`` is a signature line, and
``<key name>+hex(32-bit key ID)+base64(signature type || public key)`` the text of a verifier key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import ClassVar, NamedTuple, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.kernel.errors import LedgerError
from ledger.transparency.encoding import Malformed, from_base64, lines_of, to_base64

NOTE_BYTES_MAX = 1_000_000
"""Bytes of the longest note that is read."""

SIGNATURES_MAX = 100
"""Signatures that are read: verifiers "MUST accept at least up to 16 signatures"."""

ID_BYTES = 4
KEY_BYTES = 32

_EM_DASH = "\u2014"
_SECRET = "PRIVATE+KEY+"  # noqa: S105  # How the text of a secret key begins.


class NotSigned(LedgerError):
    """What is signed counts only if a key that is trusted signed it."""


class Signature(NamedTuple):
    """One signature line.

    Attributes:
        name: Of the key.
        key_id: Tells keys of one name apart; no proof of anything.
        signature: What the key made of the text, by its own algorithm.

    """

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """Write the line, without the newline that ends it."""
        return f"{_EM_DASH} {self.name} {to_base64(self.key_id + self.signature)}"


class Note(NamedTuple):
    """A text and its signatures, none of which needs to be right.

    Attributes:
        text: What is signed, with the newline that ends it.
        signatures: In their order.

    """

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Write the note."""
        if not self.text.endswith("\n"):
            raise Malformed("the text of a note ends in a newline")
        _refuse_controls(self.text)
        lines = "".join(f"{each}\n" for each in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def signed_again(self, *more: Signature) -> Note:
        """Return the note with more signatures, each key's latest in the place of its earlier."""
        newer = {each[:2] for each in more}
        kept = [each for each in self.signatures if each[:2] not in newer]
        return Note(self.text, (*kept, *more))


class Verifier:
    """A public key that is trusted, and its name.

    Attributes:
        TYPE: Identifies the algorithm: "0x01 — Ed25519 signatures as specified by this document".
        name: Of the key.
        public: The Ed25519 public key.
        key_id: See ``Signature``.

    """

    TYPE: ClassVar[int] = 0x01

    def __init__(self, name: str, public: bytes) -> None:
        _refuse_name(name)
        if len(public) != KEY_BYTES:
            raise Malformed(f"an Ed25519 key has {KEY_BYTES} bytes")
        self.name = name
        self.public = public
        # As specified: "key ID = SHA-256(key name || 0x0A || signature type || public key)[:4]"
        typed = bytes([self.TYPE]) + public
        self.key_id = sha256(name.encode() + b"\n" + typed).digest()[:ID_BYTES]
        self._text = f"{name}+{self.key_id.hex()}+{to_base64(typed)}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verifier) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        """Write the key as a verifier key, or vkey."""
        return self._text

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key of this type."""
        name, _, rest = text.partition("+")
        _, _, typed = rest.partition("+")
        key = from_base64(typed, KEY_BYTES + 1)
        # "a parsed vkey SHOULD NOT be used to verify any other signature type"
        if key[0] != cls.TYPE:
            raise Malformed(f"this is a key of type {key[0]:#04x} and not of {cls.TYPE:#04x}")
        verifier = cls(name, key[1:])
        if str(verifier) != text:  # "The signature type MUST match the key ID".
            raise Malformed("the ID in this verifier key is not that of its name and key")
        return verifier

    def verifies(self, text: str, signature: bytes) -> bool:
        """Say whether this key made ``signature`` of ``text``."""
        return self._verifies(text.encode(), signature)

    def _verifies(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A secret key and its name.

    Attributes:
        VERIFIER: What its signatures are verified with.
        verifier: The public half.

    """

    VERIFIER: ClassVar[type[Verifier]] = Verifier

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise Malformed(f"an Ed25519 key has {KEY_BYTES} bytes")
        self._secret = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = self.VERIFIER(name, self._secret.public_key().public_bytes_raw())

    @classmethod
    def generate(cls, name: str) -> Self:
        """Return a signer with a new key."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a secret key: ``PRIVATE+KEY+<name>+<key ID of the public key>+<type and seed>``."""
        if not text.startswith(_SECRET):
            raise Malformed(f"a secret key begins with {_SECRET}")
        name, _, rest = text.removeprefix(_SECRET).partition("+")
        key_id, _, typed = rest.partition("+")
        key = from_base64(typed, KEY_BYTES + 1)
        signer = cls(name, key[1:])
        if key[0] != cls.VERIFIER.TYPE or key_id != signer.verifier.key_id.hex():
            raise Malformed("the ID in this secret key is not that of its name, type and key")
        return signer

    def secret_text(self) -> str:
        """Write the key as ``parse`` reads it. To be kept secret."""
        typed = to_base64(bytes([self.VERIFIER.TYPE]) + self._secret.private_bytes_raw())
        return f"{_SECRET}{self.verifier.name}+{self.verifier.key_id.hex()}+{typed}"

    def sign(self, text: str) -> Signature:
        """Sign the text of a note: "according to RFC 8032 over the note text"."""
        return self._signature(self._sign(text.encode()))

    def _sign(self, message: bytes) -> bytes:
        return self._secret.sign(message)

    def _signature(self, signature: bytes) -> Signature:
        return Signature(self.verifier.name, self.verifier.key_id, signature)


def parse_note(signed: bytes) -> Note:
    """Read a note without believing it."""
    if len(signed) > NOTE_BYTES_MAX:
        raise Malformed(f"a note has at most {NOTE_BYTES_MAX:,} bytes")
    try:
        whole = signed.decode()
    except UnicodeDecodeError:
        raise Malformed("a note is UTF-8") from None
    _refuse_controls(whole)
    # "the text is separated from the signatures by the last empty line in the note"
    split = whole.rfind("\n\n")
    if split < 0:
        raise Malformed("there is no empty line before the signatures")
    return Note(whole[: split + 1], read_signatures(whole[split + 2 :]))


def read_signatures(lines: str) -> tuple[Signature, ...]:
    """Read one or more signature lines, each of which ends in a newline."""
    signatures = tuple(_signature(line) for line in lines_of(lines))
    if len(signatures) > SIGNATURES_MAX:
        raise Malformed(f"more than {SIGNATURES_MAX} signatures are not read")
    return signatures


V = TypeVar("V", bound=Verifier)


def signed_by(note: Note, keys: Iterable[V]) -> list[tuple[V, Signature]]:
    """Return which of ``keys`` signed, each with its signature; others' signatures are ignored.

    Raises:
        NotSigned: A line says that it is one of theirs, and is not.

    """
    known = {(key.name, key.key_id): key for key in keys}
    signed: dict[tuple[str, bytes], tuple[V, Signature]] = {}
    for each in note.signatures:
        # "Verifiers MUST ignore signatures from unknown keys, even if they share a name or ID (but
        # not both) with a known key."
        key = known.get((each.name, each.key_id))
        if key is None:
            continue
        # "If a signature from a known key fails to verify, clients SHOULD reject the whole note."
        if not key.verifies(note.text, each.signature):
            raise NotSigned(f"a signature in the name of {each.name} is not by its key")
        signed.setdefault((each.name, each.key_id), (key, each))
    return list(signed.values())


def open_note(signed: bytes, keys: Sequence[V]) -> Note:
    """Read a note that at least one of ``keys`` signed.

    Raises:
        Malformed: It is no note.
        NotSigned: None of them signed it, or what looks like a signature of theirs is none.

    """
    note = parse_note(signed)
    # "If no signature from a known key verifies successfully, clients MUST reject the note."
    if not signed_by(note, keys):
        raise NotSigned("no key that is trusted signed this")
    return note


def _signature(line: str) -> Signature:
    # The form is "em dash (U+2014), space (U+0020), key name, space, base64-encoded signature,
    # newline".
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _EM_DASH:
        raise Malformed("a signature line begins with an em dash and a space")
    _refuse_name(name)
    data = from_base64(encoded)
    if len(data) <= ID_BYTES:  # "Signatures are the base64 encoding of 4+n bytes."
        raise Malformed("a signature is longer than the ID of its key")
    return Signature(name, data[:ID_BYTES], data[ID_BYTES:])


def _refuse_name(name: str) -> None:
    # As specified: "Key names MUST be non-empty and MUST NOT contain any Unicode spaces or plus
    # (U+002B) characters."
    if not name or "+" in name or any(each.isspace() for each in name):
        raise Malformed("the name of a key is not empty, and has no spaces and no plus in it")
    if any("\ud800" <= each <= "\udfff" for each in name):
        raise Malformed("the name of a key is UTF-8")
    _refuse_controls(name)


def _refuse_controls(text: str) -> None:
    # Notes "MUST NOT contain any ASCII control characters (those below U+0020) other than
    # newline".
    if any(each < " " and each != "\n" for each in text):
        raise Malformed("a note has no control characters but newlines")
