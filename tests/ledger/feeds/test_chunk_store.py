"""A dry run of a feed decides each line as it would be decided, and stores nothing."""

import pytest

from ledger.commands.rehearsal import added_up, come_to
from ledger.feeds.orders import OrderFeed, ReturnFeed
from ledger.feeds.pledges import PledgeFeed
from ledger.kernel.aggregate import ENVELOPE
from tests.charity import charity
from tests.ledger.feeds.test_orders import TEN_COOKERS, back, order
from tests.ledger.feeds.test_pledges import line, payment
from tests.samples import HEAR, LIN, MEI, SUN
from tests.spec import act


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund()
        house.do("register_donor", MEI, anonymous=True)
        yield house


def written(facts):
    """Return what facts say, but for what is made up anew for each request."""
    return [
        {"stream": fact.originator_id, "topic": fact.TOPIC}
        | {each: getattr(fact, each) for each in fact.__struct_fields__ if each not in ENVELOPE}
        for fact in facts
    ]


def foreseen_as_it_happens(house, begin, *chunks):
    """Rehearse a feed, take it in, and hold the one to the other; return its counts."""
    before, tallies = house.facts(), list(house.ledger.store.all_tallies())
    rehearsal, feed = begin(), begin()
    run = rehearsal.rehearse()
    for chunk in chunks:
        rehearsal.take_in(chunk)
    rehearsal.flush()
    foreseen = come_to(house.ledger, run.events, run.changes)
    assert house.facts() == before
    assert list(house.ledger.store.all_tallies()) == tallies

    for chunk in chunks:
        feed.take_in(chunk)
    feed.flush()

    assert rehearsal.summary() == feed.summary()
    assert rehearsal.refused == feed.refused
    assert written(foreseen.facts) == written(house.facts()[len(before) :])
    assert [after.available for after in foreseen.funds.values()] == [
        house.available(fund) for fund in foreseen.funds
    ]
    house.check_tallies()
    return feed.accepted, feed.duplicates, [(each.line, each.code) for each in feed.rejected]


def test_promises_are_decided_on_those_before_them_in_whatever_chunk(house):
    came = foreseen_as_it_happens(
        house,
        lambda: PledgeFeed(house.ledger, act(LIN), receives=True),
        [line("r-1", payment=payment()), line("r-1", payment=payment()), b"?", line("r-2")],
        [line("r-1", payment=payment()), line("r-3", payment=payment())],
        [line("r-2", amount=1), line("r-4", fund="F-NONE"), line("r-5")],
    )

    assert came == (
        3,
        2,
        [
            (3, "line.malformed"),
            (6, "payment.counted"),
            (7, "pledge.conflict"),
            (8, "fund.unknown"),
        ],
    )


def test_no_more_is_sold_than_all_chunks_leave(house):
    sale = house.open_sale(TEN_COOKERS)

    came = foreseen_as_it_happens(
        house,
        lambda: OrderFeed(house.ledger, act(SUN, role="treasurer"), sale),
        [order("JLG-1", quantity=6)],
        [order("JLG-1", quantity=6), order("JLG-2", quantity=6), order("JLG-3", quantity=4)],
        [order("JLG-4")],
    )

    assert came == (2, 1, [(3, "oversold"), (5, "oversold")])


def test_goods_come_back_once(house):
    sale = house.open_sale(TEN_COOKERS)
    orders = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    orders.take_in([order(quantity=2)])
    orders.flush()

    came = foreseen_as_it_happens(
        house,
        lambda: ReturnFeed(house.ledger, act(SUN, role="treasurer"), sale),
        [back("R-1")],
        [back("R-1"), back("R-2"), back("R-3")],
    )

    assert came == (2, 1, [(4, "return.exceeds-sold")])


def test_a_line_that_only_the_store_refuses_is_found_among_the_others(house):
    sale = house.open_sale(TEN_COOKERS)
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    run = feed.rehearse()
    feed.take_in([order("JLG-1", quantity=5)])
    rival = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    rival.take_in([order("JLG-7", quantity=4)])
    rival.flush()

    feed.take_in([order("JLG-2", quantity=2), order("JLG-3")])
    feed.flush()

    assert feed.accepted == 2
    assert [(each.line, each.code) for each in feed.rejected] == [(2, "oversold")]
    assert len(run.events) == 2


def test_an_entry_is_added_up_by_account_and_fund(house):
    feed = PledgeFeed(house.ledger, act(LIN), receives=True)
    run = feed.rehearse()
    feed.take_in([line(f"r-{n}", payment=payment(f"WX-{n}", amount=n)) for n in (1, 2, 3)])
    feed.flush()

    entry = come_to(house.ledger, run.events, run.changes).entry

    assert len(entry) == 6
    assert sorted((fund, amount) for _, fund, amount in added_up(entry)) == [(HEAR, -6), (HEAR, 6)]
