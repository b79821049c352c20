"""A fund is opened for a purpose, lets money go only while it is open, and is closed empty."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from ledger.aggregates.funds import CODE_MAX, BasisRequired, Fund, FundClosed, FundFrozen
from ledger.kernel.aggregate import business_day
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.names import FundCode, fund_stream
from tests.samples import (
    CLOSED,
    FROZEN,
    GENERAL,
    HEAR,
    OPENED,
    SUN,
    THAWED,
    TRANSFERRED,
    WARM,
    fund,
    opened,
)
from tests.spec import SOMEONE, TODAY, act, given

STREAM = fund_stream(HEAR)
TOMORROW = TODAY + timedelta(days=1)


def open_fund(**other):
    what = {
        "code": HEAR,
        "name": "爱心测听室专项",
        "purpose": "为76名儿童捐建测听室",
        "restriction": "restricted",
        "currency": "CNY",
    }
    return lambda _: Fund.open(act(on=date(2026, 1, 5)), **(what | other))


def freeze(fund):
    fund.freeze(act(), reason="bank reversal under review", on=TODAY)


def thaw(fund):
    fund.thaw(act(), reason="review done", on=TODAY)


def close(fund):
    fund.close(act(), reason="the room is built", on=TODAY)


def give(amount=1_000_00, *, to=WARM, basis="donor's consent 07", on=TODAY):
    return lambda giver: giver.transfer(act(), to=fund(to), amount=amount, basis=basis, on=on)


# Opening.


def test_a_fund_is_opened_for_a_purpose():
    given().when(open_fund()).then(OPENED)


def test_the_unrestricted_fund_is_opened_alike():
    given().when(open_fund(code=GENERAL, restriction="unrestricted")).then(opened(GENERAL))


@pytest.mark.parametrize("code", ["F", "F-HEAR-2", "A1", "X" * CODE_MAX])
def test_a_code_is_capitals_and_digits_in_groups(code):
    given().when(open_fund(code=code)).then(OPENED.but(fund=code))


@pytest.mark.parametrize(
    "code",
    ["", "f-hear", "1F", "F-", "-F", "F--A", "F HEAR", "F_HEAR", "F\n", "X" * (CODE_MAX + 1)],
)
def test_any_other_code_is_refused(code):
    given().when(open_fund(code=code)).then_refused(Invalid, "code: must be capitals")


@pytest.mark.parametrize("field", ["name", "purpose"])
def test_a_funds_words_name_no_person(field):
    given().when(open_fund(**{field: "致电13812345678"})).then_refused(
        Invalid, f"{field}: seems to contain"
    )


def test_the_same_code_is_always_the_same_stream():
    assert open_fund()(None).id == fund_stream(FundCode("F-HEAR"))


# Freezing, thawing, closing.


def test_an_open_fund_can_be_frozen():
    given(OPENED, stream=STREAM).when(freeze).then(FROZEN)


def test_a_frozen_fund_can_be_thawed():
    given(OPENED, FROZEN, stream=STREAM).when(thaw).then(THAWED)


def test_a_thawed_fund_is_open_again():
    given(OPENED, FROZEN, THAWED, stream=STREAM).when(close).then(CLOSED)


@pytest.mark.parametrize(
    ("before", "step", "saying"),
    [
        ((), thaw, "thaw is not possible: fund F-HEAR is open, which allows freeze, transfer"),
        ((FROZEN,), freeze, "is frozen, which allows thaw"),
        ((FROZEN,), close, "is frozen, which allows thaw"),
        ((CLOSED,), freeze, "is closed, which allows nothing"),
        ((CLOSED,), thaw, "is closed, which allows nothing"),
        ((CLOSED,), close, "is closed, which allows nothing"),
    ],
)
def test_each_step_has_its_own_stage(before, step, saying):
    given(OPENED, *before, stream=STREAM).when(step).then_refused(WrongState, saying)


@pytest.mark.parametrize("step", ["freeze", "thaw", "close"])
def test_a_step_says_why_without_naming_a_person(step):
    before = (FROZEN,) if step == "thaw" else ()
    given(OPENED, *before, stream=STREAM).when(
        lambda fund: getattr(fund, step)(act(), reason="13812345678", on=TODAY)
    ).then_refused(Invalid, "reason: seems to contain")


# Transfers.


def test_restricted_money_moves_on_a_stated_basis():
    given(OPENED, stream=STREAM).when(give()).then(TRANSFERRED)


def test_restricted_money_does_not_move_without_one():
    given(OPENED, stream=STREAM).when(give(basis=None)).then_refused(
        BasisRequired, "fund F-HEAR is restricted: say which consent"
    )


def test_unrestricted_money_needs_no_basis():
    given(opened(GENERAL), stream=fund_stream(GENERAL)).when(give(basis=None)).then(
        TRANSFERRED.but(fund=GENERAL, restriction="unrestricted", basis=None)
    )


def test_a_transfer_says_the_class_of_the_fund_that_takes():
    given(OPENED, stream=STREAM).when(give(to=GENERAL)).then(
        TRANSFERRED.but(to=GENERAL, to_restriction="unrestricted")
    )


def test_a_fund_gives_nothing_to_itself():
    given(OPENED, stream=STREAM).when(give(to=HEAR)).then_refused(Invalid, "to: must be another")


@pytest.mark.parametrize("amount", [0, -1])
def test_a_transfer_moves_something(amount):
    given(OPENED, stream=STREAM).when(give(amount)).then_refused(Invalid, "amount")


def test_the_basis_names_no_person():
    given(OPENED, stream=STREAM).when(give(basis="13812345678")).then_refused(
        Invalid, "basis: seems to contain"
    )


def test_nothing_leaves_a_frozen_fund():
    given(OPENED, FROZEN, stream=STREAM).when(give()).then_refused(FundFrozen)


def test_nothing_leaves_a_closed_fund():
    given(OPENED, CLOSED, stream=STREAM).when(give()).then_refused(FundClosed)


def test_nothing_enters_a_closed_fund():
    shut = fund(WARM, CLOSED.but(fund=WARM))

    given(OPENED, stream=STREAM).when(
        lambda giver: giver.transfer(act(), to=shut, amount=1, basis="consent", on=TODAY)
    ).then_refused(FundClosed, WARM)


def test_money_may_enter_a_frozen_fund():
    frozen = fund(WARM, FROZEN.but(fund=WARM))

    given(OPENED, stream=STREAM).when(
        lambda giver: giver.transfer(
            act(), to=frozen, amount=1_000_00, basis="donor's consent 07", on=TODAY
        )
    ).then(TRANSFERRED)


# What holds for every command.


def test_what_happened_today_can_be_said_today():
    given(OPENED, stream=STREAM).when(give(on=TODAY)).then(TRANSFERRED)


def test_what_happens_tomorrow_is_not_yet_a_fact():
    given(OPENED, stream=STREAM).when(give(on=TOMORROW)).then_refused(
        Invalid, "on: 2026-04-02 is in the future"
    )


@pytest.mark.parametrize(("instant", "day"), [(time(15, 59, 59), 1), (time(16), 2)])
def test_the_day_begins_at_midnight_in_shanghai(instant, day):
    at = datetime.combine(TODAY, instant, UTC)

    assert replace(act(), at=at).today == date(2026, 4, day)
    assert business_day(at) == date(2026, 4, day)


def test_what_happened_before_can_be_said_later():
    given(OPENED, stream=STREAM).when(give(on=date(2026, 3, 1))).then(
        TRANSFERRED.but(on=date(2026, 3, 1))
    )


def test_a_fact_says_who_said_so():
    given(OPENED, stream=STREAM).when(
        lambda fund: fund.freeze(act(SUN), reason="bank reversal under review", on=TODAY)
    ).then(FROZEN.but(actor=SUN))
    assert FROZEN.fields["actor"] == SOMEONE


def test_each_fact_has_a_salt_of_its_own():
    pot = fund(HEAR)
    freeze(pot)
    thaw(pot)

    first, second = (each.salt for each in pot.collect_events())
    assert first != second
    assert len(bytes.fromhex(first)) == len(bytes.fromhex(second)) == 16
