"""A tree is proven as RFC 6962 says, and nothing else passes for a proof."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest

from ledger.transparency.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    Node,
    NotProven,
    OutsideTree,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root,
    verify_consistency,
    verify_inclusion,
)
from tests.folders import DATA

VECTORS = json.loads((DATA / "merkle.json").read_text(encoding="utf-8"))
"""From transparency-dev/merkle, which is under the Apache licence."""

SIZE_MAX = 130
LEAVES = [leaf_hash(str(each).encode()) for each in range(SIZE_MAX)]


def slow_root(leaves):
    """Return the Merkle tree hash as RFC 6962 §2.1 defines it, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = max(1 << power for power in range(10) if 1 << power < len(leaves))
    return sha256(b"\x01" + slow_root(leaves[:split]) + slow_root(leaves[split:])).digest()


def read(nodes):
    return [_read(node) for node in nodes]


def _read(node, known={}):  # noqa: B006  # Remembered on purpose.
    level, number = node
    if node not in known:
        known[node] = slow_root(LEAVES[number << level : (number + 1) << level])
    return known[node]


ROOTS = [slow_root(LEAVES[:size]) for size in range(SIZE_MAX + 1)]


def bits_of(hashes):
    """Return every sequence of hashes that differs from this one in one bit."""
    for place, each in enumerate(hashes):
        number = int.from_bytes(each, "big")
        for bit in range(8 * HASH_BYTES):
            changed = (number ^ 1 << bit).to_bytes(HASH_BYTES, "big")
            yield [*hashes[:place], changed, *hashes[place + 1 :]]


def decoded(text):
    return b64decode(text) if text else b""


def hashes(texts):
    return [decoded(each) for each in texts or ()]


def is_valid(case, *roots):
    """Say whether a vector holds: what it calls valid does, unless a root is no hash."""
    return not case["wantErr"] and all(len(decoded(case[each])) == HASH_BYTES for each in roots)


@pytest.mark.parametrize("name", VECTORS["inclusion"])
def test_others_examples_of_inclusion_hold(name):
    case = VECTORS["inclusion"][name]
    proof = (
        case["leafIdx"],
        case["treeSize"],
        decoded(case["leafHash"]),
        hashes(case["proof"]),
        decoded(case["root"]),
    )

    if is_valid(case, "root"):
        verify_inclusion(*proof)
    else:
        with pytest.raises(NotProven):
            verify_inclusion(*proof)


@pytest.mark.parametrize("name", VECTORS["consistency"])
def test_others_examples_of_consistency_hold(name):
    case = VECTORS["consistency"][name]
    proof = (
        case["size1"],
        case["size2"],
        decoded(case["root1"]),
        decoded(case["root2"]),
        hashes(case["proof"]),
    )

    if is_valid(case, "root1", "root2"):
        verify_consistency(*proof)
    else:
        with pytest.raises(NotProven):
            verify_consistency(*proof)


def test_the_examples_have_both_kinds():
    for kind in ("inclusion", "consistency"):
        outcomes = [case["wantErr"] for case in VECTORS[kind].values()]

        assert True in outcomes
        assert False in outcomes


def test_a_root_that_is_no_hash_is_refused_even_where_the_examples_allow_it():
    allowed = VECTORS["consistency"]["additional/sizes-are-equal-one-and-proof-is-empty"]

    assert not allowed["wantErr"]
    with pytest.raises(NotProven, match="32 bytes"):
        verify_consistency(1, 1, decoded(allowed["root1"]), decoded(allowed["root2"]), [])


def test_hashes_are_those_of_the_rfc():
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"") == sha256(b"\0").digest()
    assert node_hash(b"a", b"b") == sha256(b"\1ab").digest()


def test_a_tree_that_grows_leaf_by_leaf_has_the_roots_of_the_rfc():
    tree = Frontier()
    for size, leaf in enumerate(LEAVES):
        assert (tree.size, tree.root()) == (size, ROOTS[size])
        tree.append(leaf)


@pytest.mark.parametrize("size", range(SIZE_MAX + 1))
def test_a_root_is_made_of_perfect_subtrees(size):
    assert root(size, read) == ROOTS[size]


