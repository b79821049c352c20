"""A sale is planned, held, ended, settled to the fen when nothing can come back, and remitted."""

from datetime import date, timedelta

import pytest

from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.rules import (
    RemittanceDiffers,
    RemittanceExceedsOutstanding,
    ReturnWindowOpen,
)
from ledger.aggregates.sales.sale import ITEMS_MAX, LAST_DAY_MAX, RETURN_DAYS_MAX, CharitySale
from ledger.aggregates.sales.settlements import Differing, SettlementMismatch, Statement
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.terms import UNITS_MAX
from tests.samples import (
    BOOKS,
    COOKER,
    FIRST_DAY,
    GENERAL,
    HEAR,
    ITEMS,
    LAST_DAY,
    LAST_RETURN_DAY,
    PLANNED,
    REMITTED,
    SALE_ENDED,
    SALE_OPENED,
    SETTLED,
    STATEMENT,
    fund,
)
from tests.spec import act, given, replay

ONE_DAY = timedelta(days=1)
AGREED_ON = date(2026, 3, 28)
HELD = (PLANNED, SALE_OPENED, SALE_ENDED)
DONE = (*HELD, SETTLED)


def plan(*, to=HEAR, **other):
    what = {
        "name": "让爱发声",
        "partner": "嘉丽购",
        "starts_on": FIRST_DAY,
        "ends_on": LAST_DAY,
        "return_days": 7,
        "partner_fee_bp": 150,
        "channel_fee_bp": 60,
        "items": ITEMS,
        "plan_filing": "DEMO-0001",
    }
    return lambda _: CharitySale.plan(
        act(on=date(2026, 2, 24)), fund=fund(to).terms, **(what | other)
    )


def open_sale(sale):
    sale.open(act(), on=FIRST_DAY)


def end(on=LAST_DAY):
    return lambda sale: sale.end(act(), on=on)


def settle(statement=STATEMENT, *, on=AGREED_ON, gross=201_380_00, refunds=3_708_00):
    return lambda sale: sale.settle(act(), statement, gross=gross, refunds=refunds, agreed_on=on)


def remit(amount=193_520_89, ref="DEMO-BK-330"):
    return lambda sale: sale.remit(
        act(), amount=amount, external_ref=ref, received_on=date(2026, 3, 30)
    )


# The plan.


def test_a_sale_is_planned_for_the_good_of_a_fund():
    given().when(plan()).then(PLANNED)


def test_a_sale_for_the_unrestricted_fund_says_so():
    given().when(plan(to=GENERAL)).then(PLANNED.but(fund=GENERAL, restriction="unrestricted"))


@pytest.mark.parametrize(
    "edge",
    [
        {"ends_on": FIRST_DAY},
        {"return_days": 0},
        {"return_days": RETURN_DAYS_MAX},
        {"partner_fee_bp": 0, "channel_fee_bp": 0},
        {"partner_fee_bp": 9_939, "channel_fee_bp": 60},
        {"items": (Item("L1", "电饭煲", 1, 1),)},
        {"items": (Item("L1", "电饭煲", UNITS_MAX, 1),)},
        {"items": tuple(Item(f"L{n}", "风筝", 1, 1) for n in range(ITEMS_MAX))},
        {"ends_on": LAST_DAY_MAX},
        {"plan_filing": None},
    ],
    ids=lambda edge: next(iter(edge)),
)
def test_a_plan_may_go_to_the_edge(edge):
    given().when(plan(**edge)).then(PLANNED.but(**edge))


@pytest.mark.parametrize(
    ("beyond", "saying"),
    [
        ({"ends_on": LAST_DAY_MAX + ONE_DAY}, "ends_on: must not be later than 2999-12-31"),
        ({"ends_on": FIRST_DAY - ONE_DAY}, "ends_on: 2026-03-07 is before the first day"),
        ({"return_days": -1}, "return_days"),
        ({"return_days": RETURN_DAYS_MAX + 1}, "return_days"),
        ({"partner_fee_bp": -1}, "fees must leave something"),
        ({"channel_fee_bp": -1}, "fees must leave something"),
        ({"partner_fee_bp": 9_940}, "fees must leave something"),
        ({"items": ()}, "items: must be from 1 to 1000"),
        ({"items": tuple(Item(f"L{n}", "风筝", 1, 1) for n in range(ITEMS_MAX + 1))}, "items"),
        ({"items": (COOKER, COOKER)}, "names the same sku twice"),
        ({"items": (Item("L1", "电饭煲", 0, 1),)}, "consigned must be from 1"),
        ({"items": (Item("L1", "电饭煲", UNITS_MAX + 1, 1),)}, "consigned must be from 1"),
        ({"items": (Item("L1", "电饭煲", 1, 0),)}, "items: must be from 1"),
        ({"items": (Item("", "电饭煲", 1, 1),)}, "items: must not be empty"),
        ({"items": (Item("L1", "13812345678", 1, 1),)}, "items: seems to contain"),
        ({"name": "13812345678"}, "name: seems to contain"),
        ({"partner": "13812345678"}, "partner: seems to contain"),
        ({"plan_filing": ""}, "plan_filing: must not be empty"),
    ],
)
def test_a_plan_goes_no_further(beyond, saying):
    given().when(plan(**beyond)).then_refused(Invalid, saying)


# Selling.


def test_a_planned_sale_opens():
    given(PLANNED).when(open_sale).then(SALE_OPENED)


def test_an_open_sale_ends():
    given(PLANNED, SALE_OPENED).when(end()).then(SALE_ENDED)


def test_a_sale_may_end_on_the_day_it_opened():
    given(PLANNED, SALE_OPENED).when(end(FIRST_DAY)).then(SALE_ENDED.but(on=FIRST_DAY))


