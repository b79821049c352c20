"""A leaf says of an event what anybody can check, and nothing of what is in it."""

import json
from hashlib import sha256
from uuid import UUID

import pytest

from ledger.store.form import StoredForm
from ledger.transparency.encoding import Malformed
from ledger.transparency.leaf import leaf_of, read_leaf
from ledger.transparency.tiles import ENTRY_MAX
from tests.samples import SAMPLES

STREAM = UUID("01A2075E-0000-7000-8000-00000000000F")
LEAF = leaf_of(7, STREAM, 2, "donation.pledged.1", b'{"amount":1}')


def test_a_leaf_is_one_canonical_line():
    assert LEAF.encode() == (
        b'{"app":"ledger","nid":7,"oid":"01a2075e-0000-7000-8000-00000000000f","over":2,'
        b'"sha256":"' + sha256(b'{"amount":1}').hexdigest().encode() + b'",'
        b'"size":12,"topic":"donation.pledged.1","v":1}'
    )
    assert LEAF.index == 6
    assert read_leaf(LEAF.encode()) == LEAF


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line + b"\n",
        lambda line: b" " + line,
        lambda line: line.replace(b":7", b":7.0"),
        lambda line: line.replace(b":7", b': "7"'),
        lambda line: line.replace(b'"v":1', b'"v":1,"w":1'),
        lambda line: line.replace(b',"v":1', b""),
        lambda line: line.replace(b'"app":"ledger"', b'"app":"\\u006cedger"'),
        lambda line: line.replace(b'"app":"ledger",', b'"app":"ledger","app":"ledger",'),
        lambda line: b"[" + line + b"]",
        lambda _: b"\xff",
        lambda _: b"",
    ],
)
def test_no_other_spelling_is_a_leaf(change):
    with pytest.raises(Malformed):
        read_leaf(change(LEAF.encode()))


@pytest.mark.parametrize("said", SAMPLES, ids=lambda said: said.kind.TOPIC)
def test_every_kind_of_event_has_a_leaf_that_fits_and_shows_no_more_than_its_place(said):
    stored = StoredForm().to_stored_event(said.decided())
    leaf = leaf_of(2**63 - 1, stored.originator_id, 1, stored.topic, stored.state)

    assert len(leaf.encode()) < ENTRY_MAX
    assert json.loads(leaf.encode()) == {
        "app": "ledger",
        "nid": 2**63 - 1,
        "oid": str(stored.originator_id),
        "over": 1,
        "sha256": sha256(stored.state).hexdigest(),
        "size": len(stored.state),
        "topic": said.kind.TOPIC,
        "v": 1,
    }
