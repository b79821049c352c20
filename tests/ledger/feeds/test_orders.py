"""Good lines of a feed stand, a bad one is named and changes nothing, a repeat is counted."""

import json
from collections import Counter

import pytest

from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.orders import QuantityInvalid, SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.sales.settlements import Statement
from ledger.books.tallies import of_fund, of_sale
from ledger.feeds.feed import CHUNK_LINES
from ledger.feeds.orders import OrderFeed, ReturnFeed, read_order, read_return
from ledger.kernel.errors import NotFound, Refused, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.lines import AmountInvalid, LineMalformed
from ledger.kernel.names import SaleId
from ledger.kernel.roles import RoleForbidden
from ledger.store.commits import StoreFailed
from tests.charity import charity, stored_late, stored_once_looked_up
from tests.folders import DATA
from tests.samples import HEAR, LAST_RETURN_DAY, SUN
from tests.spec import TODAY, act

TV_SALE = DATA / "tv-sale"
TEN_COOKERS = (Item("L1", "电饭煲", 10, 168_00),)


def order(no="JLG-1", *, quantity=1, price=168_00, at="2026-03-08T20:12:38+08:00", **other):
    line = {"sku": "L1", "quantity": quantity, "unit_price": price}
    return json.dumps({"order_no": no, "placed_at": at, "lines": [line], **other}).encode()


def back(no="R-1", *, of="JLG-1", quantity=1, refund=168_00, on="2026-03-21", **other):
    goods = {"lines": [{"sku": "L1", "quantity": quantity}], "refund": refund}
    said = {"order_no": of, "return_no": no, "returned_on": on, **goods, **other}
    return json.dumps(said).encode()


@pytest.fixture(name="house")
def _house(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        yield house


@pytest.fixture(name="sale")
def _sale(house):
    return house.open_sale(TEN_COOKERS)


def fed(house, kind, sale, *lines):
    """Feed ``lines`` in one chunk; return how many were accepted, known, and what was refused."""
    feed = kind(house.ledger, act(SUN, role="treasurer"), sale)
    feed.take_in(lines)
    feed.flush()
    return feed.accepted, feed.duplicates, [(each.line, each.code) for each in feed.rejected]


def unsold(house, sale):
    return house.tally(of_sale(sale, "unsold L1"))


# What a line says.


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"", LineMalformed),
        (b"not json", LineMalformed),
        (b"[]", LineMalformed),
        (b'{"lines":5}', LineMalformed),
        (b"[" * 100_000, LineMalformed),
        (b'{"order_no":"\xff"}', LineMalformed),
        (order(buyer="王女士"), LineMalformed),
        (order(no=""), LineMalformed),
        (order(no="a\x00b"), LineMalformed),
        (order(lines=[]), LineMalformed),
        (order(at="2026-03-08T20:12:38"), LineMalformed),
        (order(at="2026-02-30T00:00:00Z"), LineMalformed),
        (order(at="9999-12-31T23:59:59Z"), LineMalformed),
        (order(at="0001-01-01T00:00:00+14:00"), LineMalformed),
        (order(price=0), AmountInvalid),
        (order(price=-1), AmountInvalid),
        (order(price=168.0), AmountInvalid),
        (order(price="16800"), AmountInvalid),
        (order(price=True), AmountInvalid),
        (order(price=None), AmountInvalid),
        (order(quantity=0), QuantityInvalid),
        (order(quantity=-1), QuantityInvalid),
        (order(quantity=1.5), QuantityInvalid),
        (order(quantity="1"), QuantityInvalid),
        (order(quantity=1_000_001), QuantityInvalid),
    ],
)
def test_an_orders_first_fault_is_named(line, fault):
    with pytest.raises(LineMalformed.__base__) as refusal:
        read_order(line)

    assert type(refusal.value) is fault


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"{}", LineMalformed),
        (back(no=""), LineMalformed),
        (back(of=""), LineMalformed),
        (back(on="2026-03-32"), LineMalformed),
        (back(lines=[]), LineMalformed),
        (back(refund=0), AmountInvalid),
        (back(refund=1.5), AmountInvalid),
        (back(quantity=0), QuantityInvalid),
        (back(quantity="1"), QuantityInvalid),
    ],
)
def test_a_returns_first_fault_is_named(line, fault):
    with pytest.raises(LineMalformed.__base__) as refusal:
        read_return(line)

    assert type(refusal.value) is fault


