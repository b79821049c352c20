"""A promise may be kept in parts and withdrawn; what was paid can go back the way it came."""

from datetime import date, timedelta

import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.facts import INSTALMENTS_MAX, Instalment
from ledger.aggregates.donations.rules import NothingInSuspense, PublicPromiseBinds
from ledger.aggregates.donations.states import DonationState
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.payments import PaymentDiffers, RefundExceedsReceived
from ledger.kernel.payments import Returned as Back
from tests.samples import (
    EXCESS_GIVEN,
    EXCESS_RETURNED,
    GENERAL,
    HEAR,
    IN_PARTS,
    LAST_YEAR,
    MEI,
    OVERPAYMENT,
    PAYMENT,
    PLEDGED,
    REFUNDED,
    THIS_YEAR,
    WITHDRAWN,
    fund,
    paid,
    refunded,
)
from tests.spec import TODAY, act, given, replay

PLEDGE_DAY = date(2026, 3, 14)
PUBLIC = PLEDGED.but(public_promise=True)


def pledge(amount=100_00, *, to=HEAR, **other):
    what = {"donor": MEI, "currency": "CNY", "pledged_on": PLEDGE_DAY}
    return lambda _: Donation.pledge(act(), fund=fund(to).terms, amount=amount, **(what | other))


def receive(amount, channel="bank", ref="B-1", on=date(2026, 3, 20)):
    return lambda donation: donation.receive(
        act(on=max(on, TODAY)), amount=amount, channel=channel, external_ref=ref, received_on=on
    )


def withdraw(donation):
    donation.withdraw(act(), reason="moved away")


def refund(amount, *, cause="donor_or_law", on=TODAY):
    return lambda donation: donation.refund(
        act(on=on), amount=amount, cause=cause, reason="the donor asked", on=on
    )


def give_excess(amount, on=TODAY):
    return lambda donation: donation.give_excess(act(on=on), amount=amount, on=on)


def return_excess(amount, on=TODAY):
    return lambda donation: donation.return_excess(act(on=on), amount=amount, on=on)


# A promise.


def test_a_promise_is_recorded_with_its_fund_and_class():
    given().when(pledge()).then(PLEDGED)


def test_a_promise_to_the_unrestricted_fund_says_so():
    given().when(pledge(to=GENERAL)).then(PLEDGED.but(fund=GENERAL, restriction="unrestricted"))


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1])
def test_a_promise_is_of_some_money(amount):
    given().when(pledge(amount)).then_refused(Invalid, "amount")


def test_a_promise_is_in_the_currency_of_its_fund():
    given().when(pledge(currency="USD")).then_refused(Invalid, "currency: fund F-HEAR is kept in")


def test_a_note_names_no_person():
    given().when(pledge(note="13812345678")).then_refused(Invalid, "note: seems to contain")


def test_instalments_are_kept_in_the_order_of_their_days():
    first, second = IN_PARTS.fields["instalments"]

    given().when(pledge(instalments=[second, first], note="第一期现场付款")).then(IN_PARTS)


@pytest.mark.parametrize("last", [59_99, 60_01])
def test_instalments_add_up_to_the_promise(last):
    parts = [Instalment(PLEDGE_DAY, 40_00), Instalment(PLEDGE_DAY, last)]

    given().when(pledge(instalments=parts)).then_refused(Invalid, f"add up to {40_00 + last} fen")


@pytest.mark.parametrize("amount", [0, -1])
def test_an_instalment_is_of_some_money(amount):
    parts = [Instalment(PLEDGE_DAY, amount), Instalment(PLEDGE_DAY, 100_00 - amount)]

    given().when(pledge(instalments=parts)).then_refused(Invalid, "instalments: must be from 1")


def test_no_instalment_was_due_before_the_promise():
    eve = PLEDGE_DAY - timedelta(days=1)

    given().when(pledge(instalments=[Instalment(eve, 100_00)])).then_refused(
        Invalid, "2026-03-13 is before the day of the pledge"
    )


def test_a_promise_may_run_for_ten_years_of_months_and_no_longer():
    monthly = (Instalment(PLEDGE_DAY, 1),) * INSTALMENTS_MAX

    given().when(pledge(INSTALMENTS_MAX, instalments=monthly)).then(
        PLEDGED.but(amount=INSTALMENTS_MAX, instalments=monthly)
    )
    given().when(
        pledge(INSTALMENTS_MAX + 1, instalments=(*monthly, Instalment(PLEDGE_DAY, 1)))
    ).then_refused(Invalid, "instalments: must be at most 120")


# Money arrives.


def test_the_whole_promise_may_be_paid_at_once():
    given(PLEDGED).when(receive(100_00)).then(PAYMENT)


