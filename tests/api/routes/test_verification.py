"""The server checks its own history, says what came of it, and is loud if something is wrong."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from api.processes.self_check import SelfCheck
from ledger.kernel.roles import Role
from tests.office import Office
from tests.processes import leifeng
from tests.server import serving
from tests.signed_in import Visitor
from tests.stores import FILES_FIRST, connected

SOON = ("--verify-every", "0.5")
"""Checks follow each other at once."""

WAITED_S = 120.0
"""Seconds within which a check comes to a result, also on a crowded machine."""


def until(server, holds):
    """Return what the server says of its last check as soon as that ``holds``."""
    deadline = time.monotonic() + WAITED_S
    while not holds(said := server.public.read("/v1/verification")):
        assert time.monotonic() < deadline, said
        time.sleep(0.05)  # The check takes a second or two.
    return said


@pytest.fixture(params=FILES_FIRST)
def database(request):
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def test_every_event_is_hashed_again_and_said_to_be_verified(tmp_path, database):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, database, *SOON) as server:
        Office(server).fund()
        events = server.position()
        server.have_signed()

        said = until(server, lambda said: said["events"] == events)

        assert said["verified"] is True
        assert said["findings"] == []
        assert len(said["root"]) == 64
        assert server.public.get("/readyz").json()["verified"] is True
        assert "leifeng_verified 1.0" in server.public.get("/metrics").text


def test_an_event_that_is_edited_is_loudly_named(tmp_path, database):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, database, *SOON) as server:
        Office(server).fund()
        events = server.position()
        server.have_signed()
        until(server, lambda said: said["events"] == events)
        where = database or data / "ledger.db"
        with connected(where) as ledger:
            ledger.execute("UPDATE stored_events SET topic = 'fund.opened.9' WHERE position = 1")

        said = until(server, lambda said: said["verified"] is False)

        assert said["findings"][0]["name"] == "event-differs"
        assert "event 1 " in said["findings"][0]["detail"]
        assert server.public.get("/readyz").status_code == 503
        assert server.public.get("/readyz").json()["status"] == "differs"
        assert "event 1 is not the one" in server.log.read_text(encoding="utf-8")


def test_a_server_that_is_not_to_check_does_so_at_an_auditors_word(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, None, "--verify-every", "0") as server:
        Office(server).fund()
        auditor = Visitor(server, "an", Role.AUDITOR)
        treasurer = Visitor(server, "sun", Role.TREASURER)
        server.wait_until_told()
        events = server.position()
        server.have_signed()
        said = server.public.read("/v1/verification", at_least=events)
        assert said["verified"] is None
        assert said["findings"] == []
        assert "<fieldset disabled>" in treasurer.read("/audit/checks")
        assert treasurer.send("/audit/checks/verification").status_code == 403
        assert "<fieldset disabled>" not in auditor.read("/audit/checks")

        asked = [auditor.send("/audit/checks/verification") for _ in range(2)]

        assert [each.headers["location"] for each in asked] == ["/audit/checks#verification"] * 2
        said = until(server, lambda said: said["events"])
        assert (said["verified"], said["events"]) == (True, events)
        assert f"Every one of {events} events was hashed again" in auditor.read("/audit/checks")
        auditor.http.close()
        treasurer.http.close()


def test_one_check_is_under_way_at_a_time(tmp_path):
    check = SelfCheck(tmp_path, None, 0, lambda: datetime.now(UTC))

    assert [check.ask(), check.ask()] == [True, False]
    assert (check.under_way.reached, check.under_way.goal) == (0, 0)


def test_a_check_says_how_far_it_is(tmp_path):
    made = leifeng("demo", "--data", tmp_path / "data", "--no-serve")
    assert made.returncode == 0, made.stderr
    with serving(tmp_path / "data") as server:
        server.have_signed()
    said = leifeng("audit", "verify", "--json", "--progress", "--data", tmp_path / "data")
    *before, last = map(json.loads, said.stdout.splitlines())

    assert last["verified"] is True
    assert before[-1] == {"reached": last["size"], "goal": last["size"]}