def test_an_order_has_one_to_a_hundred_lines():
    line = {"sku": "L1", "quantity": 1, "unit_price": 1}

    assert len(read_order(order(lines=[line] * 100)).lines) == 100
    with pytest.raises(LineMalformed, match="from 1 to 100"):
        read_order(order(lines=[line] * 101))


# Taking orders in.


def test_good_lines_stand_and_bad_ones_are_named(house, sale):
    lines = [order("JLG-1"), b"?", order("JLG-2", price=1), order("JLG-3")]

    assert fed(house, OrderFeed, sale, *lines) == (
        2,
        0,
        [(2, "line.malformed"), (3, "price.mismatch")],
    )
    assert unsold(house, sale) == 8
    assert house.kinds()[-2:] == ["sale-order.placed.1"] * 2


@pytest.mark.parametrize("kind", [OrderFeed, ReturnFeed])
@pytest.mark.parametrize("role", ["clerk", "auditor", "donor"])
def test_only_a_treasurer_and_the_partner_feed_a_sale(house, sale, kind, role):
    with pytest.raises(RoleForbidden):
        kind(house.ledger, act(SUN, role=role), sale)


def test_a_repeated_line_is_counted_and_skipped(house, sale):
    assert fed(house, OrderFeed, sale, order(), order()) == (1, 1, [])
    assert fed(house, OrderFeed, sale, order()) == (0, 1, [])
    assert unsold(house, sale) == 9


def test_another_order_of_a_known_number_is_a_conflict(house, sale):
    other = order(quantity=2)

    assert fed(house, OrderFeed, sale, order(), other) == (1, 0, [(2, "order.conflict")])
    assert fed(house, OrderFeed, sale, other) == (0, 0, [(1, "order.conflict")])


def test_the_last_piece_is_sold_and_none_after_it(house, sale):
    lines = [order("JLG-1", quantity=9), order("JLG-2", quantity=2), order("JLG-3")]

    assert fed(house, OrderFeed, sale, *lines) == (2, 0, [(2, "oversold")])
    assert unsold(house, sale) == 0
    assert fed(house, OrderFeed, sale, order("JLG-4")) == (0, 0, [(1, "oversold")])


def test_one_item_on_two_lines_of_an_order_counts_twice(house, sale):
    six = {"sku": "L1", "quantity": 6, "unit_price": 168_00}

    assert fed(house, OrderFeed, sale, order(lines=[six, six])) == (0, 0, [(1, "oversold")])
    assert unsold(house, sale) == 10


@pytest.mark.parametrize("at", ["2025-12-31T15:59:59Z", "2026-04-01T16:00:00Z"])
def test_a_day_without_books_spoils_its_own_line_only(house, sale, at):
    assert fed(house, OrderFeed, sale, order("JLG-1", at=at), order("JLG-2")) == (
        1,
        0,
        [(1, "line.malformed")],
    )


class AtNight(Refused):
    """Nothing is sold while the studio is dark."""


def test_a_rule_refuses_its_own_line_by_its_own_name(house, sale, monkeypatch):
    place = SaleOrder.place

    def by_a_new_rule(act, *, sale, order):
        if order.placed_at.hour < 6:
            raise AtNight(f"it was {order.placed_at:%H:%M}")
        return place(act, sale=sale, order=order)

    monkeypatch.setattr(SaleOrder, "place", by_a_new_rule)
    lines = [order("JLG-1"), order("JLG-2", at="2026-03-08T03:00:00+08:00"), order("JLG-3")]

    assert fed(house, OrderFeed, sale, *lines) == (2, 0, [(2, "at-night")])
    assert unsold(house, sale) == 8


def test_lines_are_counted_through_all_chunks(house, sale):
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)

    feed.take_in([order()] * CHUNK_LINES)
    feed.take_in([b"?"])
    feed.flush()

    assert (feed.accepted, feed.duplicates) == (1, CHUNK_LINES - 1)
    assert [each.line for each in feed.rejected] == [CHUNK_LINES + 1]