def test_a_part_leaves_the_rest_open():
    given(PLEDGED, paid(99_99)).when(receive(1, ref="B-2")).then(paid(1, ref="B-2"))


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ((), DonationState.PLEDGED),
        ((paid(99_99),), DonationState.PARTIALLY_SETTLED),
        ((paid(100_00),), DonationState.FULFILLED),
        ((OVERPAYMENT,), DonationState.FULFILLED),
        ((WITHDRAWN,), DonationState.WITHDRAWN),
    ],
)
def test_a_promise_is_kept_by_its_last_fen(facts, state):
    assert replay(PLEDGED, *facts).state is state


def test_what_goes_beyond_the_promise_waits_in_suspense():
    given(PLEDGED).when(receive(130_00)).then(OVERPAYMENT)


def test_one_fen_beyond_the_promise_is_one_fen_in_suspense():
    given(PLEDGED).when(receive(100_01)).then(paid(100_01, excess=1))


def test_all_that_comes_after_the_promise_is_kept_waits_in_suspense():
    given(PLEDGED, PAYMENT).when(receive(5_00, ref="B-2")).then(paid(5_00, ref="B-2", excess=5_00))


@pytest.mark.parametrize("amount", [0, -1])
def test_a_payment_brings_money(amount):
    given(PLEDGED).when(receive(amount)).then_refused(Invalid, "amount")


@pytest.mark.parametrize("ref", ["", "B 1", "转账", "B\n", "x" * 65])
def test_a_reference_is_visible_ascii(ref):
    given(PLEDGED).when(receive(1, ref=ref)).then_refused(Invalid, "external_ref")


@pytest.mark.parametrize("ref", ["!", "~" * 64])
def test_a_reference_has_one_to_64_characters(ref):
    given(PLEDGED).when(receive(1, ref=ref)).then(paid(1, ref=ref))


def test_the_same_payment_again_is_the_first_one():
    given(PLEDGED, paid(40_00)).when(receive(40_00)).then_repeats(2)


def test_the_same_payment_again_is_known_even_after_a_withdrawal():
    given(PLEDGED, paid(40_00), WITHDRAWN.but(open=60_00)).when(receive(40_00)).then_repeats(2)


def test_the_same_reference_with_another_amount_is_refused():
    given(PLEDGED, paid(40_00)).when(receive(40_01)).then_refused(PaymentDiffers, "with 40.00 yuan")


def test_the_same_reference_of_another_channel_is_another_payment():
    given(PLEDGED, paid(40_00)).when(receive(40_00, "wechat")).then(paid(40_00, "wechat"))


def test_nothing_is_paid_on_a_withdrawn_promise():
    given(PLEDGED, WITHDRAWN).when(receive(1)).then_refused(WrongState, "which allows refund")


def test_money_of_tomorrow_has_not_arrived():
    tomorrow = TODAY + timedelta(days=1)

    given(PLEDGED).when(
        lambda donation: donation.receive(
            act(), amount=1, channel="cash", external_ref="C-1", received_on=tomorrow
        )
    ).then_refused(Invalid, "in the future")


# A withdrawal.


def test_a_donor_may_take_back_what_is_open():
    given(PLEDGED).when(withdraw).then(WITHDRAWN)


def test_what_was_paid_before_a_withdrawal_stays():
    given(PLEDGED, paid(99_99)).when(withdraw).then(WITHDRAWN.but(open=1))


def test_after_a_withdrawal_nothing_is_open():
    assert replay(PLEDGED, WITHDRAWN).open == 0
    assert replay(PLEDGED, paid(99_99), WITHDRAWN.but(open=1)).open == 0


def test_a_promise_made_in_public_binds():
    given(PUBLIC).when(withdraw).then_refused(PublicPromiseBinds)


def test_a_promise_made_in_public_binds_after_a_part_is_paid():
    given(PUBLIC, paid(40_00)).when(withdraw).then_refused(PublicPromiseBinds)


@pytest.mark.parametrize("last", [PAYMENT, WITHDRAWN])
def test_nothing_is_left_to_withdraw(last):
    given(PLEDGED, last).when(withdraw).then_refused(WrongState, "withdrawal is not possible")


def test_a_reason_names_no_person():
    given(PLEDGED).when(
        lambda donation: donation.withdraw(act(), reason="13812345678")
    ).then_refused(Invalid, "reason: seems to contain")


# A refund.


def test_a_part_can_go_back():
    given(PLEDGED, PAYMENT).when(refund(30_00)).then(REFUNDED)


@pytest.mark.parametrize("cause", ["duplicate", "error", "donor_or_law", "own_fault"])
def test_a_refund_says_its_cause(cause):
    given(PLEDGED, PAYMENT).when(refund(30_00, cause=cause)).then(REFUNDED.but(cause=cause))


