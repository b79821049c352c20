"""Somebody was faster between the decision and its storing: it is made anew on what they left."""

import json
from dataclasses import replace

import pytest

from ledger.aggregates.donors import ProcessingStopped
from ledger.aggregates.funds import FundClosed, FundFrozen, FundNotEmpty
from ledger.aggregates.sales.settlements import SettlementMismatch, Statement
from ledger.books.tallies import of_payment
from ledger.commands.every import COMMANDS
from ledger.feeds.orders import OrderFeed
from ledger.kernel.errors import Conflict, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.names import DonorId
from tests.charity import charity
from tests.samples import HEAR, MEI, SUN, ZHAO
from tests.spec import TODAY, act, act_for

ONE_COOKER = Statement(168_00, 0, 2_52, 1_01, 164_47)


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund(HEAR)
        yield house


def record(house, command, *args, rivals, who=SUN, **said):
    """Carry out a command, while a rival comes in between each time that it has been decided."""
    known, rivals = COMMANDS[command], iter(rivals)

    def decide(ledger, act, *args, **said):
        decision = known.decide(ledger, act, *args, **said)
        next(rivals, lambda: None)()
        return decision

    overtaken = replace(known, decide=decide)
    return house.ledger.record(overtaken, act_for(known, who), *args, **said)


def order(no):
    line = {"sku": "L1", "quantity": 1, "unit_price": 168_00}
    return json.dumps(
        {"order_no": no, "placed_at": "2026-03-08T20:12:38+08:00", "lines": [line]}
    ).encode()


class Overtaken(OrderFeed):
    """A feed that a rival overtakes when it has been decided."""

    def __init__(self, *args, rivals):
        super().__init__(*args)
        self._rivals = iter(rivals)

    def _decide(self, lines):
        chunk = super()._decide(lines)
        next(self._rivals, lambda: None)()
        return chunk


def feed(house, sale, no, rivals=()):
    taken = Overtaken(house.ledger, act(SUN, role="treasurer"), sale, rivals=rivals)
    taken.take_in([order(no)])
    taken.flush()
    return taken


def freeze(house):
    house.do("freeze_fund", HEAR, reason="review", on=TODAY)


@pytest.fixture(name="sale")
def _sale(house):
    sale = house.open_sale()
    feed(house, sale, "JLG-1")
    house.end_sale(sale)
    return sale


def test_a_payment_that_was_overtaken_by_another_still_counts(house):
    donation = house.pledge(100_00)
    rivals = [lambda: house.pay_in(donation, 80_00)]

    receipt = record(
        house,
        "receive_payment",
        donation,
        rivals=rivals,
        amount=30_00,
        channel="cash",
        external_ref="C-1",
        received_on=TODAY,
    )

    assert receipt.version == 3
    assert house.facts()[-1].excess == 10_00
    house.check_tallies()


def test_who_is_overtaken_again_and_again_is_told_so(house):
    donation = house.pledge(100_00)
    rivals = [lambda: house.pay_in(donation, 1)] * 5

    with pytest.raises(Conflict, match="somebody else changed this meanwhile"):
        record(house, "withdraw_pledge", donation, rivals=rivals, reason="moved away")
    assert record(house, "withdraw_pledge", donation, rivals=rivals[:4], reason="moved").version


def test_a_withdrawal_that_was_overtaken_by_the_last_payment_is_refused(house):
    donation = house.pledge(100_00)
    rivals = [lambda: house.pay_in(donation, 100_00)]

    with pytest.raises(WrongState, match="is fulfilled"):
        record(house, "withdraw_pledge", donation, rivals=rivals, reason="moved away")


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_promise_that_was_overtaken_by_a_restriction_is_refused(house, is_remembered):
    house.do("register_donor", MEI, anonymous=True)
    if is_remembered:
        house.pledge(1)
    promise = {"donor": MEI, "fund": HEAR, "amount": 1, "currency": "CNY", "pledged_on": TODAY}
    rivals = [lambda: house.do("restrict_donor", MEI, basis="donor-request")]

    with pytest.raises(ProcessingStopped, match="is restricted"):
        record(house, "pledge", rivals=rivals, **promise)
    house.check_tallies()


def test_a_promise_is_not_hindered_by_what_became_of_others(house):
    other = DonorId(new_id())
    house.do("register_donor", other, anonymous=True)
    house.pledge(1)
    promise = {"donor": MEI, "fund": HEAR, "amount": 1, "currency": "CNY", "pledged_on": TODAY}
    rivals = [lambda: house.do("restrict_donor", other, basis="donor-request")]

    assert record(house, "pledge", rivals=rivals, **promise).position
    house.check_tallies()