def test_a_chunk_is_decided_while_the_one_before_is_still_being_stored(house, sale):
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)

    with stored_late(house.ledger.committer):
        feed.take_in([order("JLG-1", quantity=6)])
        feed.take_in([order("JLG-1", quantity=6), order("JLG-2"), order("JLG-3", quantity=6)])
        feed.take_in([order("JLG-2", quantity=2), order("JLG-4")])
        assert house.kinds().count("sale-order.placed.1") == 2
        feed.flush()

    assert (feed.lines, feed.accepted, feed.duplicates) == (6, 3, 1)
    assert [(each.line, each.code) for each in feed.rejected] == [
        (4, "oversold"),
        (5, "order.conflict"),
    ]
    assert unsold(house, sale) == 2
    house.check_tallies()


def test_a_repeat_of_what_was_stored_meanwhile_is_one_though_all_is_sold(house, sale):
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)

    with stored_once_looked_up(house.ledger):
        feed.take_in([order(quantity=10)])
        feed.take_in([order(quantity=10)])
        feed.flush()

    assert (feed.accepted, feed.duplicates, feed.rejected) == (1, 1, [])


def test_a_return_that_comes_again_in_the_next_chunk_is_a_repeat(house, sale):
    fed(house, OrderFeed, sale, order(quantity=2))
    feed = ReturnFeed(house.ledger, act(SUN, role="treasurer"), sale)

    with stored_late(house.ledger.committer):
        feed.take_in([back("R-1")])
        feed.take_in([back("R-1"), back("R-2"), back("R-3")])
        feed.flush()

    assert (feed.accepted, feed.duplicates) == (2, 1)
    assert [(each.line, each.code) for each in feed.rejected] == [(4, "return.exceeds-sold")]


def test_what_was_not_stored_stops_the_feed_before_its_next_lines(house, sale, monkeypatch):
    def refused(_):
        raise StoreFailed(OSError("the disk is full"))

    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    with monkeypatch.context() as broken:
        broken.setattr(house.ledger.store, "write", refused)
        feed.take_in([order("JLG-1")])
        with pytest.raises(StoreFailed, match="the disk is full"):
            feed.take_in([order("JLG-2")])
    feed.flush()

    assert (feed.accepted, house.kinds().count("sale-order.placed.1")) == (0, 0)


def test_what_came_of_a_feed_is_its_answer(house, sale):
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    feed.take_in([order(), order(), b"?"])
    receipt = feed.finish(act(SUN))

    assert receipt.id == str(sale)
    assert receipt.position == len(house.facts())
    assert receipt.summary == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": [{"line": 3, "code": "line.malformed", "detail": "is not JSON"}],
    }


def test_a_sale_takes_feeds_only_from_its_opening_to_its_settlement(house):
    planned = house.plan_sale()

    with pytest.raises(WrongState, match="orders is not possible"):
        OrderFeed(house.ledger, act(SUN, role="treasurer"), planned)
    with pytest.raises(WrongState, match="returns is not possible"):
        ReturnFeed(house.ledger, act(SUN, role="treasurer"), planned)
    with pytest.raises(NotFound):
        OrderFeed(house.ledger, act(SUN, role="treasurer"), SaleId(new_id()))


def test_a_blank_line_is_skipped_and_counted_as_a_line(house, sale):
    assert fed(house, OrderFeed, sale, order(), b"", b" \r", b"?") == (
        1,
        0,
        [(4, "line.malformed")],
    )


def test_what_is_repeated_after_the_settlement_is_still_known_as_a_repeat(house, sale):
    fed(house, OrderFeed, sale, order())
    fed(house, ReturnFeed, sale, back())
    house.end_sale(sale)
    house.do("settle_sale", sale, Statement(168_00, 168_00, 0, 0, 0), agreed_on=TODAY)

    assert fed(house, OrderFeed, sale, order()) == (0, 1, [])
    assert fed(house, ReturnFeed, sale, back()) == (0, 1, [])
    assert fed(house, OrderFeed, sale, order(quantity=2)) == (0, 0, [(1, "order.conflict")])


