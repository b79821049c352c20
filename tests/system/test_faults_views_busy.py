"""Views that are lost under load, on either store: no figure is shown that was never right."""

from contextlib import suppress

import pytest
from psycopg.errors import DeadlockDetected

from tests.crowd import Pledgers, Readers, hold_to_history, read_until_shown
from tests.office import Office
from tests.server import serving
from tests.stores import STORES, connected, lent
from tests.system.test_faults_views import (
    check_once_in_place,
    cut_to_nothing_with_its_log,
    taken_away,
)

LOST_TIMES = 2

BETWEEN = 25
"""Pledges between two losses."""


def schema_dropped(url):
    with connected(url) as connection:
        while True:
            with suppress(DeadlockDetected):  # With whoever writes them; one of both is refused.
                return connection.execute("DROP SCHEMA views CASCADE")


@pytest.mark.parametrize(
    ("store", "lose"),
    [
        (STORES[0], taken_away),
        pytest.param(STORES[0], cut_to_nothing_with_its_log, marks=pytest.mark.slow),
        pytest.param(STORES[1], schema_dropped, marks=pytest.mark.slow),
    ],
)
def test_what_is_shown_was_right_at_its_position_whatever_is_lost(request, tmp_path, store, lose):
    data = tmp_path / "data"
    data.mkdir()
    with lent(request, store) as url, serving(data, url, undisturbed=False) as server:
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

        hold_to_history(readers, pledgers, after)
        assert after["position"] == office.server.position()
        assert office.public.read("/readyz")["stopped"] == []
        ledger, views = (url, url) if url else (data / "ledger.db", data / "views.db")
        check_once_in_place(ledger, views, pledgers.commands())
