"""A tally with a value per day keeps to its floor on each day and on every later day so far.

No noun of the charity has such a tally yet, so a till is one here: cash on hand by the day.
"""

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import date, timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.kernel.errors import Refused
from ledger.kernel.ids import new_id
from ledger.kernel.tallies import Bound, Bounds, Tally, TallyOn
from ledger.store import open_store
from ledger.store.commits import Commit, Receipt
from ledger.store.engine import is_url
from ledger.store.sqlite_rows import days_asked
from tests.samples import REGISTERED
from tests.spec import FORM
from tests.stores import REFUSED, connected

FLOOR = -50
TILL = Tally("till 1", "cash")
DAY = date(2026, 3, 1)
DAYS = 12


class Short(Refused):
    """Nobody takes out of the till what was not in it on that day or any later one."""

    def __init__(self, breach):
        self.breach = breach
        super().__init__("the till is short")


BOUNDS = Bounds({("till", "cash"): Bound(FLOOR, Short)})


def day(number):
    return DAY + timedelta(number)


def commit(changes, till=TILL, *, events=(), now=0):
    """Return a request that changes the till by so much on the days of these numbers."""
    by_day = {TallyOn(till, day(number)): change for number, change in changes.items()}
    return Commit(new_id(), "it", 1, events, {till: now} if now else {}, by_day)


@pytest.fixture(name="store")
def _store(place):
    with closing(open_store(place, bounds=BOUNDS)) as store:
        yield store


def kept(store, till=TILL):
    return {each.day: value for each, value in store.all_days() if each.tally == till}


def stands(outcome):
    assert isinstance(outcome, Receipt | Short), outcome
    return isinstance(outcome, Receipt)


# One after the other.


def test_each_day_ends_with_all_that_was_changed_until_then(store):
    store.write([commit({3: 100})])
    store.write([commit({5: -30}), commit({1: 10})])

    assert kept(store) == {day(1): 10, day(3): 110, day(5): 80}


def test_nothing_is_taken_that_was_not_there_on_that_day(store):
    store.write([commit({3: 100})])

    (early,) = store.write([commit({2: -51})])
    (late,) = store.write([commit({3: -51})])

    assert early.breach == (TILL, 0, -51, day(2))
    assert stands(late)


def test_nothing_is_taken_that_a_later_day_needs(store):
    store.write([commit({0: 100}), commit({4: -90}), commit({6: 500})])

    (refused,) = store.write([commit({2: -61})])
    (taken,) = store.write([commit({2: -60})])

    assert refused.breach == (TILL, 10, -61, day(4))
    assert stands(taken)
    assert kept(store) == {day(0): 100, day(2): 40, day(4): -50, day(6): 450}


def test_what_comes_later_helps_no_earlier_day(store):
    (moved,) = store.write([commit({1: -60, 4: 60})])

    assert moved.breach == (TILL, 0, -60, day(1))
    assert kept(store) == {}


def test_what_is_put_back_before_is_there_to_be_taken(store):
    store.write([commit({1: 60, 4: -110})])

    assert kept(store) == {day(1): 60, day(4): -50}


def test_what_only_adds_is_never_refused(store):
    store.write([commit({4: -50})])

    assert all(map(stands, store.write([commit({1: 1, 5: 3}), commit({0: 0}), commit({4: 2})])))


def test_each_of_a_batch_is_judged_by_what_those_before_it_left(store):
    takes = [commit({2: -20}) for _ in range(4)]

    assert [stands(each) for each in store.write(takes)] == [True, True, False, False]
    assert [stands(each) for each in store.write([commit({2: 20}), *takes[:2]])] == [
        True,
        True,
        False,
    ]


def test_a_scalar_tally_and_one_by_day_stand_or_fall_together(store):
    both = commit({1: -60}, now=7)

    (refused,) = store.write([both])

    assert not stands(refused)
    assert store.tallies([TILL]) == {}


def test_what_would_become_of_a_commit_is_told_and_not_stored(store):
    store.write([commit({3: 10})])

    assert stands(store.judged(commit({3: -60})))
    assert store.judged(commit({2: -51})).breach.day == day(2)
    assert kept(store) == {day(3): 10}


