"""A command loads, decides, is stored, and answers with what was recorded and where."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.funds import (
    FundClosed,
    FundExists,
    FundFrozen,
    FundNotEmpty,
    InsufficientFunds,
)
from ledger.aggregates.sales.settlements import Statement
from ledger.books.tallies import of_fund, of_payment
from ledger.commands.application import BeforeTheRegime
from ledger.feeds.orders import OrderFeed
from ledger.kernel.duties import Duty
from ledger.kernel.errors import Conflict, NotFound
from ledger.kernel.ids import new_id
from ledger.kernel.names import (
    DisbursementId,
    DonationId,
    DonorId,
    FundCode,
    SaleId,
)
from ledger.kernel.payments import PaymentCounted
from ledger.store.commits import Receipt
from tests.charity import Charity, charity
from tests.samples import CHEN, GENERAL, HEAR, MEI, ORDER, SUN, WANG, ZHAO
from tests.spec import TODAY, act

LAST_DAY_OF_2025 = date(2025, 12, 31)
NOBODY = new_id()
PAYMENT = {"amount": 40_00, "channel": "bank", "external_ref": "B-1"}
NO_SALE = Statement(0, 0, 0, 0, 0)


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund(HEAR)
        yield house


# A receipt.


def test_a_receipt_says_what_was_recorded_and_where(house):
    donation = house.pledge(100_00)

    receipt = house.pay_in(donation, 40_00)

    assert receipt == Receipt(str(donation), 2, 4)
    assert house.kinds() == [
        "fund.opened.1",
        "donor.registered.1",
        "donation.pledged.1",
        "donation.payment-received.1",
    ]


def test_a_fund_is_named_by_its_code(house):
    freeze = house.do("freeze_fund", HEAR, reason="review", on=TODAY)

    assert (freeze.id, freeze.version, freeze.position) == ("F-HEAR", 2, 2)


def test_all_events_of_one_command_stand_together_under_its_id(house):
    house.gift(50_00)
    disbursement = house.request(50_00)
    house.approve(disbursement)
    receipt = house.approve(disbursement, ZHAO)

    approval, reservation = house.facts()[-2:]
    assert (approval.TOPIC, reservation.TOPIC) == (
        "disbursement.approval-given.1",
        "disbursement.reserved.1",
    )
    assert approval.command == reservation.command
    assert (receipt.version, receipt.position) == (4, len(house.facts()))


# A payment counts once.


def test_a_payment_told_again_is_the_first_one_even_without_a_key(house):
    donation = house.pledge(100_00)
    first = house.pay_in(donation, 40_00, "B-1")

    assert house.pay_in(donation, 40_00, "B-1") == replace(first, repeated=True)


def test_a_payment_counts_for_one_donation_only(house):
    first, second = house.pledge(), house.pledge()
    house.pay_in(first, 40_00, "B-1")

    with pytest.raises(PaymentCounted):
        house.pay_in(second, 40_00, "B-1")
    assert house.tally(of_payment("bank", "B-1")) == 1


def test_one_payment_claimed_for_many_donations_at_once_counts_once(house):
    donations = [house.pledge() for _ in range(8)]

    def claim(donation):
        try:
            return type(house.pay_in(donation, 40_00, "B-1"))
        except PaymentCounted as refusal:
            return type(refusal)

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(claim, donations)) == {Receipt: 1, PaymentCounted: 7}
    assert house.available() == 40_00


# What is not there.


@pytest.mark.parametrize(
    ("command", "about", "said"),
    [
        ("freeze_fund", FundCode("F-NONE"), {"reason": "review", "on": TODAY}),
        ("withdraw_pledge", DonationId(NOBODY), {"reason": "moved"}),
        ("open_sale", SaleId(NOBODY), {"on": TODAY}),
        ("approve", DisbursementId(NOBODY), {"on": TODAY}),
    ],
)
def test_nothing_is_done_to_what_is_not_there(house, command, about, said):
    with pytest.raises(NotFound, match=str(about)):
        house.do(command, about, **said)


def test_one_kind_of_thing_does_not_stand_in_for_another(house):
    donation = house.pledge()

    with pytest.raises(NotFound, match="there is no disbursement"):
        house.approve(DisbursementId(donation))


def test_a_promise_needs_a_donor_and_a_fund(house):
    house.do("register_donor", MEI, anonymous=True)
    promise = {"amount": 1, "currency": "CNY", "pledged_on": TODAY}

    with pytest.raises(NotFound, match="donor"):
        house.do("pledge", donor=DonorId(NOBODY), fund=HEAR, **promise)
    with pytest.raises(NotFound, match="fund F-GEN"):
        house.do("pledge", donor=MEI, fund=GENERAL, **promise)
    house.open_fund(GENERAL)
    assert house.do("pledge", donor=MEI, fund=GENERAL, **promise).version == 1


def test_a_code_is_given_once(house):
    with pytest.raises(FundExists):
        house.open_fund(HEAR)


def test_a_donor_is_registered_once(house):
    house.do("register_donor", MEI, anonymous=True)

    with pytest.raises(Conflict):
        house.do("register_donor", MEI, anonymous=False)
    assert house.kinds().count("donor.registered.1") == 1


# The books open with the regime.


def test_an_entry_before_the_books_open_is_refused(house):
    donation = house.pledge()

    with pytest.raises(BeforeTheRegime, match="2025-12-31 is before 2026-01-01"):
        house.do("receive_payment", donation, **PAYMENT, received_on=LAST_DAY_OF_2025)
    first = house.do("receive_payment", donation, **PAYMENT, received_on=date(2026, 1, 1))
    assert first.version == 2


def test_a_promise_from_before_the_books_open_is_kept(house):
    house.do("register_donor", MEI, anonymous=True)
    promise = {"amount": 100_00, "currency": "CNY", "pledged_on": LAST_DAY_OF_2025}
    house.do("pledge", donor=MEI, fund=HEAR, **promise)

    assert house.facts()[-1].on == LAST_DAY_OF_2025


# A fund that is frozen, closed or empty.


def test_nothing_leaves_a_frozen_fund_and_money_may_enter_it(house):
    donation, approved, asked = house.gift(), house.approved(10_00), house.request(10_00)
    house.do("freeze_fund", HEAR, reason="review", on=TODAY)
    refund = {"amount": 1, "cause": "error", "reason": "twice", "on": TODAY}

    with pytest.raises(FundFrozen):
        house.approve(asked)
    with pytest.raises(FundFrozen):
        house.pay_out(approved)
    with pytest.raises(FundFrozen):
        house.do("refund", donation, **refund)
    house.gift(5_00)
    house.do("thaw_fund", HEAR, reason="done", on=TODAY)
    house.pay_out(approved)
    assert house.available() == 95_00


def spent(house):
    """Let a gift come and go, and leave nothing; return its donation."""
    donation = house.gift(10_00)
    house.pay_out(house.approved(10_00))
    return donation


def something_sold(house):
    """Settle a sale of one cooker, and leave what the partner owes for it."""
    sale = house.open_sale()
    feed = OrderFeed(house.ledger, act(SUN, role="treasurer"), sale)
    feed.take_in([msgspec.json.encode(replace(ORDER, lines=ORDER.lines[:1]))])
    feed.flush()
    house.end_sale(sale)
    house.do("settle_sale", sale, Statement(336_00, 0, 5_04, 2_02, 328_94), agreed_on=TODAY)


STILL_THERE = {
    "0.01 yuan in available": lambda house: house.gift(1),
    "100.00 yuan in reserved": lambda house: house.gift() and house.approved(100_00),
    "0.01 yuan in pledged": lambda house: house.pledge(1),
    "0.01 yuan in suspense": lambda house: house.pay_in(spent(house), 1),
    "328.94 yuan in receivable": something_sold,
    "1 unsettled sales": Charity.plan_sale,
}


@pytest.mark.parametrize("what", STILL_THERE)
def test_a_fund_is_closed_only_when_nothing_is_in_it_or_due(house, what):
    STILL_THERE[what](house)

    with pytest.raises(FundNotEmpty, match=f"still has {what}"):
        house.do("close_fund", HEAR, reason="built", on=TODAY)
    house.check_tallies()


def test_an_empty_fund_is_closed_and_takes_part_in_nothing_new(house):
    donation, disbursement = house.gift(10_00), house.approved(10_00)
    house.pay_out(disbursement)
    house.do("close_fund", HEAR, reason="built", on=TODAY)
    back = {"amount": 1, "external_ref": "R-1", "received_on": TODAY}

    for step in (
        lambda: house.pledge(1),
        lambda: house.pay_in(donation, 1),
        lambda: house.request(1),
        house.plan_sale,
        lambda: house.do("take_back", disbursement, who=CHEN, **back),
    ):
        with pytest.raises(FundClosed):
            step()
    assert house.kinds()[-1] == "fund.closed.1"


# What the aggregates cannot know alone.


def test_a_refund_beyond_what_is_available_is_refused(house):
    donation = house.gift(100_00)
    house.approved(60_00)
    refund = {"cause": "donor_or_law", "reason": "asked", "on": TODAY}

    with pytest.raises(InsufficientFunds, match=r"has 40\.00 yuan available, which 40\.01"):
        house.do("refund", donation, amount=40_01, **refund)
    house.do("refund", donation, amount=40_00, **refund)
    assert house.available() == 0


def test_a_bounced_payment_stays_set_aside(house):
    house.gift(60_00)
    disbursement = house.approved(60_00)
    house.pay_out(disbursement)
    house.do("bounce", disbursement, reason="账号户名不符", on=TODAY)

    assert (house.available(), house.tally(of_fund(HEAR, "reserved"))) == (0, 60_00)
    house.do("cancel", disbursement, reason="given up")
    assert (house.available(), house.tally(of_fund(HEAR, "reserved"))) == (60_00, 0)
    house.check_tallies()


def test_money_beyond_a_promise_is_not_the_funds_until_the_donor_says_so(house):
    donation = house.pledge(100_00)
    house.pay_in(donation, 130_00)
    assert (house.available(), house.tally(of_fund(HEAR, "suspense"))) == (100_00, 30_00)

    house.do("decide_excess", donation, amount=20_00, decision="give", on=TODAY)
    house.do("decide_excess", donation, amount=10_00, decision="return", on=TODAY)
    assert (house.available(), house.tally(of_fund(HEAR, "suspense"))) == (120_00, 0)
    house.check_tallies()


def test_a_sale_is_settled_on_what_was_sold_when_it_is_stored(house):
    sale = house.open_sale()
    house.end_sale(sale)
    receipt = house.do("settle_sale", sale, NO_SALE, who=SUN, agreed_on=TODAY)

    assert receipt.version == 4
    assert house.tally(of_fund(HEAR, "sales")) == 0


def test_every_command_says_who_gave_it(house):
    house.gift()
    disbursement = house.approved(10_00)

    approvers = {each.actor for each in house.facts() if "approval" in each.TOPIC}
    assert approvers == {WANG, ZHAO}
    assert not house.ledger.get(Disbursement, disbursement).hands[Duty.REQUEST] & approvers
    assert {type(each.command) for each in house.facts()} == {UUID}
