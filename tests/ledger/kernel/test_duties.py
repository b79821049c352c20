"""Nobody asks, decides, pays and checks alone: the table of duties, cell by cell."""

from datetime import timedelta

import pytest

from ledger.kernel.duties import (
    APART,
    AlreadyApproved,
    Duty,
    OwnApproval,
    OwnPayment,
    OwnRequest,
    RelatedPayee,
)
from ledger.kernel.terms import Ties
from tests.samples import (
    ACKNOWLEDGED,
    APPROVED,
    BOUNCED,
    CANCELLED,
    CENTRE,
    DECLARED,
    PAID,
    PAYOUT_CONFIRMED,
    PLANNED,
    PLEDGED,
    REJECTED,
    REMITTED,
    REQUESTED,
    RESERVED,
    SALE_ENDED,
    SALE_OPENED,
    SETTLED,
    SUN,
    WANG_APPROVED,
    ZHAO_APPROVED,
    paid,
)
from tests.spec import TODAY, act, given

HE, TOMORROW = "he", TODAY + timedelta(days=1)
NO_TIES, RELATED = Ties(), Ties(parties=frozenset({CENTRE}))


def approve(ties=NO_TIES, on=TODAY):
    return lambda wanted: wanted.approve(act(HE), on=on, needed=2, ties=ties)


def pay(ref="P-1"):
    return lambda wanted: wanted.pay(act(HE), external_ref=ref, paid_on=TODAY)


def confirm(ref="ST-04", on=TODAY):
    return lambda wanted: wanted.confirm(act(HE), statement_ref=ref, on=on)


def confirm_gift(ref="ST-03"):
    return lambda donation: donation.confirm(
        act(HE), channel="bank", external_ref="B-1", statement_ref=ref, on=TODAY
    )


def confirm_remittance(ref="ST-03"):
    return lambda sale: sale.confirm(
        act(HE), external_ref="DEMO-BK-330", statement_ref=ref, on=TODAY
    )


SETTLED_SALE = (PLANNED, SALE_OPENED, SALE_ENDED, SETTLED)
ASKED_HIMSELF = (REQUESTED.but(actor=HE), WANG_APPROVED)
APPROVED_HIMSELF = (REQUESTED, WANG_APPROVED.but(actor=HE))
ONE_OF_TWO = (*APPROVED_HIMSELF, ZHAO_APPROVED, RESERVED)
PAID_HIMSELF = PAID.but(actor=HE)

CELLS = {
    "request, approval": (ASKED_HIMSELF, approve(), OwnRequest),
    "request, payment": ((REQUESTED.but(actor=HE), *APPROVED[1:]), pay(), None),
    "request, confirmation": (
        (REQUESTED.but(actor=HE), *APPROVED[1:], PAID),
        confirm(),
        None,
    ),
    "relation, approval": ((REQUESTED, WANG_APPROVED), approve(RELATED), RelatedPayee),
    "approval, approval": (APPROVED_HIMSELF, approve(), AlreadyApproved),
    "approval, payment": (ONE_OF_TWO, pay(), OwnApproval),
    "approval, confirmation": ((*ONE_OF_TWO, PAID), confirm(), None),
    "payment, confirmation": ((*APPROVED, PAID_HIMSELF), confirm(), OwnPayment),
    "payment that bounced, confirmation of another": (
        (*APPROVED, PAID_HIMSELF, BOUNCED, PAID.but(external_ref="P-2")),
        confirm(),
        None,
    ),
    "gift recorded, confirmation": (
        (PLEDGED, paid(100_00).but(actor=HE)),
        confirm_gift(),
        OwnPayment,
    ),
    "remittance recorded, confirmation": (
        (*SETTLED_SALE, REMITTED.but(actor=HE)),
        confirm_remittance(),
        OwnPayment,
    ),
    "another remittance recorded, confirmation": (
        (
            *SETTLED_SALE,
            REMITTED.but(amount=1),
            REMITTED.but(amount=1, external_ref="B-2", actor=HE),
        ),
        confirm_remittance(),
        None,
    ),
    "another gift recorded, confirmation": (
        (PLEDGED, paid(40_00), paid(60_00, ref="B-2").but(actor=HE)),
        confirm_gift(),
        None,
    ),
}
"""What he did before, what he tries now, and the refusal, if he may not."""


@pytest.mark.parametrize("cell", CELLS)
def test_each_cell_of_the_table(cell):
    before, step, refusal = CELLS[cell]
    tried = given(*before).when(step)

    if refusal is None:
        assert tried.refusal is None
        assert tried.subject.collect_events()
    else:
        tried.then_refused(refusal)


@pytest.mark.parametrize(
    "cell", [cell for cell, (*_, refusal) in CELLS.items() if refusal not in {None, RelatedPayee}]
)
def test_what_he_may_not_do_another_may(cell):
    before, step, _ = CELLS[cell]
    others = [each.but(actor="she") if each.fields["actor"] == HE else each for each in before]

    assert given(*others).when(step).refusal is None


def test_who_is_related_to_nobody_here_may_approve():
    elsewhere = Ties(frozenset({"party-other"}), frozenset({"别处"}))

    assert given(REQUESTED, WANG_APPROVED).when(approve(elsewhere)).refusal is None


def test_no_cell_is_left_out():
    refused = {refusal for *_, refusal in CELLS.values() if refusal is not None}

    assert refused == {each for cells in APART.values() for each in cells.values()}
    assert set(APART) == {Duty.APPROVAL, Duty.PAYMENT, Duty.CONFIRMATION}


# The refusal comes first, whatever else stands in the way.


@pytest.mark.parametrize("then", [(REJECTED,), (CANCELLED,)])
@pytest.mark.parametrize(
    ("before", "ties", "refusal"),
    [
        (ASKED_HIMSELF, NO_TIES, OwnRequest),
        (APPROVED_HIMSELF, NO_TIES, AlreadyApproved),
        ((REQUESTED,), RELATED, RelatedPayee),
    ],
)
def test_who_may_not_approve_hears_that_first(before, ties, refusal, then):
    given(*before, *then).when(approve(ties, on=TOMORROW)).then_refused(refusal)


@pytest.mark.parametrize("then", [(), (PAID,), (PAID, ACKNOWLEDGED), (CANCELLED,)])
def test_who_may_not_pay_hears_that_first(then):
    given(*ONE_OF_TWO, *then).when(pay(ref="")).then_refused(OwnApproval)


@pytest.mark.parametrize("then", [(), (BOUNCED,), (PAYOUT_CONFIRMED.but(actor=SUN),)])
def test_who_may_not_confirm_hears_that_first(then):
    given(*APPROVED, PAID_HIMSELF, *then).when(confirm(ref="", on=TOMORROW)).then_refused(
        OwnPayment
    )


def test_who_may_not_confirm_a_gift_hears_that_first():
    given(PLEDGED, paid(100_00).but(actor=HE)).when(confirm_gift(ref="")).then_refused(OwnPayment)


def test_the_sample_of_a_relation_is_to_the_sample_payee():
    relations = given(DECLARED).subject

    assert relations.ties.bind(REQUESTED.fields["payee"], REQUESTED.fields["payee_name"])
