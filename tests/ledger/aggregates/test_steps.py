"""States have names, and whoever tries a step that is not possible hears which ones are."""

import pytest

from ledger.aggregates.disbursements.states import DisbursementState
from ledger.aggregates.donations.states import DonationState
from ledger.aggregates.funds import FundState
from ledger.aggregates.sales.states import SaleState
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.terms import Ties
from tests.samples import (
    ACKNOWLEDGED,
    APPROVED,
    CANCELLED,
    CENTRE,
    CHEN,
    CLOSED,
    FROZEN,
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
    STATEMENT,
    SUN,
    WANG_APPROVED,
    WITHDRAWN,
    given_back,
)
from tests.spec import TODAY, act, given

DISBURSED = (*APPROVED, PAID)


REASON = {"reason": "the board decided"}
BACK = {"amount": 1, "external_ref": "R-9", "received_on": TODAY}
CONFIRMED = {"statement_ref": "2026-04/3", "on": TODAY}


def step(name, who=SUN, **arguments):
    """Return the step of an aggregate that has this name, with somebody's act."""
    return lambda aggregate: getattr(aggregate, name)(act(who), **arguments)


freeze = step("freeze", on=TODAY, **REASON)
thaw = step("thaw", on=TODAY, **REASON)
close = step("close", on=TODAY, **REASON)
receive = step("receive", amount=1, channel="bank", external_ref="B-9", received_on=TODAY)
withdraw = step("withdraw", **REASON)
refund = step("refund", amount=1, cause="error", on=TODAY, **REASON)
open_sale = step("open", on=TODAY)
end = step("end", on=TODAY)
settle = step("settle", theirs=STATEMENT, gross=0, refunds=0, agreed_on=TODAY)
remit = step("remit", amount=1, external_ref="S-9", received_on=TODAY)
approve = step("approve", CHEN, on=TODAY, needed=2, ties=Ties())
reject = step("reject", **REASON)
cancel = step("cancel", **REASON)
pay = step("pay", external_ref="P-9", paid_on=TODAY)
confirm = step("confirm", CHEN, **CONFIRMED)
bounce = step("bounce", on=TODAY, **REASON)
acknowledge = step("acknowledge", by=CENTRE, on=TODAY)
take_back = step("take_back", **BACK)


@pytest.mark.parametrize(
    ("states", "names"),
    [
        (FundState, "open frozen closed"),
        (DonationState, "pledged partially-settled fulfilled withdrawn"),
        (SaleState, "planned open ended settled"),
        (
            DisbursementState,
            "requested partly-approved approved paid acknowledged returned rejected cancelled",
        ),
    ],
)
def test_a_state_is_called_what_lists_and_refusals_call_it(states, names):
    assert " ".join(states) == names


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


@pytest.mark.parametrize(
    ("before", "step", "name"),
    [
        ((OPENED, FROZEN), freeze, "freeze"),
        ((OPENED,), thaw, "thaw"),
        ((OPENED, CLOSED), close, "close"),
        ((PLEDGED, WITHDRAWN), receive, "payment"),
        ((PLEDGED, WITHDRAWN), withdraw, "withdrawal"),
        ((PLEDGED,), refund, "refund"),
        ((PLANNED, SALE_OPENED), open_sale, "opening"),
        ((PLANNED,), end, "ending"),
        ((PLANNED,), settle, "settlement"),
        ((PLANNED,), remit, "remittance"),
        (APPROVED, approve, "approval"),
        (APPROVED, reject, "rejection"),
        (DISBURSED, cancel, "cancellation"),
        (DISBURSED, pay, "payment"),
        (APPROVED, confirm, "confirmation"),
        (APPROVED, bounce, "bounce"),
        (APPROVED, acknowledge, "acknowledgement"),
        (APPROVED, take_back, "return"),
    ],
)
def test_the_step_that_was_tried_is_called_what_people_call_it(before, step, name):
    given(*before).when(step).then_refused(WrongState, f"{name} is not possible: ")


@pytest.mark.parametrize(
    ("before", "method", "others"),
    [
        ((OPENED,), "freeze", {"on": TODAY}),
        ((OPENED, FROZEN), "thaw", {"on": TODAY}),
        ((OPENED,), "close", {"on": TODAY}),
        ((PLEDGED,), "withdraw", {}),
        ((PLEDGED, PAYMENT), "refund", {"amount": 1, "cause": "error", "on": TODAY}),
        ((REQUESTED,), "reject", {}),
        ((REQUESTED,), "cancel", {}),
        (DISBURSED, "bounce", {"on": TODAY}),
    ],
)
def test_a_reason_that_names_a_person_is_refused_as_the_reason(before, method, others):
    given(*before).when(step(method, reason="13812345678", **others)).then_refused(
        Invalid, "reason: seems to contain"
    )
