"""Money reaches those it was given for only through the hands of four people."""

from datetime import date, timedelta

import pytest

from ledger.aggregates.disbursements.disbursement import (
    Disbursement,
    ReturnDiffers,
    ReturnExceedsPaid,
)
from ledger.kernel.duties import AlreadyApproved, OwnApproval, OwnRequest
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.terms import Ties
from tests.samples import (
    ACKNOWLEDGED,
    APPROVED,
    BOUNCED,
    CANCELLED,
    CENTRE,
    CHEN,
    GENERAL,
    HEAR,
    LAST_YEAR,
    LIN,
    PAID,
    REJECTED,
    REQUESTED,
    RESERVED,
    SUN,
    THIS_YEAR,
    WANG,
    WANG_APPROVED,
    ZHAO,
    ZHAO_APPROVED,
    fund,
    given_back,
)
from tests.spec import TODAY, act, given, replay

NO_TIES = Ties()
ONE_DAY = timedelta(days=1)
ALL_PAID = (*APPROVED, PAID)


def request(*, of=HEAR, **other):
    what = {
        "payee_kind": "organisation",
        "payee": CENTRE,
        "payee_name": "爱丽聋儿康复中心",
        "amount": 500_00,
        "currency": "CNY",
        "purpose": "测听室设备首款",
        "requested_on": TODAY,
        "grid": "G3",
    }
    return lambda _: Disbursement.request(act(LIN), fund=fund(of).terms, **(what | other))


def approve(who, on=TODAY, *, needed=2, ties=NO_TIES):
    return lambda wanted: wanted.approve(act(who), on=on, needed=needed, ties=ties)


def reject(wanted):
    wanted.reject(act(WANG), reason="outside the purpose")


def cancel(wanted):
    wanted.cancel(act(LIN), reason="bought elsewhere")


def pay(who=CHEN, ref="P-1"):
    return lambda wanted: wanted.pay(act(who), external_ref=ref, paid_on=TODAY)


def bounce(wanted):
    wanted.bounce(act(CHEN), reason="账号户名不符", on=TODAY)


def acknowledge(wanted):
    wanted.acknowledge(act(LIN), by=CENTRE, on=TODAY)


def take_back(amount, ref="R-1", on=TODAY):
    return lambda wanted: wanted.take_back(
        act(CHEN, on=max(on, TODAY)), amount=amount, external_ref=ref, received_on=on
    )


# A request.


def test_anyone_may_ask():
    given().when(request()).then(REQUESTED)


def test_a_request_to_the_unrestricted_fund_says_so():
    given().when(request(of=GENERAL)).then(REQUESTED.but(fund=GENERAL, restriction="unrestricted"))


def test_a_person_is_paid_without_being_named():
    given().when(request(payee_kind="person", payee_name=None, grid=None)).then(
        REQUESTED.but(payee_kind="person", payee_name=None, grid=None)
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"payee_name": "13812345678"}, "payee"),
        ({"purpose": "13812345678"}, "purpose"),
        ({"grid": ""}, "grid"),
        ({"requested_on": TODAY + ONE_DAY}, "on"),
    ],
)
def test_a_request_is_right_in_itself(wrong, field):
    given().when(request(**wrong)).then_refused(Invalid, f"{field}: ")


# Two approvals.


def test_one_approval_sets_nothing_aside():
    given(REQUESTED).when(approve(WANG)).then(WANG_APPROVED)


def test_the_second_approval_sets_the_money_aside():
    given(REQUESTED, WANG_APPROVED).when(approve(ZHAO)).then(ZHAO_APPROVED, RESERVED)


def test_nobody_approves_what_they_asked_for():
    given(REQUESTED).when(approve(LIN)).then_refused(OwnRequest)
    given(REQUESTED, WANG_APPROVED).when(approve(LIN)).then_refused(OwnRequest)


def test_one_person_approving_twice_is_not_two_people():
    given(REQUESTED, WANG_APPROVED).when(approve(WANG)).then_refused(AlreadyApproved)


