"""The leaf that stands in the tree for one stored event.

A leaf is one JSON object in canonical form (RFC 8785), without a newline after it. It carries the
hash of the event's state and not the state itself, which may be shown to fewer people: the leaves
are public, and each event has a salt that keeps its hash from being guessed back to its words.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import msgspec

from ledger.kernel.names import Position
from ledger.transparency.encoding import Malformed

APP = "ledger"
"""The application whose events these are."""

FORM = 1
"""The form of the leaf, as below. Another form would get another number."""


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tree's commitment to one stored event.

    Attributes:
        app: Whose event it is.
        nid: Its position in the whole ledger, counting from 1; the leaf's index is one less.
        oid: Its stream, as canonical UUID text.
        over: Its version in that stream, counting from 1.
        sha256: Hash of its state, byte for byte as stored, in hexadecimal.
        size: How many bytes of state there are.
        topic: What kind of event it is.
        v: The form of this leaf.

    """

    app: str
    nid: int
    oid: str
    over: int
    sha256: str
    size: int
    topic: str
    v: int

    @property
    def index(self) -> int:
        """Place of the leaf in the tree, counting from 0."""
        return self.nid - 1

    def encode(self) -> bytes:
        """Write the leaf as it is hashed into the tree."""
        return _encode(self)


def leaf_of(position: Position, stream: UUID | str, version: int, topic: str, state: bytes) -> Leaf:
    """Return the leaf of an event, from what is stored of it; its stream may be text already."""
    return Leaf(
        app=APP,
        nid=position,
        oid=str(stream),
        over=version,
        sha256=sha256(state).hexdigest(),
        size=len(state),
        topic=topic,
        v=FORM,
    )


def read_leaf(line: bytes) -> Leaf:
    """Read a leaf back; only the canonical spelling is one."""
    try:
        leaf = _decode(line)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Malformed(f"this is not a leaf: {error}") from None
    if leaf.encode() != line:
        raise Malformed("this leaf is not in canonical form")
    return leaf


_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(Leaf).decode
