"""Each event that is stored is a leaf, at its own place."""

import pytest

from ledger.store.leaves import OutOfStep, leaves
from tests.charity import charity
from tests.stores import connected


@pytest.fixture(name="store")
def _store(place):
    with charity(place) as house:
        house.open_fund()
        house.gift(1_00)
        yield house.ledger.store


def test_leaves_are_those_of_the_next_events(store):
    last = store.last_position()

    assert [leaf.index for leaf in leaves(store, 1, last - 1)] == list(range(1, last))
    assert leaves(store, last, 0) == []


def test_events_that_are_not_there_are_missed(store):
    last = store.last_position()

    with pytest.raises(OutOfStep, match=f"after event {last} comes nothing and not {last + 1}"):
        leaves(store, 1, last)


def test_a_gap_is_named_by_what_comes_after_it(store, place):
    with connected(place) as database:
        database.execute("DELETE FROM stored_events WHERE position = 2")

    with pytest.raises(OutOfStep, match="after event 1 comes 3 and not 2"):
        leaves(store, 0, 2)
