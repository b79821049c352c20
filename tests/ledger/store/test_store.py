"""One transaction keeps events, tallies and answers, and the database itself holds the bounds."""

import sqlite3
from contextlib import closing
from uuid import UUID

import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import FundClosed, InsufficientFunds
from ledger.aggregates.sales.orders import Oversold
from ledger.books.tallies import (
    AVAILABLE,
    BOUNDS,
    fund_is_open,
    of_fund,
    of_payment,
    of_sale,
)
from ledger.commands import Ledger
from ledger.kernel.errors import Conflict
from ledger.kernel.ids import new_id
from ledger.kernel.tallies import Breach, Expectation, Tally
from ledger.store.commits import Answer, Commit, Kept, Receipt, StoreFailed, judge
from ledger.store.form import Unreadable
from ledger.store.sqlite_rows import tallies_asked
from tests.charity import charity
from tests.samples import HEAR, PLEDGED, REGISTERED, SALE
from tests.spec import FORM
from tests.stores import REFUSED, connected

FREE = of_fund(HEAR, AVAILABLE)
VIOLATED = r"(?i)check constraint"
ASKED = {"amount": "a1", "fund": "f1"}


@pytest.fixture(name="store")
def _store(place):
    with closing(Ledger(place)) as ledger:
        yield ledger.store


def commit(*events, command=None, **other):
    """Return a request to keep these events, about nothing in particular."""
    what = {"about": "it", "version": len(events), "changes": {}}
    return Commit(command=command or new_id(), events=events, **(what | other))


def registered(stream=None, version=1):
    return FORM.to_stored_event(REGISTERED.stamped(version, stream or new_id()))


def taking(amount):
    return commit(registered(), changes={FREE: -amount})


def holding(amount):
    return commit(changes={FREE: amount})


def rows(store):
    return [(each.id, each.originator_id) for each in store.history(0, 100)]


# Positions.


def test_positions_are_given_out_from_one_without_gaps(store):
    first, second, third = new_id(), new_id(), new_id()

    store.write([commit(registered(first)), commit(registered(second))])
    store.write([commit(registered(third))])

    assert rows(store) == [(1, first), (2, second), (3, third)]
    assert store.last_position() == 3
    assert store.position_of(second, 1) == 2


def test_a_receipt_names_the_last_position_of_its_own_events(store):
    stream = new_id()
    two = commit(registered(stream), registered(stream, 2))

    one_outcome, two_outcome = store.write([commit(registered()), two])

    assert (one_outcome.position, two_outcome.position) == (1, 3)


def test_before_the_first_event_the_last_position_is_zero(store):
    assert store.last_position() == 0
    assert rows(store) == []


def test_what_is_refused_takes_no_position(store):
    refused, stored = store.write([taking(1), commit(registered())])

    assert type(refused) is InsufficientFunds
    assert stored.position == store.last_position() == 1


def test_history_is_read_in_pages(store):
    ids = [new_id() for _ in range(5)]
    store.write([commit(*(registered(each) for each in ids))])

    assert [each.id for each in store.history(0, 2)] == [1, 2]
    assert [each.id for each in store.history(3, 2)] == [4, 5]
    assert store.history(5, 2) == []


def test_many_streams_are_read_each_in_its_order(store):
    streams = sorted(new_id() for _ in range(600))
    store.write([commit(*(registered(each) for each in streams))])
    store.write([commit(*(registered(each, 2) for each in reversed(streams)))])

    found = [(each.originator_id, each.originator_version) for each in store.streams(streams)]
    assert found == [(each, version) for each in streams for version in (1, 2)]


# Rivals and neighbours.


def test_a_rival_conflict_harms_no_neighbour_of_the_batch(store):
    contested = new_id()
    batch = [
        commit(registered(), changes={FREE: 1}),
        commit(registered(contested), changes={FREE: 10}),
        commit(registered(contested), changes={FREE: 100}),
        commit(registered(), changes={FREE: 1_000}),
    ]

    outcomes = store.write(batch)

    assert [type(each) for each in outcomes] == [Receipt, Receipt, Conflict, Receipt]
    assert [each for each, _ in rows(store)] == [1, 2, 3]
    assert store.tallies([FREE]) == {FREE: 1_011}


