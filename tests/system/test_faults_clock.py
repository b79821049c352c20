"""The clock of the machine is set back, and forward again, while the ledger is served."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from ledger.kernel.aggregate import BUSINESS_ZONE
from ledger.kernel.roles import Role
from tests.crowd import Pledgers, Readers, hold_to_history
from tests.office import Office
from tests.oracle import check
from tests.server import ANSWER_S, serving
from tests.stores import STORES, lent

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))

JUMPS_H = (-5, 48, -2_000)
"""Hours that the clock is set to, against the right time, one after the other."""

SLACK_H = 0.2
"""Hours that a server's answer may be away from what its clock was set to."""

BETWEEN = 12
"""Pledges between two jumps."""


class Clock:
    """The clock that a server reads, which is not the one that tests read."""

    def __init__(self, folder):
        if not LIBRARIES:
            pytest.skip("no clock can be set here: install Debian's package faketime")
        self._file = folder / "clock"
        self._write(0)
        self.around = {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # Setting a clock does not move that one.
        }

    def set(self, server, hours):
        """Set the clock, and wait until ``server`` says that it is that late."""
        self._write(hours)
        deadline = monotonic() + ANSWER_S
        while abs(_hours_off(server) - hours) > SLACK_H:
            assert monotonic() < deadline, "the clock was not set"

    def _write(self, hours):
        """Let whoever reads it meanwhile read the old time or the new."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{hours:+}h\n", encoding="ascii")
        beside.rename(self._file)


def _hours_off(server):
    said = parsedate_to_datetime(server.public.get("/healthz").headers["Date"])
    return (said - datetime.now(UTC)).total_seconds() / 3_600


@pytest.fixture(name="clock")
def _clock(tmp_path):
    return Clock(tmp_path)


def level_by_itself(office):
    """Wait until the views are level, though nobody reads them."""
    deadline = monotonic() + ANSWER_S
    while office.public.read("/readyz")["lag"]:
        assert monotonic() < deadline, "the follower stands still"


def today():
    return datetime.now(BUSINESS_ZONE).date().isoformat()


@pytest.mark.slow
@pytest.mark.parametrize("store", STORES)
def test_nothing_is_lost_or_doubled_whatever_the_clock_says(request, tmp_path, clock, store):
    data = tmp_path / "data"
    data.mkdir()
    with lent(request, store) as url:
        with serving(data, url, around=clock.around) as server:
            office = Office(server)
            fund = office.fund()
            with Pledgers(office, fund, 1) as pledgers, Readers(office, fund, 1) as readers:
                for hours in JUMPS_H:
                    clock.set(server, hours)
                    pledgers.wait_for(BETWEEN)
            level_by_itself(office)
            after = office.balance(fund)
            hold_to_history(readers, pledgers, after)
            again = pledgers.repeated()
            listed = office.an.all("/v1/donations")
            events = office.an.all("/v1/events")
            newcomer = server.person("new", Role.AUDITOR)
            assert newcomer.get("/v1/trial-balance").status_code == 200
            level_by_itself(office)
            later = office.balance(fund)
            assert later == after | {"position": after["position"] + 2}  # A person, a role.

        assert {key: each.json() for key, each in again.items()} == pledgers.receipts
        assert {each.headers.get("Idempotency-Replayed") for each in again.values()} == {"true"}
        in_order = sorted(pledgers.receipts.values(), key=lambda receipt: receipt["position"])
        assert [each["id"] for each in listed] == [each["id"] for each in in_order]
        assert [each["position"] for each in events] == list(range(1, after["position"] + 1))
        times = [datetime.fromisoformat(each["recorded_at"]) for each in events]
        backwards = sum(later < earlier for earlier, later in pairwise(times))
        assert backwards >= sum(later < earlier for earlier, later in pairwise(JUMPS_H)), (
            "no clock was set"
        )
        places = (url, url) if url else (data / "ledger.db", data / "views.db")
        assert check(*places, pledgers.commands()) == later["position"]

        with serving(data, url, around=clock.around) as server:  # Started with a clock set back.
            office.go_on_at(server)
            assert office.balance(fund) == later
            office.gift(fund)
            assert office.balance(fund)["position"] == later["position"] + 3


@pytest.mark.slow
def test_a_day_is_judged_by_the_clock_and_a_repeat_is_not_judged_again(tmp_path, clock):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, around=clock.around) as server:
        office = Office(server)
        fund = office.fund()
        money = {"donor": office.donor(), "fund": fund, "amount": 100, "currency": "CNY"}
        money |= {"pledged_on": today()}
        first = office.lin.post("/v1/donations", money, key="before")

        clock.set(server, -72)
        repeated = office.lin.post("/v1/donations", money, key="before")
        refused = office.lin.post("/v1/donations", money, key="after")

        assert (repeated.status_code, repeated.json()) == (201, first.json())
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/invalid-request")
        (error,) = refused.json()["errors"]
        assert (error["field"], "future" in error["message"]) == ("pledged_on", True)
        assert office.balance(fund)["pledged"] == 100

        clock.set(server, 0)
        assert office.lin.post("/v1/donations", money, key="after").status_code == 201
        assert office.balance(fund)["pledged"] == 200

        clock.set(server, 48)  # Whoever trusts such a clock writes down a day that is yet to come.
        ahead = (datetime.now(BUSINESS_ZONE).date() + timedelta(days=1)).isoformat()
        early = office.lin.post("/v1/donations", money | {"pledged_on": ahead}, key="ahead")
        clock.set(server, 0)
        later = office.lin.post("/v1/donations", money | {"pledged_on": ahead}, key="ahead")
        assert (early.status_code, later.json()) == (201, early.json())
    check(data / "ledger.db", data / "views.db")
