"""What everybody may know of an event: sums, days, funds and steps, and nothing of any person."""

import pytest

from ledger.kernel.aggregate import FACTS
from ledger.kernel.names import Position
from projections.views.public_trail import AS_IN_THE_TRAIL, SHORTER, Correction, public_sentence
from projections.views.sentences import sentence
from tests.samples import BOUNCED, EXCESS_GIVEN, PAID, REGISTERED, SAMPLES, paid, refunded

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


def test_what_is_not_named_as_public_is_not_shown():
    assert public_sentence(REGISTERED.stamped()) is None
    hidden = set(FACTS) - {kind.TOPIC for kind in AS_IN_THE_TRAIL | SHORTER.keys()}
    assert hidden == {
        "approval-policy.set.1",
        "disbursement.payment-confirmed.1",
        "donation.payment-confirmed.1",
        "donor.erased.1",
        "donor.processing-restricted.1",
        "donor.registered.1",
        "log.key-announced.1",
        "person.added.1",
        "person.disabled.1",
        "person.roles-granted.1",
        "person.roles-withdrawn.1",
        "relation.declared.1",
        "sale.remittance-confirmed.1",
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
