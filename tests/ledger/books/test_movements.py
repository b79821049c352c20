"""The figures by which people know a fund: worked by hand, and held to the books."""

from collections import Counter

import pytest

from ledger.books.accounts import DUE_FROM_PARTNER, MONEY, SUSPENSE
from ledger.books.movements import COLUMNS, Movement, movements, moves
from ledger.books.postings import postings
from ledger.kernel.aggregate import aggregate_of
from ledger.kernel.payments import Returned
from tests import samples
from tests.ledger.books.test_postings import WORKED
from tests.samples import GENERAL, HEAR, SAMPLES, WARM, given_back, paid, refunded

BY_TWO_WAYS = refunded(
    70_00, Returned("cash", 60_00, prior_year=False), Returned("bank", 10_00, prior_year=True)
)

FIGURES = {
    "a promise": (samples.PLEDGED, Movement(HEAR, pledged=100_00)),
    "a gift": (paid(100_00), Movement(HEAR, received=100_00, pledged=-100_00)),
    "a part of it in cash": (paid(1, "cash"), Movement(HEAR, received=1, pledged=-1)),
    "a gift beyond its promise": (
        paid(130_00, excess=30_00),
        Movement(HEAR, received=100_00, pledged=-100_00, suspense=30_00),
    ),
    "all of it beyond": (paid(30_00, excess=30_00), Movement(HEAR, suspense=30_00)),
    "the excess given": (samples.EXCESS_GIVEN, Movement(HEAR, received=30_00, suspense=-30_00)),
    "the excess returned": (samples.EXCESS_RETURNED, Movement(HEAR, suspense=-30_00)),
    "a promise withdrawn": (samples.WITHDRAWN, Movement(HEAR, pledged=-100_00)),
    "a refund": (BY_TWO_WAYS, Movement(HEAR, received=-70_00)),
    "a transfer": (
        samples.TRANSFERRED,
        Movement(HEAR, received=-1_000_00),
        Movement(WARM, received=1_000_00),
    ),
    "an order": (samples.PLACED, Movement(HEAR, receivable=424_00)),
    "goods returned": (samples.GOODS_RETURNED, Movement(HEAR, receivable=-168_00)),
    "a settlement": (samples.SETTLED, Movement(HEAR, receivable=-4_151_11)),
    "a remittance": (
        samples.REMITTED,
        Movement(HEAR, received=193_520_89, receivable=-193_520_89),
    ),
    "aid set aside": (samples.RESERVED, Movement(HEAR, reserved=500_00)),
    "aid called off": (samples.CANCELLED, Movement(HEAR, reserved=-500_00)),
    "aid called off early": (samples.CANCELLED.but(released=0), Movement(HEAR)),
    "aid paid": (samples.PAID, Movement(HEAR, reserved=-500_00, paid=500_00)),
    "aid bounced": (samples.BOUNCED, Movement(HEAR, reserved=500_00, paid=-500_00)),
    "aid signed for": (samples.ACKNOWLEDGED, Movement(HEAR, acknowledged=500_00)),
    "aid given back": (given_back(125_00), Movement(HEAR, paid=-125_00)),
    "aid given back after signing": (
        given_back(125_00, acknowledged=True),
        Movement(HEAR, paid=-125_00, acknowledged=-125_00),
    ),
    "aid of an earlier year given back": (
        given_back(125_00, prior_year=True),
        Movement(HEAR, paid=-125_00),
    ),
    **{
        said.kind.TOPIC: (said,)
        for said in (
            samples.OPENED,
            samples.FROZEN,
            samples.THAWED,
            samples.CLOSED,
            samples.REGISTERED,
            samples.ANNOUNCED,
            samples.RESTRICTED,
            samples.ERASED,
            samples.ADDED,
            samples.GRANTED,
            samples.ROLES_WITHDRAWN,
            samples.DISABLED,
            samples.PLANNED,
            samples.SALE_OPENED,
            samples.SALE_ENDED,
            samples.REQUESTED,
            samples.WANG_APPROVED,
            samples.REJECTED,
            samples.PAYMENT_CONFIRMED,
            samples.REMITTANCE_CONFIRMED,
            samples.PAYOUT_CONFIRMED,
            samples.POLICY_SET,
            samples.DECLARED,
        )
    },
}

ALL = {name: said for table in (FIGURES, WORKED) for name, (said, *_) in table.items()}


def added_up(facts, figure):
    """Return what ``figure`` comes to for each fund, leaving out what is nothing."""
    total = Counter()
    for fact in facts:
        for movement in movements(fact):
            total[movement.fund] += figure(movement)
    return {fund: amount for fund, amount in total.items() if amount}


def booked(facts, accounts):
    """Return the balance of ``accounts`` for each fund, leaving out what is nothing."""
    total = Counter()
    for fact in facts:
        for posting in postings(fact):
            total[posting.fund] += posting.amount if posting.account in accounts else 0
    return {fund: amount for fund, amount in total.items() if amount}


def check_against_the_books(facts):
    """Hold the columns of ``facts`` to the entries of the same facts."""
    money = added_up(facts, lambda each: each.received - each.paid + each.suspense)
    assert money == booked(facts, MONEY)
    owed = {fund: -amount for fund, amount in booked(facts, {SUSPENSE}).items()}
    assert added_up(facts, lambda each: each.suspense) == owed
    due = added_up(facts, lambda each: each.receivable)
    assert due == booked(facts, {DUE_FROM_PARTNER})


@pytest.mark.parametrize("name", FIGURES)
def test_the_figures_are_those_worked_by_hand(name):
    said, *expected = FIGURES[name]

    assert movements(said.stamped()) == tuple(expected)


@pytest.mark.parametrize("name", ALL)
def test_the_figures_agree_with_the_books(name):
    check_against_the_books([ALL[name].stamped()])


def test_every_kind_of_event_has_its_figures_worked():
    of_money = {each.kind for each in SAMPLES if aggregate_of(each.kind).MOVES_MONEY}
    assert {said.kind for said, *_ in FIGURES.values()} >= of_money
    assert all(
        moves(each.kind)(each.stamped()) == () for each in SAMPLES if each.kind not in of_money
    )


def test_what_is_available_is_received_and_neither_paid_nor_set_aside():
    movement = Movement(
        HEAR,
        received=1_000_000,
        paid=100_000,
        reserved=10_000,
        acknowledged=1_000,
        pledged=100,
        suspense=10,
        receivable=1,
    )

    assert movement.available == 890_000


def test_setting_aside_paying_and_bouncing_take_from_available_once():
    changes = [
        sum(each.available for each in movements(said.stamped()))
        for said in (samples.RESERVED, samples.PAID, samples.BOUNCED, samples.CANCELLED)
    ]

    assert changes == [-500_00, 0, 0, 500_00]


def test_the_columns_are_those_that_are_published():
    assert COLUMNS == (
        "received",
        "reserved",
        "paid",
        "acknowledged",
        "pledged",
        "suspense",
        "receivable",
    )


def test_two_funds_do_not_mix():
    facts = [paid(100_00).stamped(), paid(7_00).but(fund=GENERAL).stamped()]

    assert added_up(facts, lambda each: each.received) == {HEAR: 100_00, GENERAL: 7_00}
    check_against_the_books(facts)
