"""Replay recounts tallies that have a value per day, and names the days that differ.

No noun of the charity has such a tally yet, so payments fill a till here, and transfers empty it.
"""

from contextlib import closing
from datetime import date

import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import Fund
from ledger.books import tallies
from ledger.commands import Ledger, records
from ledger.kernel.errors import Refused
from ledger.kernel.ids import new_id
from ledger.kernel.tallies import Bound, Bounds, Tally, TallyOn
from ledger.store import copying, open_store
from ledger.store.commits import Commit
from projections.kernel.follow import Follower
from projections.replay.replay import replay
from projections.views.every import all_views
from projections.views.opening import open_views
from tests.charity import charity
from tests.samples import HEAR, WARM
from tests.stores import connected

TILL = Tally(f"till {HEAR}", "cash")
JANUARY, FEBRUARY, MARCH = date(2026, 1, 5), date(2026, 2, 6), date(2026, 3, 7)


class Short(Refused):
    """Nobody takes out of the till what was not in it on that day or any later one."""


@pytest.fixture(autouse=True)
def _till(monkeypatch):
    monkeypatch.setattr(
        tallies,
        "_RULES_BY_DAY",
        {
            Donation.PaymentReceived: lambda it: [(TallyOn(TILL, it.on), it.amount)],
            Fund.Transferred: lambda it: [(TallyOn(TILL, it.on), -it.amount)],
        },
    )
    bounds = Bounds({("till", "cash"): Bound(0, lambda breach: Short(f"{breach.day}"))})
    monkeypatch.setattr(records, "BOUNDS", bounds)


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        for code in (HEAR, WARM):
            house.open_fund(code)
        donation = house.pledge(500_00)
        house.do(
            "receive_payment",
            donation,
            amount=300_00,
            channel="cash",
            external_ref="late",
            received_on=MARCH,
        )
        house.do(
            "receive_payment",
            donation,
            amount=200_00,
            channel="cash",
            external_ref="early",
            received_on=JANUARY,
        )
        yield house


def transfer(house, amount, on):
    house.do("transfer", HEAR, to=WARM, amount=amount, basis="donor-consent", on=on)


@pytest.fixture(name="differences")
def _differences(house, tmp_path):
    """Return what a replay finds to differ, after views of their own caught up."""
    engine = open_views(tmp_path / "views.db")
    Follower(house.ledger, engine, all_views()).catch_up()
    yield lambda: replay(house.ledger, engine, all_views()).differences
    engine.dispose()


def test_a_command_is_refused_by_the_day_that_it_would_leave_short(house):
    transfer(house, 150_00, MARCH)

    with pytest.raises(Short, match="2026-02-06"):
        transfer(house, 200_01, FEBRUARY)
    transfer(house, 200_00, FEBRUARY)

    assert [(each.day, value) for each, value in house.ledger.store.all_days()] == [
        (JANUARY, 200_00),
        (FEBRUARY, 0),
        (MARCH, 150_00),
    ]


def test_what_the_store_keeps_is_what_a_replay_counts(house, differences):
    transfer(house, 200_00, FEBRUARY)

    assert differences() == []


@pytest.mark.parametrize(
    ("change", "served"),
    [
        ("UPDATE tallies_by_day SET value = 7 WHERE day = '2026-01-05'", 7),
        ("DELETE FROM tallies_by_day WHERE day = '2026-01-05'", None),
        ("UPDATE tallies_by_day SET day = '2026-01-06' WHERE day = '2026-01-05'", None),
    ],
)
def test_a_day_that_was_changed_by_hand_is_named(place, differences, change, served):
    with connected(place) as connection:
        connection.execute(change)

    by_day = {each.row["day"]: each for each in differences()}

    named = by_day[JANUARY]
    assert (named.table, named.row["subject"]) == ("tallies_by_day", TILL.subject)
    assert (named.served or {}).get("value") == served
    assert named.replayed == {"value": 200_00}
    assert MARCH not in by_day


def test_a_copy_has_every_day_and_its_floor(house, tmp_path):
    with closing(open_store(tmp_path / "copy.db")) as target:
        passed = copying.copy(house.ledger.store, target, lambda *_: None)

        copying.compare(passed, copying.digest(target, lambda *_: None))
        assert list(target.all_days()) == list(house.ledger.store.all_days())
        assert target.floors()[TILL] == 0
    with closing(Ledger(tmp_path / "copy.db")) as ledger:
        short = Commit(new_id(), "it", 1, (), {}, {TallyOn(TILL, FEBRUARY): -200_01})
        assert isinstance(ledger.store.judged(short), Short)
