"""Which promises are overdue, since when and by how much."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from ledger.aggregates.donations.facts import Instalment
from ledger.kernel.names import DonationId
from projections.kernel.follow import Follower
from projections.views.every import all_views
from projections.views.inbox import Overdue, overdue
from projections.views.opening import open_views
from tests.charity import charity
from tests.samples import HEAR, MEI
from tests.spec import TODAY

FIRST, SECOND, THIRD = (TODAY + timedelta(days=each) for each in (10, 20, 30))
PARTS = tuple(Instalment(due_on, 40_00) for due_on in (FIRST, SECOND, THIRD))


@pytest.fixture(name="house")
def _house(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        house.do("register_donor", MEI, anonymous=True)
        yield house


@pytest.fixture(name="late")
def _late(house, tmp_path):
    """Return what is overdue on a day."""
    engine = open_views(tmp_path / "views.db")
    follower = Follower(house.ledger, engine, all_views())

    def look(today: date) -> list[tuple[DonationId, date, int, int]]:
        follower.catch_up()
        with engine.connect() as connection:
            return [shown(each) for each in overdue(connection, today)]

    yield look
    engine.dispose()


def shown(debt: Overdue):
    return DonationId(UUID(debt.donation)), debt.since, debt.due, debt.open


def promised(house, *parts):
    amount = sum(each.amount for each in parts) or 120_00
    promise = {"fund": HEAR, "amount": amount, "currency": "CNY", "pledged_on": TODAY}
    receipt = house.do("pledge", donor=MEI, **promise, instalments=parts)
    return DonationId(UUID(receipt.id))


def test_an_instalment_is_overdue_from_the_day_after_it_was_due(house, late):
    donation = promised(house, *PARTS)

    assert late(FIRST) == []
    assert late(FIRST + timedelta(days=1)) == [(donation, FIRST, 40_00, 120_00)]
    assert late(SECOND + timedelta(days=1)) == [(donation, FIRST, 80_00, 120_00)]
    assert late(THIRD + timedelta(days=1)) == [(donation, FIRST, 120_00, 120_00)]


def test_what_was_paid_counts_for_the_oldest_instalments(house, late):
    donation = promised(house, *PARTS)
    house.pay_in(donation, 50_00)

    assert late(SECOND) == []
    assert late(SECOND + timedelta(days=1)) == [(donation, SECOND, 30_00, 70_00)]
    house.pay_in(donation, 30_00)
    assert late(THIRD) == []
    assert late(THIRD + timedelta(days=1)) == [(donation, THIRD, 40_00, 40_00)]
    house.pay_in(donation, 40_00)
    assert late(THIRD + timedelta(days=1)) == []


def test_a_promise_without_instalments_names_no_day(house, late):
    promised(house)

    assert late(THIRD + timedelta(days=1_000)) == []


def test_what_was_withdrawn_is_not_owed(house, late):
    donation = promised(house, *PARTS)
    house.do("withdraw_pledge", donation, reason="moved abroad")

    assert late(THIRD + timedelta(days=1)) == []


def test_the_oldest_debt_comes_first(house, late):
    second, first = promised(house, *PARTS[1:]), promised(house, *PARTS[:2])

    assert [each[:2] for each in late(THIRD)] == [(first, FIRST), (second, SECOND)]