def test_nothing_new_is_taken_after_the_settlement(house, sale):
    fed(house, OrderFeed, sale, order())
    house.end_sale(sale)
    house.do("settle_sale", sale, Statement(168_00, 0, 2_52, 1_01, 164_47), agreed_on=TODAY)

    with pytest.raises(WrongState, match="orders is not possible"):
        fed(house, OrderFeed, sale, order("JLG-2"))
    with pytest.raises(WrongState, match="returns is not possible"):
        fed(house, ReturnFeed, sale, back())
    assert house.kinds()[-1] == "sale.settled.1"


def test_a_feed_that_began_before_the_settlement_ends_with_it(house, sale):
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    house.end_sale(sale)
    house.do("settle_sale", sale, Statement(0, 0, 0, 0, 0), agreed_on=TODAY)

    with pytest.raises(WrongState, match="which allows remittance"):
        feed.take_in([order()])
    assert house.kinds()[-1] == "sale.settled.1"


def test_after_the_settlement_repeats_are_still_known_and_nothing_new_is_taken(house, sale):
    fed(house, OrderFeed, sale, order())
    house.end_sale(sale)
    statement = house.ledger.get(CharitySale, sale).statement(gross=168_00, refunds=0)
    house.do("settle_sale", sale, statement, agreed_on=TODAY)

    assert fed(house, OrderFeed, sale, order()) == (0, 1, [])
    with pytest.raises(WrongState, match="which allows remittance"):
        fed(house, OrderFeed, sale, order("JLG-2"))


# Taking returns in.


def test_goods_that_come_back_can_be_sold_again(house, sale):
    fed(house, OrderFeed, sale, order(quantity=10))

    assert fed(house, ReturnFeed, sale, back()) == (1, 0, [])
    assert fed(house, OrderFeed, sale, order("JLG-2")) == (1, 0, [])
    assert unsold(house, sale) == 0


def test_a_return_is_taken_once_and_only_of_what_was_sold(house, sale):
    fed(house, OrderFeed, sale, order())
    lines = [
        back(),
        back(),
        back(refund=1),
        back("R-2"),
        back("R-3", of="JLG-9"),
        back("R-4", on="2026-03-22"),
        back("R-5", on="2025-12-31"),
        back("R-6", lines=[{"sku": "L9", "quantity": 1}]),
    ]

    assert fed(house, ReturnFeed, sale, *lines) == (
        1,
        1,
        [
            (3, "order.conflict"),
            (4, "return.exceeds-sold"),
            (5, "order.unknown"),
            (6, "return.window-closed"),
            (7, "line.malformed"),
            (8, "sku.unknown"),
        ],
    )
    assert unsold(house, sale) == 10


# The televised sale of the story, whole.


def test_the_televised_sale_comes_to_the_figures_of_its_story(house):
    story = json.loads((TV_SALE / "sale.json").read_text())
    sale = house.open_sale(tuple(Item(**each) for each in story["items"]))
    orders = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    lines = (TV_SALE / "orders.ndjson").read_bytes().splitlines()
    for start in range(0, len(lines), 100):
        orders.take_in(lines[start : start + 100])
    orders.flush()
    returns = ReturnFeed(house.ledger, act(SUN, role="treasurer"), sale)
    returns.take_in((TV_SALE / "returns.ndjson").read_bytes().splitlines())
    returns.flush()

    assert (len(lines), orders.accepted, orders.duplicates) == (
        story["feed"]["lines"],
        story["feed"]["orders"],
        story["feed"]["duplicates"],
    )
    assert sorted(each.code for each in orders.rejected) == sorted(story["feed"]["rejected"])
    assert (returns.accepted, returns.rejected) == (story["returns"], [])
    assert house.tally(of_fund(HEAR, "receivable")) == story["net_sales"]
    house.check_tallies()

    house.end_sale(sale)
    figures = ("gross", "refunds", "partner_fee", "channel_fee", "net_proceeds")
    statement = Statement(**{figure: story[figure] for figure in figures})
    assert house.do("settle_sale", sale, statement, agreed_on=TODAY).version == 4
    assert house.tally(of_fund(HEAR, "receivable")) == story["net_proceeds"]
    assert max(each.on for each in house.facts() if "goods" in each.TOPIC) <= LAST_RETURN_DAY
    assert Counter(house.kinds())["sale-order.placed.1"] == story["feed"]["orders"]