def test_a_sale_does_not_end_before_it_opened():
    given(PLANNED, SALE_OPENED).when(end(FIRST_DAY - ONE_DAY)).then_refused(
        Invalid, "on: 2026-03-07 is before the opening, 2026-03-08"
    )


@pytest.mark.parametrize(
    ("before", "step", "saying"),
    [
        ((PLANNED,), end(), "is planned, which allows opening"),
        ((PLANNED,), settle(), "is planned, which allows opening"),
        ((PLANNED,), remit(), "is planned, which allows opening"),
        ((PLANNED, SALE_OPENED), open_sale, "is open, which allows orders, returns, ending"),
        ((PLANNED, SALE_OPENED), settle(), "is open"),
        (HELD, open_sale, "is ended, which allows orders, returns, settlement"),
        (HELD, end(), "is ended"),
        (HELD, remit(), "is ended"),
        (DONE, open_sale, "is settled, which allows remittance"),
        (DONE, end(), "is settled"),
        (DONE, settle(), "is settled"),
    ],
)
def test_each_step_has_its_own_stage(before, step, saying):
    given(*before).when(step).then_refused(WrongState, saying)


# The settlement.


def test_both_sides_settle_when_every_figure_is_the_same():
    given(*HELD).when(settle()).then(SETTLED)


def test_nothing_is_settled_on_the_last_day_of_returns():
    given(*HELD).when(settle(on=LAST_RETURN_DAY)).then_refused(ReturnWindowOpen, "until 2026-03-21")


def test_a_sale_can_be_settled_on_the_next_day():
    given(*HELD).when(settle(on=LAST_RETURN_DAY + ONE_DAY)).then(
        SETTLED.but(on=LAST_RETURN_DAY + ONE_DAY)
    )


def test_the_return_window_counts_from_the_day_the_sale_really_ended():
    late = SALE_ENDED.but(on=LAST_DAY + ONE_DAY)

    assert replay(PLANNED).last_return_day == LAST_RETURN_DAY
    assert replay(PLANNED, SALE_OPENED, late).last_return_day == LAST_RETURN_DAY + ONE_DAY
    given(PLANNED, SALE_OPENED, late).when(settle(on=LAST_RETURN_DAY + ONE_DAY)).then_refused(
        ReturnWindowOpen
    )


@pytest.mark.parametrize(
    "figure", ["gross", "refunds", "partner_fee", "channel_fee", "net_proceeds"]
)
@pytest.mark.parametrize("off", [-1, 1])
def test_one_fen_of_difference_in_any_figure_is_a_difference(figure, off):
    ours = getattr(STATEMENT, figure)
    theirs = {name: getattr(STATEMENT, name) for name in STATEMENT.__struct_fields__}
    theirs[figure] += off

    story = given(*HELD).when(settle(Statement(**theirs)))

    story.then_refused(SettlementMismatch, f"{figure}: theirs")
    assert story.refusal.differing == (Differing(figure, ours + off, ours),)


def test_every_figure_that_differs_is_named():
    story = given(*HELD).when(settle(Statement(0, 0, 0, 0, 0)))

    story.then_refused(SettlementMismatch)
    assert [each.figure for each in story.refusal.differing] == [
        "gross",
        "refunds",
        "partner_fee",
        "channel_fee",
        "net_proceeds",
    ]


@pytest.mark.parametrize(
    ("gross", "refunds", "statement"),
    [
        (0, 0, Statement(0, 0, 0, 0, 0)),
        (168_00, 168_00, Statement(168_00, 168_00, 0, 0, 0)),
        (201_380_00, 3_708_00, STATEMENT),
        (100, 0, Statement(100, 0, 2, 1, 97)),
        (333, 0, Statement(333, 0, 5, 2, 326)),
    ],
)
def test_fees_are_on_what_stayed_sold_half_a_fen_rounded_up(gross, refunds, statement):
    assert replay(*HELD).statement(gross=gross, refunds=refunds) == statement


# The remittance.


def test_the_partner_pays_what_it_owes():
    given(*DONE).when(remit()).then(REMITTED)


def test_the_partner_owes_nothing_before_it_has_agreed():
    owed = [replay(*facts).outstanding for facts in ((PLANNED,), HELD, DONE, (*DONE, REMITTED))]

    assert owed == [0, 0, 193_520_89, 0]


def test_the_partner_may_pay_in_parts():
    given(*DONE, REMITTED.but(amount=193_520_88)).when(remit(1, "BK-2")).then(
        REMITTED.but(amount=1, external_ref="BK-2")
    )


def test_the_partner_pays_no_more_than_it_owes():
    given(*DONE).when(remit(193_520_90)).then_refused(
        RemittanceExceedsOutstanding, "193,520.89 yuan outstanding, not 193,520.90"
    )
    given(*DONE, REMITTED).when(remit(1, "BK-2")).then_refused(RemittanceExceedsOutstanding)


def test_the_same_remittance_again_is_the_first_one():
    given(*DONE, REMITTED).when(remit()).then_repeats(5)


def test_the_same_reference_with_another_amount_is_refused():
    given(*DONE, REMITTED).when(remit(1)).then_refused(RemittanceDiffers, "with 193,520.89 yuan")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_remittance_brings_money(amount):
    given(*DONE).when(remit(amount)).then_refused(Invalid, "amount")


def test_a_remittance_has_a_reference():
    given(*DONE).when(remit(ref="")).then_refused(Invalid, "external_ref")


def test_an_item_keeps_its_price_and_its_count():
    assert replay(PLANNED).prices == {COOKER.sku: 168_00, BOOKS.sku: 88_00}
