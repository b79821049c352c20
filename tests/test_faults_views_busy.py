"""Views that are lost under load, on either store: no figure is shown that was never right."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from itertools import count
from threading import Event, Semaphore

import pytest
from psycopg.errors import DeadlockDetected

from api.doors import command_id
from ledger.names import PersonId
from tests.faults import PLEDGED
from tests.office import DAY, Office
from tests.oracle import Asked
from tests.server import ANSWER_S, serving
from tests.stores import STORES, connected
from tests.test_faults_views import (
    Readers,
    check_once_in_place,
    cut_to_nothing_with_its_log,
    read_until_shown,
    taken_away,
)

WRITERS = 3

LOST_TIMES = 2

BETWEEN = 25
"""Pledges between two losses."""

AMOUNT = 100

ON_FILES = [taken_away, cut_to_nothing_with_its_log]


def schema_dropped(url):
    with connected(url) as connection:
        while True:
            with suppress(DeadlockDetected):  # With whoever writes them; one of both is refused.
                return connection.execute("DROP SCHEMA views CASCADE")


class Pledgers:
    """People who promise the same again and again, each under keys of their own."""

    def __init__(self, office, fund):
        self._office = office
        said = {"donor": office.donor(), "fund": fund, "amount": AMOUNT, "currency": "CNY"}
        self._said = said | {"pledged_on": DAY}
        self._person = PersonId(office.server.directory.caller(office.lin.token).person)
        self._stop = Event()
        self._pool = ThreadPoolExecutor(WRITERS)
        self._stored = Semaphore(0)
        self.asked = []

    def __enter__(self):
        self._running = [self._pool.submit(self._pledge, n) for n in range(WRITERS)]
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pool.shutdown()
        for each in self._running:
            each.result()

    def _pledge(self, turn):
        for number in count():
            if self._stop.is_set():
                return
            key = f"{turn}-{number}"
            receipt = self._office.lin.did("/v1/donations", self._said, key=key)
            self.asked.append(Asked(command_id(self._person, key), PLEDGED, receipt))
            self._stored.release()

    def wait_for(self, some):
        """Return once so many more are stored."""
        for _ in range(some):
            assert self._stored.acquire(timeout=ANSWER_S), "nothing is stored any more"


@contextmanager
def database(request, store):
    """Lend a database, or none where the ledger is kept in files."""
    lent = nullcontext() if store == STORES[0] else request.getfixturevalue("postgres").database()
    with lent as url:
        yield url


@pytest.mark.parametrize(
    ("store", "lose"),
    [*((STORES[0], each) for each in ON_FILES), (STORES[1], schema_dropped)],
)
def test_what_is_shown_was_right_at_its_position_whatever_is_lost(request, tmp_path, store, lose):
    data = tmp_path / "data"
    data.mkdir()
    with database(request, store) as url, serving(data, url, undisturbed=False) as server:
        office = Office(server)
        fund = office.fund()
        path = f"/v1/funds/{fund}/balance"
        with Pledgers(office, fund) as pledgers, Readers(office, fund) as readers:
            pledgers.wait_for(BETWEEN)
            for _ in range(LOST_TIMES):
                lose(url or data)
                read_until_shown(office, path)
                pledgers.wait_for(BETWEEN)
        after = read_until_shown(office, path)

        first = after["position"] - after["pledged"] // AMOUNT
        assert after["position"] == first + len(pledgers.asked) == office.server.position()
        for each in readers.shown:
            shown = each.json()
            assert shown["pledged"] == max(0, shown["position"] - first) * AMOUNT
        assert {each.json()["type"] for each in readers.refused} <= {"/problems/views-away"}
        assert office.public.read("/readyz")["stopped"] == []
        ledger, views = (url, url) if url else (data / "ledger.db", data / "views.db")
        check_once_in_place(ledger, views, pledgers.asked)