def test_a_rival_of_an_earlier_batch_is_in_conflict(store):
    contested = new_id()
    store.write([commit(registered(contested))])

    (outcome,) = store.write([commit(registered(contested), changes={FREE: 1})])

    assert type(outcome) is Conflict
    assert store.tallies([FREE]) == {}
    assert store.last_position() == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"changes": {FREE: 2**63}},
        {"changes": {Tally("fund \ud800", "n"): 1}},
        {"command": UUID(int=9), "fingerprint": ASKED, "summary": "\ud800"},
    ],
    ids=["a number beyond 64 bits", "half a character", "half a character in the answer"],
)
def test_what_cannot_be_stored_harms_no_neighbour_of_the_batch(store, spoilt):
    batch = [
        commit(registered(), changes={FREE: 1}),
        commit(registered(), **spoilt),
        commit(registered(), changes={FREE: 10}),
    ]

    first, failed, third = store.write(batch)

    assert (first.position, third.position) == (1, 2)
    assert type(failed) is StoreFailed
    assert type(store.write([batch[1]])[0]) is StoreFailed
    assert store.tallies([FREE]) == {FREE: 11}


# Tallies and their floor.


def test_what_is_available_goes_down_to_zero_and_no_lower(store):
    store.write([holding(10)])

    first, second, third = store.write([taking(9), taking(2), taking(1)])

    assert type(first) is type(third) is Receipt
    assert type(second) is InsufficientFunds
    assert (second.available, second.wanted) == (1, 2)
    assert store.tallies([FREE]) == {FREE: 0}


def test_money_that_came_earlier_in_the_batch_can_be_taken(store):
    outcomes = store.write([taking(5), holding(5), taking(5)])

    assert [type(each) for each in outcomes] == [InsufficientFunds, Receipt, Receipt]


def test_an_expectation_is_judged_as_the_batch_goes_on(store):
    closed = of_fund(HEAR, "closed")
    closing_it = commit(registered(), changes={closed: 1})
    late = commit(registered(), expects=[fund_is_open(HEAR)])

    assert [type(each) for each in store.write([late, closing_it, commit(registered()), late])] == [
        Receipt,
        Receipt,
        Receipt,
        FundClosed,
    ]


def test_the_refusal_is_made_from_what_was_found():
    nine = Expectation(FREE, 8, lambda found: InsufficientFunds(HEAR, available=found, wanted=1))

    verdict = judge([commit(expects=[nine])], Kept({FREE: 9}, {}, last=0), BOUNDS)

    assert verdict.outcomes[0].available == 9
    assert verdict.events == []


@pytest.mark.parametrize(
    ("tally", "bound"),
    [
        (FREE, True),
        (of_sale(SALE, "unsold L1"), True),
        (of_fund(HEAR, "reserved"), False),
        (of_fund(HEAR, "pledged"), False),
        (of_sale(SALE, "gross"), False),
        (of_payment("bank", "B-1"), False),
    ],
)
def test_only_what_is_available_and_unsold_has_a_floor(store, tally, bound):
    assert (BOUNDS.of(tally) is not None) is bound

    (outcome,) = store.write([commit(changes={tally: -1})])
    assert (type(outcome) is Receipt) is not bound


@pytest.mark.parametrize("tally", [FREE, of_sale(SALE, "unsold L1")])
def test_the_database_itself_refuses_what_would_be_below_the_floor(store, place, tally):
    store.write([commit(changes={tally: 1})])

    with connected(place) as connection, pytest.raises(REFUSED, match=VIOLATED):
        connection.execute("UPDATE tallies SET value = -1")
    with connected(place) as connection, pytest.raises(REFUSED, match=VIOLATED):
        connection.execute("INSERT INTO tallies VALUES ('y', 'n', 4, 5)")
    assert store.floors() == {tally: 0}


