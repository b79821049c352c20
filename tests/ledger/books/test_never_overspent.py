"""However many approve at the same moment, no more is promised than a fund has."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.funds import InsufficientFunds
from ledger.books.tallies import of_fund
from ledger.kernel.errors import Conflict
from tests.charity import charity
from tests.samples import GENERAL, HEAR, ZHAO
from tests.spec import TODAY

RIVALS = 24


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund(HEAR)
        house.open_fund(GENERAL)
        yield house


def at_once(*steps):
    """Take every step in a thread of its own, all at the same moment; return what became of it."""
    together = Barrier(len(steps))

    def take(step):
        together.wait()
        try:
            step()
        except (InsufficientFunds, Conflict) as refusal:
            return type(refusal)
        return None

    with ThreadPoolExecutor(len(steps)) as pool:
        return Counter(pool.map(take, steps))


def approving(house, amounts, fund=HEAR):
    """Return the second approval of a request for each of ``amounts``."""
    requests = [house.request(amount, fund) for amount in amounts]
    for each in requests:
        house.approve(each)
    return [lambda each=each: house.approve(each, ZHAO) for each in requests]


def reserved(house):
    return [each.amount for each in house.facts() if isinstance(each, Disbursement.Reserved)]


@pytest.mark.parametrize(("held", "fit"), [(100_00, 10), (99_99, 9), (9_99, 0)])
def test_exactly_as_many_approvals_as_fit_succeed(house, held, fit):
    house.gift(held)
    steps = approving(house, [10_00] * RIVALS)

    assert at_once(*steps) == Counter({None: fit, InsufficientFunds: RIVALS - fit}) + Counter()
    assert reserved(house) == [10_00] * fit
    assert house.available() == held - fit * 10_00
    house.check_tallies()


def test_whatever_the_amounts_the_sum_fits(house):
    house.gift(100_00)
    outcome = at_once(*approving(house, [7_00 + 1_37 * n for n in range(RIVALS)]))

    assert outcome[None] >= 3
    assert outcome[InsufficientFunds] >= 1
    assert sum(reserved(house)) == 100_00 - house.available() <= 100_00
    assert house.tally(of_fund(HEAR, "reserved")) == sum(reserved(house))
    house.check_tallies()


def test_approvals_refunds_and_transfers_are_rivals_for_the_same_money(house):
    donation = house.gift(30_00)
    give = {"to": GENERAL, "amount": 10_00, "basis": "consent", "on": TODAY}
    back = {"amount": 10_00, "cause": "error", "reason": "paid twice", "on": TODAY}
    steps = [
        *approving(house, [10_00] * 3),
        *[lambda: house.do("transfer", HEAR, **give)] * 3,
        *[lambda: house.do("refund", donation, **back)] * 3,
    ]

    outcome = at_once(*steps)

    assert outcome[None] == 3
    assert house.available(HEAR) == 0
    house.check_tallies()


def test_gifts_that_arrive_meanwhile_are_spent_only_once(house):
    pledges = [house.pledge(10_00) for _ in range(8)]
    gifts = [lambda each=each: house.pay_in(each, 10_00) for each in pledges]
    steps = approving(house, [10_00] * 12)

    outcome = at_once(*gifts, *steps)

    assert outcome[None] == len(gifts) + len(reserved(house))
    assert len(reserved(house)) <= 8
    assert house.available() == 80_00 - sum(reserved(house)) >= 0
    house.check_tallies()


def test_rivals_of_one_fund_do_not_hinder_another(house):
    house.gift(10_00, HEAR)
    house.gift(120_00, GENERAL)
    poor, rich = approving(house, [10_00] * 12), approving(house, [10_00] * 12, GENERAL)

    assert at_once(*poor, *rich) == {None: 13, InsufficientFunds: 11}
    assert (house.available(HEAR), house.available(GENERAL)) == (0, 0)
    house.check_tallies()