@pytest.mark.parametrize("later", [(), (PAID,), (CANCELLED,), (PAID, ACKNOWLEDGED)])
def test_who_may_not_approve_hears_that_before_anything_else(later):
    given(*APPROVED, *later).when(approve(LIN, on=TODAY + ONE_DAY)).then_refused(OwnRequest)
    given(*APPROVED, *later).when(approve(WANG, on=TODAY + ONE_DAY)).then_refused(AlreadyApproved)


def test_a_third_approval_is_not_needed():
    given(*APPROVED).when(approve(SUN)).then_refused(
        WrongState, "is approved, which allows payment"
    )


def test_an_approval_is_not_given_tomorrow():
    given(REQUESTED).when(approve(WANG, on=TODAY + ONE_DAY)).then_refused(Invalid, "in the future")


# Rejecting and cancelling.


@pytest.mark.parametrize("before", [(REQUESTED,), (REQUESTED, WANG_APPROVED)])
def test_a_request_can_be_turned_down_until_it_is_approved(before):
    given(*before).when(reject).then(REJECTED)


@pytest.mark.parametrize("before", [(REQUESTED,), (REQUESTED, WANG_APPROVED)])
def test_a_request_called_off_early_sets_nothing_free(before):
    given(*before).when(cancel).then(CANCELLED.but(released=0))


def test_an_approved_request_called_off_sets_its_money_free():
    given(*APPROVED).when(cancel).then(CANCELLED)


def test_a_bounced_payment_called_off_sets_its_money_free():
    given(*ALL_PAID, BOUNCED).when(cancel).then(CANCELLED)


@pytest.mark.parametrize("step", [cancel, pay()])
@pytest.mark.parametrize("last", [(*ALL_PAID,), (*ALL_PAID, ACKNOWLEDGED), (*APPROVED, CANCELLED)])
def test_what_was_set_aside_is_used_or_freed_only_once(step, last):
    given(*last).when(step).then_refused(WrongState)


# A payment.


def test_the_cashier_pays_what_two_others_approved():
    given(*APPROVED).when(pay()).then(PAID)


def test_who_asked_may_pay():
    given(*APPROVED).when(pay(LIN)).then(PAID.but(actor=LIN))


@pytest.mark.parametrize("who", [WANG, ZHAO])
def test_nobody_pays_what_they_approved(who):
    given(*APPROVED).when(pay(who)).then_refused(OwnApproval)


@pytest.mark.parametrize(
    "before", [(REQUESTED, WANG_APPROVED), ALL_PAID, (REQUESTED, WANG_APPROVED, CANCELLED)]
)
def test_who_may_not_pay_hears_that_before_anything_else(before):
    given(*before).when(pay(WANG, ref="")).then_refused(OwnApproval)


@pytest.mark.parametrize("before", [(REQUESTED,), (REQUESTED, WANG_APPROVED)])
def test_nothing_is_paid_with_less_than_two_approvals(before):
    given(*before).when(pay()).then_refused(WrongState, "payment is not possible")


def test_a_payment_has_a_reference():
    given(*APPROVED).when(pay(ref="")).then_refused(Invalid, "external_ref")


# A bounce.


def test_a_payment_can_bounce():
    given(*ALL_PAID).when(bounce).then(BOUNCED)


def test_a_bounced_payment_can_be_tried_again_without_new_approvals():
    given(*ALL_PAID, BOUNCED).when(pay(ref="P-2")).then(PAID.but(external_ref="P-2"))


def test_after_a_bounce_the_payee_holds_nothing():
    assert (replay(*ALL_PAID).held, replay(*ALL_PAID, BOUNCED).held) == (500_00, 0)


def test_a_second_try_can_bounce_too():
    given(*ALL_PAID, BOUNCED, PAID.but(external_ref="P-2")).when(bounce).then(BOUNCED)


