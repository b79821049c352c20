"""The straight loop reads less of an event than others do, and comes to the same."""

import msgspec
import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.books.movements import COLUMNS, movements
from ledger.books.postings import postings
from ledger.books.tallies import COUNTED, changes
from ledger.kernel.names import FundCode
from ledger.store.form import StoredForm, Unreadable
from projections.replay.fold import Books, take_in
from tests import samples
from tests.ledger.books.test_movements import ALL
from tests.samples import HEAR, SAMPLES, WARM, paid
from tests.spec import FORM

EVERY = ALL | {f"sample of {said.kind.TOPIC}": said for said in SAMPLES}


def row(said, position=1):
    stored = FORM.to_stored_event(said.decided())
    return position, stored.topic, stored.state


def books_of(*rows, form=FORM):
    books = Books(funds=dict.fromkeys((HEAR, WARM, FundCode("F-GEN"), FundCode("F-YOUTH")), "CNY"))
    take_in(books, rows, form)
    return books


@pytest.mark.parametrize("name", EVERY)
def test_it_posts_what_the_manual_posts(name):
    said = EVERY[name]
    expected = {}
    for account, fund, amount in postings(said.stamped()):
        debit, credit = expected.get((account, fund, said.fields["on"]), (0, 0))
        sides = (debit + amount, credit) if amount > 0 else (debit, credit - amount)
        expected[account, fund, said.fields["on"]] = sides

    assert books_of(row(said)).accounts == expected


@pytest.mark.parametrize("name", EVERY)
def test_it_moves_the_figures_that_are_moved(name):
    said = EVERY[name]
    expected = {
        (movement.fund, figure): getattr(movement, figure)
        for movement in movements(said.stamped())
        for figure in COLUMNS
    }

    found = books_of(row(said)).balances()

    shown = {(fund, figure): getattr(found[fund], figure) for fund in found for figure in COLUMNS}
    assert {key: value for key, value in shown.items() if value} == {
        key: value for key, value in expected.items() if value
    }


@pytest.mark.parametrize("name", EVERY)
def test_it_counts_the_tallies_that_are_kept(name):
    said = EVERY[name]
    kept = changes([said.stamped()])
    payments = sum(value for tally, value in kept.items() if tally.name == COUNTED)
    others = {t: value for t, value in kept.items() if t.name != COUNTED and value}

    books = books_of(row(said))

    assert books.payments == payments
    assert {t: value for t, value in books.all_tallies().items() if value} == others


def test_it_remembers_each_fund_and_its_currency():
    books = Books()
    take_in(books, [row(samples.OPENED)], FORM)

    assert books.funds == {HEAR: "CNY"}


def test_a_retired_topic_counts_as_what_it_became():
    def became(said):
        return Donation.PaymentReceived.TOPIC, said

    form = StoredForm({"donation.paid.0": became})
    _, _, state = row(paid(100_00))

    books = books_of((1, "donation.paid.0", state), form=form)

    assert books == books_of(row(paid(100_00)))
    assert books.payments == 1


def without_its_day():
    said = msgspec.json.decode(row(paid(1))[2])
    del said["on"]
    return msgspec.json.encode(said)


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        (Donation.PaymentReceived.TOPIC, b"{"),
        (Donation.PaymentReceived.TOPIC, without_its_day()),
        ("donation.unheard.1", b"{}"),
    ],
)
def test_it_stops_before_what_it_cannot_read(topic, state):
    books = Books()
    with pytest.raises(Unreadable, match=topic):
        take_in(books, [row(paid(100_00)), (2, topic, state), row(paid(5), position=3)], FORM)

    assert (books.position, books.payments) == (1, 1)
    assert books.accounts == books_of(row(paid(100_00))).accounts