def test_of_two_erasures_at_the_same_moment_one_repeats_the_other(house):
    house.do("register_donor", MEI, anonymous=True)
    said = {"basis": "consent-withdrawn", "donations": []}
    rivals = [lambda: house.do("erase_donor", MEI, **said)]

    slower = record(house, "erase_donor", MEI, rivals=rivals, **said)

    assert (slower.repeated, slower.version) == (True, 2)
    assert house.kinds().count("donor.erased.1") == 1


def test_a_payment_told_twice_at_the_same_moment_counts_once(house):
    donation = house.pledge(100_00)
    payment = {"amount": 30_00, "channel": "bank", "external_ref": "B-1", "received_on": TODAY}
    rivals = [lambda: house.pay_in(donation, 30_00, "B-1")]

    slower = record(house, "receive_payment", donation, rivals=rivals, **payment)

    assert slower.repeated
    assert (house.available(), house.tally(of_payment("bank", "B-1"))) == (30_00, 1)


def test_a_promise_to_a_fund_that_was_just_closed_is_refused(house):
    house.do("register_donor", MEI, anonymous=True)
    promise = {"donor": MEI, "amount": 1, "currency": "CNY", "pledged_on": TODAY}
    rivals = [lambda: house.do("close_fund", HEAR, reason="built", on=TODAY)]

    with pytest.raises(FundClosed):
        record(house, "pledge", rivals=rivals, fund=HEAR, **promise)
    assert house.kinds()[-1] == "fund.closed.1"


def test_a_fund_to_which_something_was_just_promised_is_not_closed(house):
    rivals = [lambda: house.pledge(1)]

    with pytest.raises(FundNotEmpty, match="in pledged"):
        record(house, "close_fund", HEAR, rivals=rivals, reason="built", on=TODAY)


@pytest.mark.parametrize("step", ["approve", "pay"])
def test_nothing_leaves_a_fund_that_was_just_frozen(house, step):
    house.gift(100_00)
    disbursement = house.request() if step == "approve" else house.approved()
    said = {"on": TODAY} if step == "approve" else {"external_ref": "P-1", "paid_on": TODAY}

    with pytest.raises(FundFrozen):
        record(house, step, disbursement, rivals=[lambda: freeze(house)], **said)
    assert house.kinds()[-1] == "fund.frozen.1"


def test_a_request_that_was_just_cancelled_is_not_approved(house):
    house.gift(100_00)
    disbursement = house.request()
    house.approve(disbursement)
    rivals = [lambda: house.do("cancel", disbursement, reason="bought elsewhere")]

    with pytest.raises(WrongState, match="is cancelled"):
        record(house, "approve", disbursement, who=ZHAO, rivals=rivals, on=TODAY)
    assert house.available() == 100_00


def test_a_sale_of_which_more_was_just_sold_is_not_settled_on_the_old_figures(house, sale):
    rivals = [lambda: feed(house, sale, "JLG-2")]

    with pytest.raises(SettlementMismatch, match=r"gross: theirs 168\.00, ours 336\.00"):
        record(house, "settle_sale", sale, ONE_COOKER, rivals=rivals, agreed_on=TODAY)
    house.check_tallies()


def test_nothing_is_sold_in_a_sale_that_was_just_settled(house, sale):
    rivals = [lambda: house.do("settle_sale", sale, ONE_COOKER, agreed_on=TODAY)]

    with pytest.raises(WrongState, match="orders is not possible"):
        feed(house, sale, "JLG-2", rivals)
    assert house.kinds()[-1] == "sale.settled.1"


def test_two_feeds_of_one_order_record_it_once(house, sale):
    rivals = [lambda: feed(house, sale, "JLG-2")]

    slow = feed(house, sale, "JLG-2", rivals)

    assert (slow.accepted, slow.duplicates) == (0, 1)
    assert house.kinds().count("sale-order.placed.1") == 2
    house.check_tallies()


def test_a_rehearsal_is_decided_anew_when_somebody_was_restricted_meanwhile(house):
    house.pledge()  # Its donor is remembered here from now on.
    donor = DonorId(new_id())
    house.do("register_donor", donor, anonymous=True)
    house.do("restrict_donor", donor, basis="donor-request")

    promise = {"fund": HEAR, "amount": 1, "currency": "CNY", "pledged_on": TODAY}
    refusal = house.ledger.refusal_of(
        COMMANDS["pledge"], act_for(COMMANDS["pledge"]), donor=MEI, **promise
    )

    assert refusal is None