def test_what_the_payee_gave_back_in_part_does_not_bounce():
    given(*ALL_PAID, given_back(1)).when(bounce).then_refused(
        ReturnExceedsPaid, "holds 499.99 yuan, not 500.00"
    )


@pytest.mark.parametrize("before", [APPROVED, (*ALL_PAID, ACKNOWLEDGED), (*ALL_PAID, BOUNCED)])
def test_only_what_is_on_its_way_can_bounce(before):
    given(*before).when(bounce).then_refused(WrongState, "bounce is not possible")


# An acknowledgement.


def test_the_payee_signs_for_what_they_hold():
    given(*ALL_PAID).when(acknowledge).then(ACKNOWLEDGED)
    given(*ALL_PAID, given_back(125_00)).when(acknowledge).then(ACKNOWLEDGED.but(amount=375_00))


@pytest.mark.parametrize("before", [APPROVED, (*ALL_PAID, ACKNOWLEDGED), (*ALL_PAID, BOUNCED)])
def test_only_what_was_paid_is_signed_for_and_once(before):
    given(*before).when(acknowledge).then_refused(WrongState, "acknowledgement is not possible")


# Money given back.


@pytest.mark.parametrize("amount", [1, 125_00, 500_00])
def test_the_payee_may_give_back_a_part_or_all(amount):
    given(*ALL_PAID).when(take_back(amount)).then(given_back(amount))


def test_money_given_back_after_signing_says_so():
    given(*ALL_PAID, ACKNOWLEDGED).when(take_back(125_00)).then(
        given_back(125_00, acknowledged=True)
    )


def test_no_more_is_given_back_than_is_held():
    given(*ALL_PAID).when(take_back(500_01)).then_refused(ReturnExceedsPaid, "holds 500.00 yuan")
    given(*ALL_PAID, given_back(499_99)).when(take_back(2, "R-2")).then_refused(ReturnExceedsPaid)


def test_the_last_fen_can_be_given_back():
    given(*ALL_PAID, given_back(499_99)).when(take_back(1, "R-2")).then(given_back(1, "R-2"))


def test_nothing_is_signed_for_when_all_was_given_back():
    given(*ALL_PAID, given_back(500_00)).when(acknowledge).then_refused(WrongState, "is returned")


def test_the_same_return_again_is_the_first_one():
    given(*ALL_PAID, given_back(125_00)).when(take_back(125_00)).then_repeats(6)


def test_the_same_reference_with_another_amount_is_refused():
    given(*ALL_PAID, given_back(125_00)).when(take_back(125_01)).then_refused(ReturnDiffers)


@pytest.mark.parametrize("before", [APPROVED, (*ALL_PAID, BOUNCED)])
def test_nothing_is_given_back_that_is_not_held(before):
    given(*before).when(take_back(1)).then_refused(WrongState, "return is not possible")


def test_money_of_an_earlier_year_is_given_back_as_such():
    paid_then = PAID.but(on=LAST_YEAR)

    given(*APPROVED, paid_then).when(take_back(1, on=THIS_YEAR)).then(
        given_back(1, on=THIS_YEAR, prior_year=True)
    )
    given(*APPROVED, paid_then).when(take_back(1, on=LAST_YEAR)).then(given_back(1, on=LAST_YEAR))


@pytest.mark.parametrize(
    "step",
    [
        lambda wanted: wanted.bounce(act(), reason="late", on=TODAY - ONE_DAY),
        lambda wanted: wanted.acknowledge(act(), by=CENTRE, on=TODAY - ONE_DAY),
        take_back(1, on=TODAY - ONE_DAY),
    ],
)
def test_nothing_follows_a_payment_before_its_day(step):
    given(*ALL_PAID).when(step).then_refused(Invalid, "2026-03-31 is before the payment")


def test_a_second_try_is_judged_by_its_own_day():
    early, late = date(2026, 3, 1), date(2026, 3, 5)
    second = PAID.but(on=late)

    assert replay(*APPROVED, PAID.but(on=early), BOUNCED.but(on=early), second).paid_on == late