@pytest.mark.parametrize("size", range(1, SIZE_MAX + 1))
def test_every_leaf_is_proven_to_be_in_its_place_and_in_no_other(size):
    for index in range(size):
        path = prove_inclusion(index, size, read)

        verify_inclusion(index, size, LEAVES[index], path, ROOTS[size])
        with pytest.raises(NotProven):
            verify_inclusion((index + 1) % (size + 1), size, LEAVES[index], path, ROOTS[size])
        with pytest.raises(NotProven):
            verify_inclusion(index, size, LEAVES[index - 1], path, ROOTS[size - 1])


@pytest.mark.parametrize("new", range(SIZE_MAX + 1))
def test_every_tree_is_proven_to_begin_with_each_smaller_one(new):
    for old in range(new + 1):
        proof = prove_consistency(old, new, read)

        verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)
        with pytest.raises(NotProven):
            verify_consistency(old, new, ROOTS[old - 1], ROOTS[new], proof)


@pytest.mark.parametrize("size", [2, 7, 8, 13])
def test_no_bit_of_a_proof_of_inclusion_can_be_changed(size):
    for index in range(size):
        path = prove_inclusion(index, size, read)
        for leaf, trusted, *changed in bits_of([LEAVES[index], ROOTS[size], *path]):
            with pytest.raises(NotProven):
                verify_inclusion(index, size, leaf, changed, trusted)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (4, 8), (3, 7), (6, 8), (7, 13), (8, 13)])
def test_no_bit_of_a_proof_of_consistency_can_be_changed(old, new):
    proof = prove_consistency(old, new, read)
    for old_root, new_root, *changed in bits_of([ROOTS[old], ROOTS[new], *proof]):
        with pytest.raises(NotProven):
            verify_consistency(old, new, old_root, new_root, changed)


@pytest.mark.parametrize("size", [2, 7, 8, 13])
def test_a_proof_has_no_hash_too_many_and_none_too_few(size):
    path = prove_inclusion(1, size, read)
    proof = prove_consistency(1, size, read)

    for changed in (path[:-1], [*path, ROOTS[1]], [ROOTS[1], *path]):
        with pytest.raises(NotProven):
            verify_inclusion(1, size, LEAVES[1], changed, ROOTS[size])
    for changed in ([], proof[:-1], [*proof, ROOTS[1]], [ROOTS[1], *proof]):
        with pytest.raises(NotProven):
            verify_consistency(1, size, ROOTS[1], ROOTS[size], changed)


def test_a_tree_is_consistent_with_itself_and_with_the_empty_one_without_any_proof():
    for old in (0, 5):
        assert prove_consistency(old, 5, read) == []
        with pytest.raises(NotProven):
            verify_consistency(old, 5, ROOTS[old], ROOTS[5], [ROOTS[1]])
    with pytest.raises(NotProven):
        verify_consistency(0, 5, ROOTS[1], ROOTS[5], [])
    with pytest.raises(NotProven):
        verify_consistency(5, 5, ROOTS[5], ROOTS[4], [])


def test_what_is_not_in_the_tree_cannot_be_proven():
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(OutsideTree):
            prove_inclusion(index, size, read)
        with pytest.raises(NotProven):
            verify_inclusion(index, size, LEAVES[0], [], ROOTS[1])
    for old, new in ((6, 5), (-1, 5)):
        with pytest.raises(OutsideTree):
            prove_consistency(old, new, read)
        with pytest.raises(NotProven):
            verify_consistency(old, new, ROOTS[1], ROOTS[5], [])


def test_a_proof_is_made_by_reading_once_and_no_more_than_it_takes():
    asked = []

    def counted(nodes):
        asked.append(list(nodes))
        return read(nodes)

    prove_inclusion(5, 100, counted)

    assert asked == [
        [
            Node(0, 4),
            Node(1, 3),
            Node(2, 0),
            Node(3, 1),
            Node(4, 1),
            Node(5, 1),
            Node(5, 2),
            Node(2, 24),
        ]
    ]