def test_all_of_it_can_go_back_and_no_more():
    everything = refunded(100_00, Back("bank", 100_00, prior_year=False))

    given(PLEDGED, PAYMENT).when(refund(100_00)).then(everything)
    given(PLEDGED, PAYMENT).when(refund(100_01)).then_refused(RefundExceedsReceived, "has 100.00")
    given(PLEDGED, PAYMENT, everything).when(refund(1)).then_refused(
        RefundExceedsReceived, "0.00 yuan that could go back, not 0.01"
    )


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_sends_money(amount):
    given(PLEDGED, PAYMENT).when(refund(amount)).then_refused(Invalid, "amount")


def test_nothing_goes_back_before_anything_came():
    given(PLEDGED).when(refund(1)).then_refused(WrongState, "which allows payment, withdrawal")


def test_what_was_paid_before_a_withdrawal_can_go_back():
    given(PLEDGED, paid(40_00), WITHDRAWN.but(open=60_00)).when(refund(40_00)).then(
        refunded(40_00, Back("bank", 40_00, prior_year=False))
    )


def test_the_newest_payment_goes_back_first_by_the_channel_it_came():
    three = (paid(20_00, "cash", "C-1"), paid(30_00, "wechat", "W-1"), paid(50_00, "bank", "B-1"))

    given(PLEDGED, *three).when(refund(85_00)).then(
        refunded(
            85_00,
            Back("bank", 50_00, prior_year=False),
            Back("wechat", 30_00, prior_year=False),
            Back("cash", 5_00, prior_year=False),
        )
    )


def test_a_second_refund_goes_on_where_the_first_ended():
    two = (paid(40_00, "cash", "C-1"), paid(60_00, "wechat", "W-1"))
    first = refunded(50_00, Back("wechat", 50_00, prior_year=False))

    given(PLEDGED, *two, first).when(refund(20_00)).then(
        refunded(
            20_00, Back("wechat", 10_00, prior_year=False), Back("cash", 10_00, prior_year=False)
        )
    )


def test_money_of_an_earlier_year_goes_back_as_such():
    two = (paid(40_00, on=LAST_YEAR), paid(60_00, ref="B-2", on=THIS_YEAR))

    given(PLEDGED, *two).when(refund(70_00, on=THIS_YEAR)).then(
        refunded(
            70_00,
            Back("bank", 60_00, prior_year=False),
            Back("bank", 10_00, prior_year=True),
            on=THIS_YEAR,
        )
    )


# Money beyond the promise.


def test_what_waits_in_suspense_does_not_go_back_as_a_refund():
    given(PLEDGED, OVERPAYMENT).when(refund(100_01)).then_refused(RefundExceedsReceived)


def test_the_donor_may_give_it_as_well():
    given(PLEDGED, OVERPAYMENT).when(give_excess(30_00)).then(EXCESS_GIVEN)


def test_the_donor_may_have_it_back():
    given(PLEDGED, OVERPAYMENT).when(return_excess(30_00)).then(EXCESS_RETURNED)


@pytest.mark.parametrize("decide", [give_excess, return_excess])
def test_no_more_is_decided_on_than_waits(decide):
    given(PLEDGED, OVERPAYMENT).when(decide(30_01)).then_refused(NothingInSuspense, "has 30.00")
    given(PLEDGED, OVERPAYMENT, EXCESS_GIVEN).when(decide(1)).then_refused(NothingInSuspense)
    given(PLEDGED, OVERPAYMENT, EXCESS_RETURNED).when(decide(1)).then_refused(NothingInSuspense)
    given(PLEDGED, PAYMENT).when(decide(1)).then_refused(NothingInSuspense)


@pytest.mark.parametrize("decide", [give_excess, return_excess])
def test_a_decision_is_on_some_money(decide):
    given(PLEDGED, OVERPAYMENT).when(decide(0)).then_refused(Invalid, "amount")


def test_what_waits_goes_back_the_way_it_came_and_newest_first():
    waiting = (paid(130_00, excess=30_00), paid(5_00, "alipay", "A-1", excess=5_00))

    given(PLEDGED, *waiting).when(return_excess(6_00)).then(
        EXCESS_RETURNED.but(
            amount=6_00,
            back=(Back("alipay", 5_00, prior_year=False), Back("bank", 1_00, prior_year=False)),
        )
    )


def test_what_was_given_from_suspense_can_go_back_like_any_gift():
    given(PLEDGED, OVERPAYMENT, EXCESS_GIVEN).when(refund(130_00)).then(
        refunded(
            130_00, Back("bank", 30_00, prior_year=False), Back("bank", 100_00, prior_year=False)
        )
    )


def test_what_waited_over_new_year_is_a_gift_of_the_year_in_which_it_was_given():
    given(PLEDGED, paid(130_00, excess=30_00, on=LAST_YEAR), EXCESS_GIVEN.but(on=THIS_YEAR)).when(
        refund(50_00, on=THIS_YEAR)
    ).then(
        refunded(
            50_00,
            Back("bank", 30_00, prior_year=False),
            Back("bank", 20_00, prior_year=True),
            on=THIS_YEAR,
        )
    )
