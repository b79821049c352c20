"""The Merkle tree of RFC 6962 and RFC 9162: hashes, roots, and proofs about them.

A tree is made of perfect subtrees, which never change once they are full. Whatever holds their
hashes (``ReadHashes``) is enough to make any root and any proof of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.kernel.errors import LedgerError

HASH_BYTES = 32
"""Bytes of a SHA-256 hash."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves: "MTH({}) = SHA-256()"."""


class NotProven(LedgerError):
    """A proof has to lead from what it is about to the root that was signed."""


class OutsideTree(LedgerError):
    """What is to be proven has to be in the tree."""


class Node(NamedTuple):
    """The top of a perfect subtree.

    Attributes:
        level: Its height: it stands over 2**level leaves.
        number: How many such subtrees are to the left of it.

    """

    level: int
    number: int


ReadHashes = Callable[[Sequence[Node]], Sequence[bytes]]
"""Returns the hashes of nodes, in their order."""

Range = tuple[int, int]
"""Leaves from the first index up to, and without, the second."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash one leaf: "MTH({d(0)}) = SHA-256(0x00 || d(0))"."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into what is above them: "SHA-256(0x01 || left || right)"."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that only grows, of which no more is kept than its growing takes.

    Attributes:
        size: How many leaves it has.

    """

    def __init__(self) -> None:
        self.size = 0
        self._tops: list[bytes] = []

    def append(self, hashed: bytes) -> None:
        """Add one leaf, by its hash."""
        filled = self.size
        while filled & 1:  # A subtree as high stands alone to the left, and now has its pair.
            hashed = node_hash(self._tops.pop(), hashed)
            filled >>= 1
        self._tops.append(hashed)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what has been added so far."""
        return _joined(self._tops)


def root(size: int, read: ReadHashes) -> bytes:
    """Return the root of the first ``size`` leaves."""
    return _hashes([(0, size)], read)[0]


def prove_inclusion(index: int, size: int, read: ReadHashes) -> list[bytes]:
    """Return the path from leaf ``index`` to the root of the first ``size`` leaves.

    RFC 6962 §2.1.1: "PATH(m, D[n]) = PATH(m, D[0:k]) : MTH(D[k:n]) for m < k; and
    PATH(m, D[n]) = PATH(m - k, D[k:n]) : MTH(D[0:k]) for m >= k".
    """
    if not 0 <= index < size:
        raise OutsideTree(f"there is no leaf {index} in a tree of {size}")
    beside: list[Range] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            beside.append((middle, high))
            high = middle
        else:
            beside.append((low, middle))
            low = middle
    return _hashes(beside[::-1], read)


def prove_consistency(old: int, new: int, read: ReadHashes) -> list[bytes]:
    """Return what shows that the first ``old`` of the first ``new`` leaves are unchanged.

    RFC 6962 §2.1.2: "SUBPROOF(m, D[n], b) = SUBPROOF(m, D[0:k], b) : MTH(D[k:n])" for m <= k, and
    "SUBPROOF(m - k, D[k:n], false) : MTH(D[0:k])" for m > k. Nothing is needed to show that a tree
    extends itself or the empty one.
    """
    if not 0 <= old <= new:
        raise OutsideTree(f"a tree of {new} leaves cannot extend one of {old}")
    if old in (0, new):
        return []
    beside: list[Range] = []
    low, high = 0, new
    while old < high:
        middle = low + _split(high - low)
        if old <= middle:
            beside.append((middle, high))
            high = middle
        else:
            beside.append((low, middle))
            low = middle
    if low:  # "SUBPROOF(m, D[m], false) = {MTH(D[m])}": the verifier does not know it.
        beside.append((low, high))
    return _hashes(beside[::-1], read)


def verify_inclusion(
    index: int, size: int, hashed: bytes, path: Sequence[bytes], trusted: bytes
) -> None:
    """Check that the tree of ``size`` leaves with root ``trusted`` has ``hashed`` at ``index``.

    The steps are those of RFC 9162 §2.1.3.2.

    Raises:
        NotProven: It does not follow.

    """
    _check_hashes(hashed, trusted, *path)
    # "Compare leaf_index from the inclusion_proof_v2 structure against tree_size. If leaf_index is
    # greater than or equal to tree_size, then stop and fail the proof verification."
    if not 0 <= index < size:
        raise NotProven(f"there is no leaf {index} in a tree of {size}")
    fn, sn, reached = index, size - 1, hashed
    for step in path:
        if sn == 0:  # "If sn is 0, then stop the iteration and fail the proof verification."
            raise NotProven("the path is too long")
        if fn & 1 or fn == sn:
            reached = node_hash(step, reached)
            fn, sn = _up_to_a_left_turn(fn, sn)
        else:
            reached = node_hash(reached, step)
        fn, sn = fn >> 1, sn >> 1
    # "Compare sn to 0. Compare r against the root_hash. If sn is equal to 0 and r and the root_hash
    # are equal, then the log has proven the inclusion."
    if sn or reached != trusted:
        raise NotProven(f"leaf {index} is not in the tree of {size} with this root")


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the tree of ``new`` leaves begins with that of ``old``, each known by its root.

    The steps are those of RFC 9162 §2.1.4.2.

    Raises:
        NotProven: It does not follow.

    """
    _check_hashes(old_root, new_root, *proof)
    if not 0 <= old <= new:
        raise NotProven(f"a tree of {new} leaves cannot extend one of {old}")
    if old in (0, new):
        if proof or old_root != (new_root if old else EMPTY_ROOT):
            raise NotProven(f"these are not two roots of one tree of {old}")
        return
    if not proof:  # "If consistency_path is an empty array, stop and fail."
        raise NotProven("there is no proof")
    # "If first is an exact power of 2, then prepend first_hash to the consistency_path array."
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    fn, sn = old - 1, new - 1
    while fn & 1:  # "If LSB(fn) is set, then right-shift both equally until it is not set."
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for step in path[1:]:
        if sn == 0:
            raise NotProven("the proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(step, first), node_hash(step, second)
            fn, sn = _up_to_a_left_turn(fn, sn)
        else:
            second = node_hash(second, step)
        fn, sn = fn >> 1, sn >> 1
    # "Verify that the fr calculated is equal to the first_hash supplied, that the sr calculated is
    # equal to the second_hash supplied, and that sn is 0."
    if sn or first != old_root or second != new_root:
        raise NotProven(f"the tree of {new} does not extend that of {old}")


def _up_to_a_left_turn(fn: int, sn: int) -> tuple[int, int]:
    """Do "right-shift both fn and sn equally until either LSB(fn) is set or fn is 0"."""
    while fn and not fn & 1:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _check_hashes(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise NotProven(f"a hash has {HASH_BYTES} bytes")


def _split(size: int) -> int:
    """Return "the largest power of two smaller than n", which is where a tree divides."""
    return 1 << ((size - 1).bit_length() - 1)


def _perfect(leaves: Range) -> Iterator[Node]:
    """Divide a range, as trees have them, into perfect subtrees, the highest first."""
    low, high = leaves
    while low < high:
        level = (high - low).bit_length() - 1
        yield Node(level, low >> level)
        low += 1 << level


def _hashes(ranges: Iterable[Range], read: ReadHashes) -> list[bytes]:
    """Return the hash over each of these ranges, reading once."""
    parts = [list(_perfect(each)) for each in ranges]
    hashes = iter(read([node for part in parts for node in part]))
    return [_joined([next(hashes) for _ in part]) for part in parts]


def _joined(tops: Sequence[bytes]) -> bytes:
    """Return the hash over perfect subtrees that stand side by side, the highest first."""
    if not tops:
        return EMPTY_ROOT
    *rest, joined = tops
    for each in reversed(rest):
        joined = node_hash(each, joined)
    return joined
