"""The tallies under the names by which they are stored, worked by hand."""

from uuid import UUID

import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import FundClosed, FundFrozen, FundNotEmpty, InsufficientFunds
from ledger.aggregates.sales.orders import Oversold
from ledger.books import tallies
from ledger.books.tallies import (
    AVAILABLE,
    BOUNDS,
    UNSOLD,
    changes,
    changes_by_day,
    fund_is_empty,
    fund_is_open,
    fund_lets_go,
    of_fund,
    of_sale,
    own_changes_by_day,
    payment_is_new,
)
from ledger.kernel.names import SaleId
from ledger.kernel.payments import PaymentCounted
from ledger.kernel.tallies import Breach, Tally, TallyOn
from tests import samples
from tests.samples import HEAR, SALE, SAMPLES, paid, refunded

OF_SALE = f"sale {SALE}"

KEPT = {
    "fund.frozen.1": {("fund F-HEAR", "frozen"): 1},
    "fund.thawed.1": {("fund F-HEAR", "frozen"): -1},
    "fund.transferred.1": {
        ("fund F-HEAR", "available"): -1_000_00,
        ("fund F-WARM", "available"): 1_000_00,
    },
    "fund.closed.1": {("fund F-HEAR", "closed"): 1},
    "donor.processing-restricted.1": {("donors", "restrictions"): 1},
    "donor.erased.1": {("donors", "restrictions"): 1},
    "donation.pledged.1": {("fund F-HEAR", "pledged"): 100_00},
    "donation.payment-received.1": {
        ("fund F-HEAR", "available"): 100_00,
        ("fund F-HEAR", "pledged"): -100_00,
        ("fund F-HEAR", "suspense"): 30_00,
        ("payment bank B-1", "counted"): 1,
    },
    "donation.withdrawn.1": {("fund F-HEAR", "pledged"): -100_00},
    "donation.refunded.1": {("fund F-HEAR", "available"): -30_00},
    "donation.excess-given.1": {
        ("fund F-HEAR", "available"): 30_00,
        ("fund F-HEAR", "suspense"): -30_00,
    },
    "donation.excess-returned.1": {("fund F-HEAR", "suspense"): -30_00},
    "sale.planned.1": {
        ("fund F-HEAR", "sales"): 1,
        (OF_SALE, "unsold L1"): 500,
        (OF_SALE, "unsold L2"): 400,
    },
    "sale.settled.1": {
        ("fund F-HEAR", "receivable"): -4_151_11,
        ("fund F-HEAR", "sales"): -1,
        (OF_SALE, "settled"): 1,
    },
    "sale.remitted.1": {
        ("fund F-HEAR", "available"): 193_520_89,
        ("fund F-HEAR", "receivable"): -193_520_89,
    },
    "sale-order.placed.1": {
        ("fund F-HEAR", "receivable"): 424_00,
        (OF_SALE, "gross"): 424_00,
        (OF_SALE, "unsold L1"): -2,
        (OF_SALE, "unsold L2"): -1,
    },
    "sale-order.goods-returned.1": {
        ("fund F-HEAR", "receivable"): -168_00,
        (OF_SALE, "refunds"): 168_00,
        (OF_SALE, "unsold L1"): 1,
    },
    "disbursement.reserved.1": {
        ("fund F-HEAR", "reserved"): 500_00,
        ("fund F-HEAR", "available"): -500_00,
    },
    "disbursement.cancelled.1": {
        ("fund F-HEAR", "reserved"): -500_00,
        ("fund F-HEAR", "available"): 500_00,
    },
    "disbursement.paid.1": {("fund F-HEAR", "reserved"): -500_00},
    "disbursement.bounced.1": {("fund F-HEAR", "reserved"): 500_00},
    "disbursement.returned.1": {("fund F-HEAR", "available"): 125_00},
}
"""What each kind of event changes, of those that change anything."""


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.kind.TOPIC)
def test_an_event_changes_these_tallies_and_no_others(sample):
    kept = {tuple(tally): by for tally, by in changes([sample.stamped()]).items() if by}

    assert kept == KEPT.get(sample.kind.TOPIC, {})