def test_selling_too_much_and_spending_too_much_have_their_own_refusals():
    unsold, spent = (
        BOUNDS.of(tally).breach(Breach(tally, value=2, change=-3))
        for tally in (of_sale(SALE, "unsold L1"), FREE)
    )

    assert (type(unsold), str(unsold)) == (Oversold, "only 2 L1 are left to sell")
    assert (type(spent), spent.fund, spent.available, spent.wanted) == (
        InsufficientFunds,
        HEAR,
        2,
        3,
    )


def test_every_tally_is_kept_and_can_be_listed(store):
    kept = {FREE: 5, of_payment("bank", "B-1"): 1, of_fund(HEAR, "pledged"): -7}
    store.write([commit(changes=kept)])

    assert dict(store.all_tallies()) == kept
    assert store.tallies([FREE, Tally("none", "such")]) == {FREE: 5}


def test_looking_tallies_up_reads_those_and_no_others(tmp_path):
    with closing(Ledger(tmp_path / "ledger.db")):
        pass
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        steps = connection.execute(f"EXPLAIN QUERY PLAN {tallies_asked(2)}", "abcd").fetchall()

    assert [step[3] for step in steps if "tallies" in step[3]] == [
        "SEARCH tallies USING PRIMARY KEY (subject=? AND name=?)"
    ]


# Answers.


def test_a_repeat_is_given_the_first_answer_and_writes_nothing(store):
    asked = commit(registered(), command=UUID(int=7), fingerprint=ASKED, summary={"n": 1})
    again = commit(registered(), command=UUID(int=7), fingerprint={"amount": "a2"})

    (receipt,) = store.write([asked])
    (answer,) = store.write([again])

    assert answer == Answer(ASKED, receipt) == store.answer(UUID(int=7))
    assert receipt.summary == {"n": 1}
    assert store.last_position() == 1


def test_a_repeat_in_the_same_batch_is_one_too(store):
    twins = [commit(registered(), command=UUID(int=7), fingerprint=ASKED) for _ in range(2)]

    receipt, answer = store.write(twins)

    assert answer == Answer(ASKED, receipt)
    assert store.last_position() == 1


def test_a_refusal_is_no_answer_and_may_be_asked_again(store):
    asked = commit(registered(), command=UUID(int=7), fingerprint=ASKED, changes={FREE: -1})

    assert [type(each) for each in store.write([asked, holding(1), asked])] == [
        InsufficientFunds,
        Receipt,
        Receipt,
    ]


def test_who_did_not_ask_to_be_remembered_is_not(store):
    store.write([commit(registered(), command=UUID(int=7))])

    assert store.answer(UUID(int=7)) is None


# The database.


def test_all_of_it_is_still_there_when_it_is_opened_again(place):
    with charity(place) as house:
        house.open_fund()
        donation = house.gift(100_00)
        before, kept = house.facts(), dict(house.ledger.store.all_tallies())

    with charity(place) as house:
        assert house.facts() == before
        assert dict(house.ledger.store.all_tallies()) == kept
        assert house.ledger.get(Donation, donation).open == 0


def test_a_row_that_was_moved_to_another_stream_is_unreadable(place):
    with charity(place) as house:
        house.open_fund()
        donation = house.pledge()
    with connected(place) as connection:
        connection.execute("UPDATE stored_events SET originator_version = 2 WHERE position = 3")

    with charity(place) as house, pytest.raises(Unreadable, match="belongs elsewhere"):
        house.ledger.get(Donation, donation)


def test_what_is_stored_is_what_the_form_says(store):
    event = FORM.to_stored_event(PLEDGED.stamped())
    store.write([commit(event)])

    (row,) = store.history(0, 1)
    assert (row.topic, row.state, row.originator_id) == (
        event.topic,
        event.state,
        event.originator_id,
    )
