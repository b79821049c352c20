"""What came in and what went out is found again on a statement, by somebody else."""

from datetime import timedelta

import pytest

from ledger.kernel.confirmations import ConfirmationDiffers
from ledger.kernel.errors import Invalid, NotFound, WrongState
from tests.samples import (
    ACKNOWLEDGED,
    APPROVED,
    BOUNCED,
    OVERPAYMENT,
    PAID,
    PAYMENT_CONFIRMED,
    PAYOUT_CONFIRMED,
    PLANNED,
    PLEDGED,
    REFUNDED,
    REMITTANCE_CONFIRMED,
    REMITTED,
    SALE_ENDED,
    SALE_OPENED,
    SETTLED,
    SUN,
    WITHDRAWN,
    ZHAO,
    given_back,
    paid,
)
from tests.spec import TODAY, act, given, replay

ONE_DAY = timedelta(days=1)
ALL_PAID = (*APPROVED, PAID)


def confirm_gift(*, who=SUN, channel="bank", ref="B-1", statement="ST-03", on=TODAY):
    said = {"channel": channel, "external_ref": ref, "statement_ref": statement, "on": on}
    return lambda donation: donation.confirm(act(who), **said)


def confirm_payout(*, who=SUN, statement="ST-04", on=TODAY):
    return lambda wanted: wanted.confirm(act(who), statement_ref=statement, on=on)


# A gift.


def test_a_payment_is_confirmed_whole_with_what_went_beyond_the_promise():
    given(PLEDGED, OVERPAYMENT).when(confirm_gift()).then(PAYMENT_CONFIRMED)


def test_each_payment_is_confirmed_by_itself():
    two = (paid(40_00), paid(60_00, "wechat", "W-1"))

    given(PLEDGED, *two, PAYMENT_CONFIRMED.but(amount=40_00)).when(
        confirm_gift(channel="wechat", ref="W-1")
    ).then(PAYMENT_CONFIRMED.but(amount=60_00, channel="wechat", external_ref="W-1"))


@pytest.mark.parametrize("later", [WITHDRAWN.but(open=60_00), REFUNDED])
def test_a_payment_is_confirmed_whatever_became_of_the_promise(later):
    given(PLEDGED, paid(40_00), later).when(confirm_gift()).then(
        PAYMENT_CONFIRMED.but(amount=40_00)
    )


@pytest.mark.parametrize("other", [{"channel": "wechat"}, {"ref": "B-2"}])
def test_only_a_payment_on_this_donation_is_confirmed(other):
    given(PLEDGED, paid(40_00)).when(confirm_gift(**other)).then_refused(NotFound, "no payment")


def test_the_same_confirmation_again_is_the_first_one():
    given(PLEDGED, OVERPAYMENT, PAYMENT_CONFIRMED).when(confirm_gift(who=ZHAO)).then_repeats(3)


def test_one_payment_stands_on_one_statement():
    given(PLEDGED, OVERPAYMENT, PAYMENT_CONFIRMED).when(
        confirm_gift(statement="ST-09")
    ).then_refused(ConfirmationDiffers, "by statement ST-03")


def test_nothing_is_confirmed_before_it_arrived():
    given(PLEDGED, paid(40_00, on=TODAY)).when(confirm_gift(on=TODAY - ONE_DAY)).then_refused(
        Invalid, "2026-03-31 is before the payment, 2026-04-01"
    )


@pytest.mark.parametrize("statement", ["", "ST 3", "对账单"])
def test_a_statement_has_a_reference(statement):
    given(PLEDGED, OVERPAYMENT).when(confirm_gift(statement=statement)).then_refused(
        Invalid, "statement_ref"
    )


# A remittance.


def confirm_remittance(*, who=SUN, ref="DEMO-BK-330", statement="ST-03", on=TODAY):
    said = {"external_ref": ref, "statement_ref": statement, "on": on}
    return lambda sale: sale.confirm(act(who), **said)


SETTLED_SALE = (PLANNED, SALE_OPENED, SALE_ENDED, SETTLED)


def test_a_remittance_is_confirmed():
    given(*SETTLED_SALE, REMITTED).when(confirm_remittance()).then(REMITTANCE_CONFIRMED)


def test_only_a_remittance_of_this_sale_is_confirmed():
    given(*SETTLED_SALE, REMITTED).when(confirm_remittance(ref="B-9")).then_refused(
        NotFound, "there is no remittance with this reference"
    )


def test_the_same_confirmation_of_a_remittance_again_is_the_first_one():
    given(*SETTLED_SALE, REMITTED, REMITTANCE_CONFIRMED).when(
        confirm_remittance(who=ZHAO)
    ).then_repeats(6)


def test_one_remittance_stands_on_one_statement():
    given(*SETTLED_SALE, REMITTED, REMITTANCE_CONFIRMED).when(
        confirm_remittance(statement="ST-09")
    ).then_refused(ConfirmationDiffers, "remittance DEMO-BK-330 is already confirmed")


def test_no_remittance_is_confirmed_before_it_came():
    early = REMITTED.fields["on"] - ONE_DAY

    given(*SETTLED_SALE, REMITTED).when(confirm_remittance(on=early)).then_refused(
        Invalid, "is before the payment"
    )


# A payment to a payee.


def test_a_payment_to_a_payee_is_confirmed():
    given(*ALL_PAID).when(confirm_payout()).then(PAYOUT_CONFIRMED)


@pytest.mark.parametrize("later", [(ACKNOWLEDGED,), (given_back(1),), (given_back(500_00),)])
def test_it_is_confirmed_whatever_the_payee_did_with_it(later):
    given(*ALL_PAID, *later).when(confirm_payout()).then(PAYOUT_CONFIRMED)


@pytest.mark.parametrize("before", [APPROVED, (*ALL_PAID, BOUNCED)])
def test_only_what_left_the_bank_is_confirmed(before):
    given(*before).when(confirm_payout()).then_refused(WrongState, "confirmation is not possible")


def test_a_second_try_is_confirmed_by_itself():
    second = PAID.but(external_ref="P-2")

    given(*ALL_PAID, PAYOUT_CONFIRMED, BOUNCED, second).when(
        confirm_payout(statement="ST-05")
    ).then(PAYOUT_CONFIRMED.but(external_ref="P-2", statement_ref="ST-05"))


def test_what_is_confirmed_can_bounce_and_is_not_confirmed_then():
    assert replay(*ALL_PAID, PAYOUT_CONFIRMED).confirmed is not None
    assert replay(*ALL_PAID, PAYOUT_CONFIRMED, BOUNCED).confirmed is None


def test_the_same_confirmation_of_a_payout_again_is_the_first_one():
    given(*ALL_PAID, PAYOUT_CONFIRMED).when(confirm_payout()).then_repeats(6)


def test_one_payout_stands_on_one_statement():
    given(*ALL_PAID, PAYOUT_CONFIRMED).when(confirm_payout(statement="ST-09")).then_refused(
        ConfirmationDiffers, "payment P-1 is already confirmed, by statement ST-04"
    )


def test_no_payout_is_confirmed_before_its_day():
    given(*ALL_PAID).when(confirm_payout(on=TODAY - ONE_DAY)).then_refused(Invalid, "on: ")