def test_what_several_events_change_is_added_up():
    facts = [each.stamped() for each in SAMPLES]

    total = changes(facts)

    assert total[of_fund(HEAR, "suspense")] == 30_00 - 30_00 - 30_00
    assert total[of_fund(HEAR, "frozen")] == 0
    assert total[of_sale(SALE, f"{UNSOLD}L1")] == 500 - 2 + 1
    assert changes_by_day(facts) == {}


def test_what_several_events_change_on_a_day_is_added_up(monkeypatch):
    """No noun counts by day yet, so one is made up."""
    till = Tally("till", "cash")
    by_day = {
        Donation.PaymentReceived: lambda fact: [(TallyOn(till, fact.on), fact.amount)],
        Donation.Refunded: lambda fact: [(TallyOn(till, fact.on), -fact.amount)],
    }
    monkeypatch.setattr(tallies, "_RULES_BY_DAY", by_day)
    in_, out = paid(100_00).stamped(), refunded(30_00).stamped()

    assert changes_by_day([in_, in_, out, samples.PLEDGED.stamped()]) == {
        TallyOn(till, in_.on): 200_00,
        TallyOn(till, out.on): -30_00,
    }
    assert own_changes_by_day(Donation.Refunded) is by_day[Donation.Refunded]
    assert own_changes_by_day(Donation.Pledged) is None


def test_what_two_nouns_declare_is_refused_at_once():
    with pytest.raises(TypeError, match="declared by two nouns"):
        tallies._all([{"a": 1}, {"a": 1}])  # noqa: SLF001  # It runs at import.


def refusal(expectation, value):
    return type(expectation.otherwise(value)), tuple(expectation.tally), expectation.value


def test_a_fund_takes_part_until_it_is_closed_and_lets_go_unless_it_is_frozen():
    closed = (FundClosed, ("fund F-HEAR", "closed"), 0)
    frozen = (FundFrozen, ("fund F-HEAR", "frozen"), 0)

    assert refusal(fund_is_open(HEAR), 1) == closed
    assert [refusal(each, 1) for each in fund_lets_go(HEAR)] == [closed, frozen]


def test_an_empty_fund_has_nothing_owes_nothing_and_awaits_nothing():
    names = ("available", "reserved", "pledged", "suspense", "receivable", "sales")

    assert [refusal(each, 1) for each in fund_is_empty(HEAR)] == [
        (FundNotEmpty, ("fund F-HEAR", name), 0) for name in names
    ]


def test_a_payment_counts_once():
    expected = (PaymentCounted, ("payment bank B-1", "counted"), 0)

    assert refusal(payment_is_new("bank", "B-1"), 1) == expected


def test_a_refusal_names_what_is_there_and_what_was_to_be_taken():
    free, unsold = of_fund(HEAR, AVAILABLE), of_sale(SALE, f"{UNSOLD}L1")

    overspent = BOUNDS.of(free).breach(Breach(free, 100_00, -120_00))
    oversold = BOUNDS.of(unsold).breach(Breach(unsold, 2, -3))

    assert (type(overspent), overspent.facts) == (
        InsufficientFunds,
        InsufficientFunds(HEAR, available=100_00, wanted=120_00).facts,
    )
    assert (type(oversold), str(oversold)) == (Oversold, "only 2 L1 are left to sell")
    assert (BOUNDS.of(free).floor, BOUNDS.of(unsold).floor) == (0, 0)
    assert BOUNDS.of(of_fund(HEAR, "pledged")) is None


def test_names_are_kept_up_to_a_bound_and_are_right_beyond_it(monkeypatch):
    monkeypatch.setattr("ledger.books.tallies.sales.NAMED_MAX", 0)
    another = SaleId(UUID(int=7))

    assert of_sale(another, "gross") is not of_sale(another, "gross")
    assert of_sale(another, "gross") == (f"sale {another}", "gross")
