"""Whoever tries a step that is not possible hears which ones are."""

from datetime import date

import pytest

from ledger.kernel.errors import WrongState
from tests.samples import (
    ACKNOWLEDGED,
    APPROVED,
    CANCELLED,
    CENTRE,
    CHEN,
    CLOSED,
    FROZEN,
    LIN,
    OPENED,
    PAID,
    PAYMENT,
    PLANNED,
    PLEDGED,
    REJECTED,
    REQUESTED,
    SALE_ENDED,
    SALE_OPENED,
    SETTLED,
    SUN,
    WANG_APPROVED,
    WITHDRAWN,
    given_back,
)
from tests.spec import TODAY, act, given

DISBURSED = (*APPROVED, PAID)


def thaw(fund):
    fund.thaw(act(SUN), reason="review done", on=TODAY)


def freeze(fund):
    fund.freeze(act(SUN), reason="bank reversal under review", on=TODAY)


def withdraw(donation):
    donation.withdraw(act(), reason="moved away")


def receive(donation):
    received_on = date(2026, 3, 20)
    donation.receive(act(), amount=1, channel="bank", external_ref="B-9", received_on=received_on)


def refund(donation):
    donation.refund(act(), amount=1, cause="error", reason="paid twice", on=TODAY)


def open_sale(sale):
    sale.open(act(SUN), on=TODAY)


def end(sale):
    sale.end(act(SUN), on=TODAY)


def pay(disbursement):
    disbursement.pay(act(CHEN), external_ref="P-9", paid_on=TODAY)


def acknowledge(disbursement):
    disbursement.acknowledge(act(LIN), by=CENTRE, on=TODAY)


@pytest.mark.parametrize(
    ("before", "step", "possible"),
    [
        ((OPENED,), thaw, "freeze, transfer, close"),
        ((OPENED, FROZEN), freeze, "thaw"),
        ((OPENED, CLOSED), freeze, ""),
        ((PLEDGED,), refund, "payment, withdrawal"),
        ((PLEDGED, PAYMENT), withdraw, "payment, refund"),
        ((PLEDGED, WITHDRAWN), receive, "refund"),
        ((PLANNED,), end, "opening"),
        ((PLANNED, SALE_OPENED), open_sale, "orders, returns, ending"),
        ((PLANNED, SALE_OPENED, SALE_ENDED), end, "orders, returns, settlement"),
        ((PLANNED, SALE_OPENED, SALE_ENDED, SETTLED), end, "remittance"),
        ((REQUESTED,), pay, "approval, rejection, cancellation"),
        ((REQUESTED, WANG_APPROVED), pay, "approval, rejection, cancellation"),
        (APPROVED, acknowledge, "payment, cancellation"),
        (DISBURSED, pay, "confirmation, bounce, acknowledgement, return"),
        ((*DISBURSED, ACKNOWLEDGED), acknowledge, "confirmation, return"),
        ((*DISBURSED, given_back(500_00)), acknowledge, "confirmation"),
        ((REQUESTED, REJECTED), pay, ""),
        ((REQUESTED, CANCELLED), pay, ""),
    ],
)
def test_a_step_that_is_not_possible_names_those_that_are(before, step, possible):
    story = given(*before).when(step)

    story.then_refused(WrongState, f"which allows {possible or 'nothing'}")
    assert ", ".join(story.refusal.allowed) == possible
