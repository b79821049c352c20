"""The server checks its own history, says what came of it, and is loud if something is wrong."""

from __future__ import annotations

import time

import pytest

from tests.office import Office
from tests.server import serving
from tests.stores import STORES, connected

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


@pytest.fixture(params=STORES)
def database(request):
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def test_every_event_is_hashed_again_and_said_to_be_verified(tmp_path, database):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, database, *SOON) as server:
        Office(server).fund()
        events = server.position()

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


def test_a_server_that_is_not_to_check_says_that_it_never_did(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, None, "--verify-every", "0") as server:
        said = server.public.read("/v1/verification")

        assert said["verified"] is None
        assert said["findings"] == []
