"""What everybody may know of an event: sums, days, funds and steps, and nothing of any person."""

import pytest

from ledger.kernel.names import Position
from projections.views.corrections import Correction
from projections.views.every import public_sentence, sentence
from tests.samples import BOUNCED, EXCESS_GIVEN, PAID, SAMPLES, paid, refunded

PRIVATE = (
    "donor",
    "note",
    "reason",
    "external_ref",
    "order_no",
    "return_no",
    "payee",
    "payee_name",
    "grid",
    "by",
    "basis",
    "actor",
)
"""Fields that name a person, or that somebody wrote by hand or a bank or shop handed out."""

PUBLIC = [said for said in SAMPLES if public_sentence(said.stamped()) is not None]


@pytest.mark.parametrize("said", PUBLIC, ids=lambda said: said.kind.TOPIC)
def test_a_public_sentence_says_nothing_of_a_person_and_nothing_written_by_hand(said):
    fact = said.stamped()
    named = [getattr(fact, name) for name in PRIVATE if getattr(fact, name, None)]

    for words in public_sentence(fact):
        assert [each for each in named if str(each) in words] == []


@pytest.mark.parametrize("said", PUBLIC, ids=lambda said: said.kind.TOPIC)
def test_it_says_the_same_sum_as_an_auditors_does(said):
    fact = said.stamped()
    figures = [word for word in sentence(fact).en.split() if word[0].isdigit() and "." in word]

    told = public_sentence(fact).en

    assert [each for each in figures if each.strip(",;:()") not in told] == []


def test_what_everybody_may_know_is_promised_here():
    public = {each.kind.TOPIC for each in SAMPLES if public_sentence(each.stamped()) is not None}

    assert public == {
        "disbursement.acknowledged.1",
        "disbursement.approval-given.1",
        "disbursement.bounced.1",
        "disbursement.cancelled.1",
        "disbursement.paid.1",
        "disbursement.rejected.1",
        "disbursement.requested.1",
        "disbursement.reserved.1",
        "disbursement.returned.1",
        "donation.excess-given.1",
        "donation.excess-returned.1",
        "donation.payment-received.1",
        "donation.pledged.1",
        "donation.refunded.1",
        "donation.withdrawn.1",
        "fund.closed.1",
        "fund.frozen.1",
        "fund.opened.1",
        "fund.thawed.1",
        "fund.transferred.1",
        "sale-order.goods-returned.1",
        "sale-order.placed.1",
        "sale.ended.1",
        "sale.opened.1",
        "sale.planned.1",
        "sale.remitted.1",
        "sale.settled.1",
    }


def corrections(*said):
    history = [(Position(n), each.stamped()) for n, each in enumerate(said, start=1)]
    found = Correction(history)
    assert {by: of for of, by in found.by.items()} == found.of
    return found.by


def test_a_bounce_undoes_the_payment_before_it():
    assert corrections(PAID, BOUNCED) == {1: 2}


def test_each_bounce_undoes_its_own_payment():
    assert corrections(PAID, BOUNCED, PAID, BOUNCED) == {1: 2, 3: 4}


def test_a_payment_after_a_bounce_stands():
    assert corrections(PAID, BOUNCED, PAID) == {1: 2}


@pytest.mark.parametrize("cause", ["duplicate", "error"])
def test_a_refund_of_a_mistake_undoes_the_payment_of_the_same_sum(cause):
    assert corrections(paid(30_00), paid(70_00), refunded(30_00).but(cause=cause)) == {1: 3}


def test_a_refund_for_any_other_cause_undoes_nothing():
    assert corrections(paid(30_00), refunded(30_00).but(cause="donor_or_law")) == {}


def test_a_refund_of_a_part_undoes_nothing():
    assert corrections(paid(70_00), EXCESS_GIVEN, refunded(30_00).but(cause="error")) == {}
