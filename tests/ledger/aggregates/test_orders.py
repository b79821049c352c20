"""Goods are sold at the listed price, and come back once, within their days, at that price."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from ledger.aggregates.sales.orders import (
    OrderConflict,
    OrderLine,
    PriceMismatch,
    ReturnExceedsSold,
    ReturnLine,
    ReturnWindowClosed,
    SaleOrder,
    SkuUnknown,
)
from ledger.kernel.errors import Invalid
from ledger.kernel.lines import AmountInvalid
from ledger.kernel.money import AMOUNT_MAX
from ledger.kernel.names import order_stream
from tests.samples import (
    ENDED_SALE,
    GOODS_RETURNED,
    LAST_RETURN_DAY,
    ONE_COOKER_BACK,
    OPEN_SALE,
    ORDER,
    PLACED,
    PLANNED,
    SALE,
    SALE_OPENED,
    SETTLED_SALE,
)
from tests.spec import TODAY, act, given, replay

STREAM = order_stream(SALE, "JLG-1")
DEAR = PLANNED.but(items=(replace(PLANNED.fields["items"][0], unit_price=AMOUNT_MAX),))
BEIJING = timezone(timedelta(hours=8))


def place(*lines, sale=OPEN_SALE, at=ORDER.placed_at):
    order = replace(ORDER, lines=lines or ORDER.lines, placed_at=at)
    return lambda _: SaleOrder.place(act(), sale=sale.terms, order=order)


def take_back(back=ONE_COOKER_BACK, *, sale=ENDED_SALE, **other):
    return lambda order: order.take_back(act(), sale=sale.terms, back=replace(back, **other))


def placed(*then):
    return given(PLACED, *then, stream=STREAM)


# An order.


@pytest.mark.parametrize("sale", [OPEN_SALE, ENDED_SALE])
def test_an_order_is_recorded_with_what_it_comes_to(sale):
    given().when(place(sale=sale)).then(PLACED)


def test_an_orders_day_is_that_of_the_charity():
    before_midnight = datetime(2026, 3, 8, 15, 59, 59, tzinfo=UTC)
    midnight = datetime(2026, 3, 8, 16, tzinfo=UTC)

    given().when(place(at=before_midnight)).then(PLACED.but(placed_at=before_midnight))
    given().when(place(at=midnight)).then(PLACED.but(placed_at=midnight, on=date(2026, 3, 9)))


def test_an_order_of_tomorrow_is_not_yet_one():
    tomorrow = datetime(TODAY.year, TODAY.month, TODAY.day, 16, tzinfo=UTC)

    given().when(place(at=tomorrow)).then_refused(Invalid, "in the future")


def test_only_goods_of_the_catalogue_are_sold():
    given().when(place(OrderLine("L9", 1, 168_00))).then_refused(SkuUnknown, "has no such sku")


@pytest.mark.parametrize("price", [167_99, 168_01])
def test_goods_are_sold_at_the_listed_price(price):
    given().when(place(OrderLine("L1", 1, price))).then_refused(PriceMismatch, "costs 16800 fen")


def test_an_order_has_a_greatest_amount():
    dear = replay(DEAR, SALE_OPENED)
    one = (OrderLine("L1", 1, AMOUNT_MAX),)

    given().when(place(*one, sale=dear)).then(PLACED.but(lines=one, amount=AMOUNT_MAX))
    given().when(place(*one, *one, sale=dear)).then_refused(AmountInvalid)


def test_an_order_again_is_a_repeat():
    assert replay(PLACED, stream=STREAM).repeats(ORDER)


def test_an_order_again_in_another_zone_is_a_repeat():
    assert replay(PLACED, stream=STREAM).repeats(
        replace(ORDER, placed_at=ORDER.placed_at.astimezone(BEIJING))
    )


@pytest.mark.parametrize(
    "other",
    [
        {"lines": ORDER.lines[:1]},
        {"lines": (OrderLine("L1", 1, 168_00), ORDER.lines[1])},
        {"placed_at": ORDER.placed_at + timedelta(seconds=1)},
    ],
)
def test_another_order_of_the_same_number_is_refused(other):
    placed().when(lambda order: order.repeats(replace(ORDER, **other))).then_refused(OrderConflict)


# A return.


def test_goods_come_back_until_the_last_day():
    story = placed().when(take_back())

    story.then(GOODS_RETURNED)
    assert story.answer is True


def test_goods_do_not_come_back_on_the_day_after():
    late = LAST_RETURN_DAY + timedelta(days=1)

    placed().when(take_back(returned_on=late)).then_refused(ReturnWindowClosed, "until 2026-03-21")


def test_goods_come_back_while_the_sale_goes_on():
    placed().when(take_back(sale=OPEN_SALE)).then(GOODS_RETURNED)


def test_all_of_an_order_can_come_back_and_no_more():
    both = (ReturnLine("L1", 2), ReturnLine("L2", 1))
    third = (ReturnLine("L1", 3),)

    placed().when(take_back(lines=both, refund=424_00)).then(
        GOODS_RETURNED.but(lines=both, refund=424_00)
    )
    placed().when(take_back(lines=third, refund=504_00)).then_refused(
        ReturnExceedsSold, "has only 2 L1"
    )


def test_what_came_back_before_does_not_come_back_again():
    rest = (ReturnLine("L1", 1),)

    placed(GOODS_RETURNED).when(take_back(return_no="R-2")).then(
        GOODS_RETURNED.but(return_no="R-2", lines=rest)
    )
    placed(GOODS_RETURNED, GOODS_RETURNED.but(return_no="R-2")).when(
        take_back(return_no="R-3")
    ).then_refused(ReturnExceedsSold, "has only 0 L1")


def test_one_item_on_two_lines_counts_twice():
    twice = (ReturnLine("L2", 1), ReturnLine("L2", 1))

    placed().when(take_back(lines=twice, refund=176_00)).then_refused(ReturnExceedsSold)


def test_only_what_was_ordered_can_come_back():
    other = (ReturnLine("L3", 1),)

    placed().when(take_back(lines=other)).then_refused(SkuUnknown, "order JLG-1 has no such sku")


@pytest.mark.parametrize("refund", [167_99, 168_01])
def test_goods_are_refunded_at_the_price_they_were_sold(refund):
    placed().when(take_back(refund=refund)).then_refused(PriceMismatch, "the goods cost 16800 fen")


def test_a_return_again_is_a_repeat():
    story = placed(GOODS_RETURNED).when(take_back())

    story.then()
    assert story.answer is False


def test_a_return_again_is_known_even_after_the_settlement():
    placed(GOODS_RETURNED).when(take_back(sale=SETTLED_SALE)).then()


@pytest.mark.parametrize(
    "other",
    [
        {"lines": (ReturnLine("L2", 1),)},
        {"refund": 1},
        {"returned_on": LAST_RETURN_DAY - timedelta(days=1)},
    ],
)
def test_another_return_of_the_same_number_is_refused(other):
    placed(GOODS_RETURNED).when(take_back(**other)).then_refused(OrderConflict, "return R-1")
