"""Whoever looks on costs little: how the watcher of totals treats its listeners."""

import asyncio
import json
from pathlib import Path

import pytest

from api.app import open_site
from api.pages.public import live as live_pages
from api.pages.public.live import Live
from ledger.feeds.orders import OrderFeed
from ledger.kernel.errors import Overloaded
from tests.api.pages.test_live import listening, order
from tests.charity import Charity
from tests.office import Office
from tests.samples import SUN
from tests.server import STOP_S, serving
from tests.spec import act

GAP_S = 0.05


@pytest.fixture
def site(tmp_path):
    with open_site(tmp_path / "data") as opened:
        yield opened


class Studio:
    """A sale, and what is sold while people look on."""

    def __init__(self, site):
        self.house = Charity(site.ledger)
        self.house.open_fund()
        self.sale = self.house.open_sale()

    def sell(self, sale=None):
        """Record one order."""
        feed = OrderFeed(self.house.ledger, act(SUN, role="treasurer"), sale or self.sale)
        feed.take_in([json.dumps(order()).encode()])
        feed.flush()
        assert feed.accepted == 1


async def begun(live, sale, *, gap=0.0):
    """Listen to a sale, and wait for the first total."""
    totals = live.totals(str(sale), gap=gap, seen=0)
    return totals, await anext(totals)


def test_silence_is_broken_now_and_then(site, monkeypatch):
    monkeypatch.setattr(live_pages, "HEARTBEAT_S", 0.01)

    async def listen():
        live = Live(site)
        totals = live.totals("no sale", gap=0, seen=0)
        heard = [await anext(totals) for _ in range(3)]
        await totals.aclose()
        live.close()
        return heard, live.listeners

    assert asyncio.run(listen()) == ([None, None, None], 0)


def test_there_is_room_for_so_many_and_no_more(site, monkeypatch):
    monkeypatch.setattr(live_pages, "LISTENERS_MAX", 1)
    studio = Studio(site)

    async def come():
        live = Live(site)
        live.must_have_room()
        totals, _ = await begun(live, studio.sale)
        with pytest.raises(Overloaded):
            live.must_have_room()
        await totals.aclose()
        live.must_have_room()
        live.close()

    asyncio.run(come())


def test_a_slow_listener_is_given_the_newest_total_and_none_between(site):
    studio = Studio(site)

    async def listen():
        live = Live(site)
        slow, _ = await begun(live, studio.sale)
        quick, _ = await begun(live, studio.sale)
        for _ in range(3):
            studio.sell()
            newest = await anext(quick)
        found = await anext(slow)
        for each in (slow, quick):
            await each.aclose()
        live.close()
        return found, newest

    found, newest = asyncio.run(listen())

    assert found == newest
    assert found.total.orders == 3


def test_two_totals_lie_as_far_apart_as_was_asked_for(site):
    studio = Studio(site)

    async def listen():
        live = Live(site)
        totals, _ = await begun(live, studio.sale, gap=GAP_S)
        began = asyncio.get_running_loop().time()
        studio.sell()
        await anext(totals)
        ended = asyncio.get_running_loop().time()
        await totals.aclose()
        live.close()
        return ended - began

    assert asyncio.run(listen()) > GAP_S * 0.9  # Never sooner, but for the grain of the clock.


def test_a_total_that_did_not_change_is_told_to_nobody(site):
    studio = Studio(site)
    other = studio.house.open_sale()

    async def listen():
        live = Live(site)
        totals, first = await begun(live, studio.sale)
        waiting = asyncio.ensure_future(anext(totals))
        elsewhere, _ = await begun(live, other)
        studio.sell(other)
        sold_there = await anext(elsewhere)
        told = waiting.done()
        late, second = await begun(live, studio.sale)
        studio.sell()
        third = await waiting
        for each in (totals, elsewhere, late):
            await each.aclose()
        live.close()
        return told, (first, second, third), sold_there

    told, (first, second, third), sold_there = asyncio.run(listen())

    assert not told
    assert first.total == second.total != third.total
    assert first.position < second.position == sold_there.position < third.position


def test_a_watcher_that_cannot_read_goes_on_when_it_can(site, caplog):
    studio = Studio(site)
    studio.sell()
    site.follower.catch_up()
    site.views.dispose()
    Path(site.views.url.database).unlink()

    async def listen():
        live = Live(site)
        totals, found = await begun(live, studio.sale)
        await totals.aclose()
        live.close()
        return found

    site.follower.start()  # Who makes lost views again.
    found = asyncio.run(listen())

    assert found.total.orders == 1
    assert "the totals of sales cannot be read; trying again" in caplog.messages


def test_a_server_that_is_stopped_lets_go_of_whoever_listens(tmp_path):
    with serving(tmp_path / "data") as served:
        office = Office(served)
        sale = office.open_sale(office.fund())
        with listening(office.public, sale) as listener:
            listener.next()
            served.process.terminate()
            served.process.wait(STOP_S)
            assert listener.next() is None
