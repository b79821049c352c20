"""Views that are lost while they are served are made again; nothing wrong is shown meanwhile."""

import os
import sqlite3
from contextlib import closing, suppress

import pytest
from sqlalchemy.exc import DatabaseError

from ledger.store.engine import discard
from projections.kernel.tables import prepare_views
from projections.views.opening import open_views
from tests.crowd import Readers, read_until_shown
from tests.office import Office
from tests.oracle import check
from tests.server import serving

MAKINGS_MAX = 3
"""Times that lost views may be made anew before they stay."""

AMOUNT = 1_000


def files(data):
    return [data / f"views.db{beside}" for beside in ("", "-wal", "-shm")]


def taken_away(data):
    for path in files(data):
        path.unlink()


def taken_away_alone(data):
    files(data)[0].unlink()


def cut_to_nothing(data):
    os.truncate(files(data)[0], 0)


def cut_to_nothing_with_its_log(data):
    for path in files(data)[:2]:
        with suppress(FileNotFoundError):
            os.truncate(path, 0)


def cut_to_nothing_after_its_log(data):
    for path in reversed(files(data)[:2]):
        with suppress(FileNotFoundError):
            os.truncate(path, 0)


def cut_in_half(data):
    """Between two pages: SQLite has no checksum by which it would know one that is torn."""
    checkpoint(data)
    os.truncate(files(data)[0], files(data)[0].stat().st_size // 2 // PAGE_BYTES * PAGE_BYTES)


def overwritten(data):
    checkpoint(data)
    files(data)[0].write_bytes(os.urandom(files(data)[0].stat().st_size))


def replaced_by_an_older_one(data):
    for path in files(data):
        path.unlink()
    files(data)[0].write_bytes((data / "older.db").read_bytes())


def replaced_by_an_empty_one(data):
    taken_away(data)
    sqlite3.connect(files(data)[0]).close()
    files(data)[0].touch()


LOSSES = [
    taken_away,
    taken_away_alone,
    cut_to_nothing,
    cut_to_nothing_with_its_log,
    cut_to_nothing_after_its_log,
    cut_in_half,
    overwritten,
    replaced_by_an_older_one,
    replaced_by_an_empty_one,
]


PAGE_BYTES = 4_096


def checkpoint(data):
    with closing(sqlite3.connect(files(data)[0])) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copied(data):
    """Keep a copy of the views as they are now."""
    with (
        closing(sqlite3.connect(files(data)[0])) as views,
        closing(sqlite3.connect(data / "older.db")) as older,
    ):
        views.backup(older)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    data = tmp_path_factory.mktemp("served") / "data"
    data.mkdir()
    with serving(data, undisturbed=False) as server:
        office = Office(server)
        fund = office.fund()
        office.gift(fund, AMOUNT)
        office.balance(fund)
        copied(data)
        for _ in range(20):
            office.gift(fund, AMOUNT)
        yield office, fund, data


def check_once_in_place(ledger, views, asked=()):
    """Hold everything to the oracle; views that are being made once more are looked at again."""
    for _ in range(MAKINGS_MAX):
        with suppress(DatabaseError):
            return check(ledger, views, asked)
    return check(ledger, views, asked)


@pytest.mark.parametrize("lost", LOSSES)
def test_lost_views_are_made_again_and_nothing_wrong_is_shown(served, lost):
    office, fund, data = served
    path = f"/v1/funds/{fund}/balance"
    before = read_until_shown(office, path)  # Lost before, they may be made once more.
    with Readers(office, fund) as readers:
        lost(data)
        office.gift(fund, AMOUNT)
        after = read_until_shown(office, path)

    assert after["received"] == before["received"] + AMOUNT
    assert after["position"] == before["position"] + 3
    right = {
        (before["position"] + 0, before["received"]),
        (before["position"] + 1, before["received"]),
        (before["position"] + 2, before["received"]),
        (after["position"], after["received"]),
    }
    assert {(each.json()["position"], each.json()["received"]) for each in readers.answers} <= right
    assert {each.json()["type"] for each in readers.refused} <= {"/problems/views-away"}
    for view in ("trial-balance", "donations", "sales", "disbursements", "audit-trail"):
        read_until_shown(office, f"/v1/{view}")
    assert office.server.position() == check_once_in_place(data / "ledger.db", data / "views.db")
    with closing(sqlite3.connect(files(data)[0])) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert office.public.read("/readyz")["status"] == "ready"


def test_a_file_cut_to_nothing_is_not_opened_again_while_somebody_reads_it(tmp_path):
    """SQLite would take it for new, and wait for the reader before it made it ready."""
    engine = open_views(tmp_path / "views.db")
    with closing(engine.raw_connection()):
        cut_to_nothing_with_its_log(tmp_path)
        for _ in range(2):
            with pytest.raises(DatabaseError, match="was cut short"):
                engine.connect()
            engine.dispose()

        discard(engine)
        engine.dispose()

        assert prepare_views(engine) == ["created views: tables that are filled from the history"]
    engine.dispose()