def test_a_tally_that_no_noun_bounds_goes_as_low_as_it_likes(store):
    free = Tally("till 1", "tips")

    assert stands(*store.write([commit({1: -1_000}, till=free)]))
    assert store.floors() == {}


def test_the_database_itself_holds_the_floor_of_each_day(store, place):
    store.write([commit({1: 5, 3: 5})])

    assert store.floors() == {TILL: FLOOR}
    with connected(place) as connection, pytest.raises(REFUSED, match=r"(?i)check constraint"):
        connection.execute("UPDATE tallies_by_day SET value = -51 WHERE day = '2026-03-04'")


def test_days_are_looked_up_by_their_key_and_no_others_are_read(tmp_path):
    with closing(open_store(tmp_path / "ledger.db")):
        pass
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {days_asked(2)}", "abcdef").fetchall()

    assert [step[3] for step in steps if "tallies_by_day" in step[3]] == [
        "SEARCH tallies_by_day USING PRIMARY KEY (subject=? AND name=? AND day>?)",
        "SEARCH tallies_by_day USING PRIMARY KEY (subject=? AND name=? AND day<?)",
    ]


# Against a model that looks at every day there is.


class Model:
    """What is on hand by the day, worked out anew from all changes each time."""

    def __init__(self):
        self.changes = Counter()
        self.touched = set()

    def on(self, number, changes=None):
        every = self.changes if changes is None else changes
        return sum(change for each, change in every.items() if each <= number)

    def take(self, changes):
        lowered = [number for number in range(DAYS) if self.on(number, changes) < 0]
        if any(self.on(number) + self.on(number, changes) < FLOOR for number in lowered):
            return False
        self.changes.update(changes)
        self.touched |= changes.keys()
        return True

    def values(self):
        return {day(number): self.on(number) for number in self.touched}


CHANGES = st.dictionaries(st.integers(0, DAYS - 1), st.integers(-80, 80), min_size=1, max_size=3)
BATCHES = st.lists(st.lists(CHANGES, min_size=1, max_size=4), max_size=8)
numbers = count(2)


@given(batches=BATCHES)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_store_decides_as_the_model_does(store, batches):
    till, model = Tally(f"till {next(numbers)}", "cash"), Model()

    for batch in batches:
        outcomes = store.write([commit(changes, till) for changes in batch])
        assert [stands(each) for each in outcomes] == [model.take(each) for each in batch]
        assert kept(store, till) == model.values()


# At the same moment.


def test_rivals_never_take_a_day_below_its_floor(place):
    """Two processes' stores on PostgreSQL, two threads of one on SQLite; eight hands in each."""
    chance = Random(7)
    takes = [
        {chance.randrange(DAYS): -chance.randrange(5, 40), chance.randrange(DAYS): 0}
        for _ in range(160)
    ]
    first = dict.fromkeys(range(0, DAYS, 3), 100)
    with ExitStack() as opened:
        stores = [
            opened.enter_context(closing(open_store(place, bounds=BOUNDS)))
            for _ in range(2 if is_url(place) else 1)
        ]
        stores[0].write([commit(first, events=[registered()])])

        def take(number):
            store = stores[number % len(stores)]
            return store.write([commit(takes[number], events=[registered()])])[0]

        with ThreadPoolExecutor(16) as hands:
            outcomes = list(hands.map(take, range(len(takes))))

        stored = kept(stores[0])
    model = Model()
    assert model.take(first)
    accepted = [
        (outcome.position, changes)
        for outcome, changes in zip(outcomes, takes, strict=True)
        if stands(outcome)
    ]
    assert 0 < len(accepted) < len(takes)
    assert all(model.take(changes) for _, changes in sorted(accepted, key=lambda each: each[0]))
    assert stored == model.values()
    assert min(stored.values()) >= FLOOR
    refused = [
        changes for outcome, changes in zip(outcomes, takes, strict=True) if not stands(outcome)
    ]
    assert not any(model.take(changes) for changes in refused), "it was there to be taken"


def registered():
    return FORM.to_stored_event(REGISTERED.stamped(1, new_id()))
