"""Whoever comes early: before anything happened, or while the history is still being read."""

import asyncio
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI, Request

from api.app import open_site
from api.kernel import problems
from api.pages.kit import readiness as levels
from api.pages.kit import refusals
from api.pages.kit.readiness import StillReading, require_views_ready
from api.pages.kit.rendering import render
from api.processes.self_check import Verification
from ledger.books.movements import Figures
from ledger.kernel.errors import LedgerError
from tests.charity import Charity
from tests.server import serving


def test_nobody_waits_for_a_long_history_to_be_read(tmp_path, monkeypatch):
    monkeypatch.setattr(levels, "LAG_MAX", 3)
    with open_site(tmp_path) as site:
        house = Charity(site.ledger)
        house.open_fund()
        house.gift(100_00)

        with pytest.raises(StillReading) as refused:
            require_views_ready(site)
        site.follower.catch_up()
        require_views_ready(site)

    assert (refused.value.reached, refused.value.last) == (0, 4)


def answer(error):
    """Return what a browser is answered that ran into ``error``."""
    app = FastAPI()
    problems.install(app)
    refusals.install(app)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/funds",
        "query_string": b"lang=en",
        "headers": [(b"accept", b"text/html")],
    }
    return asyncio.run(app.exception_handlers[LedgerError](Request(scope), error))


def test_it_is_told_how_far_that_is_and_asks_again_by_itself():
    answered = answer(StillReading(3_000, 12_000))
    text = answered.body.decode()

    assert answered.status_code == 503
    assert answered.headers["retry-after"] == "1"
    assert '<progress max="12000" value="3000"' in text
    assert '<meta http-equiv="refresh" content="2">' in text
    assert "Pages are shown once the history has been read through." in text


def test_an_empty_ledger_has_pages_too(tmp_path):
    with serving(tmp_path / "data") as served:
        for path in ("/", "/funds", "/sales", "/method"):
            asked = served.public.http.get(path, headers={"Accept": "text/html"})
            assert asked.status_code == 200, path
        assert "<table" not in served.public.get("/").text


VERIFIED = Verification(verified=True, events=1_186, at=datetime(2026, 11, 25, 4, tzinfo=UTC))


@pytest.mark.parametrize("found", [None, VERIFIED])
def test_the_front_page_tells_of_a_verification_only_if_there_was_one(found):
    text = render(
        "front.html",
        "en",
        nonce="n",
        path="/",
        toggles={"zh": "", "en": ""},
        total=Figures(),
        funds=[],
        fund_count=0,
        sales=[],
        as_of={"position": 0, "at": None},
        verification=found,
    )

    assert ("The history was verified: 1,186 events," in text) == (found is not None)
    assert ("2026-11-25 12:00:00" in text) == (found is not None)
