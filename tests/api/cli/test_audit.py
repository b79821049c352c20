"""leifeng audit export and verify, over a ledger that was served, and what is done to it."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime

import pytest

from api.cli.demo_data.bulk import Bulk
from api.cli.demo_data.years import Years
from api.places import Places, key_file
from ledger.commands import Ledger
from ledger.commands.donors import register_donor
from ledger.kernel.ids import new_id
from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.merkle import EMPTY_ROOT
from projections.kernel.follow import Follower
from projections.log.log import Log
from projections.log.tables import open_log
from projections.views.every import all_views
from projections.views.opening import open_views
from tests.spec import act_for
from tests.stores import STORES, connected, lent

EVENTS = 700


@contextmanager
def logged(data, places):
    """Open a ledger's public log."""
    with closing(Ledger(places.ledger, writes=False)) as ledger:
        engine = open_log(places.log)
        yield Log(ledger.store, engine, key_file(data), lambda: datetime.now(UTC))
        engine.dispose()


class Charity:
    """A ledger with years behind it, its views level and its log published twice."""

    def __init__(self, data, database):
        self.data, self.database = data, database
        self.places = Places.at(database, data) if database else Places.in_folder(data)

    def live(self):
        """Have the years go by."""
        self.data.mkdir()
        with closing(Bulk(self.places.ledger)) as ledger:
            Years(ledger, events=EVENTS, seed=3).live()
            self.events = ledger.store.last_position()
            views = open_views(self.places.views)
            Follower(ledger, views, all_views()).catch_up()
            views.dispose()
        with logged(self.data, self.places) as log:
            log.begin("charity.example/ledger")
            self.checkpoint = log.publish().note

    def copied(self, data, database):
        """Return another, to be harmed, whose database was copied already if it has one."""
        shutil.copytree(self.data, data)
        other = Charity(data, database)
        other.events, other.checkpoint = self.events, self.checkpoint
        return other

    def sql(self, where, *statements):
        """Do to a database what only somebody with the database can do."""
        with connected(getattr(self.places, where)) as connection:
            if self.database:
                connection.execute("SET search_path TO public, people, views, log")
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="module", params=STORES)
def lived(request, tmp_path_factory):
    """The charity after those years, of which every test gets a copy."""
    with lent(request, request.param) as database:
        charity = Charity(tmp_path_factory.mktemp("lived") / "data", database)
        charity.live()
        yield charity


@pytest.fixture
def charity(request, lived, tmp_path):
    with ExitStack() as copies:
        database = lived.database and copies.enter_context(
            request.getfixturevalue("postgres").copy_of(lived.database)
        )
        yield lived.copied(tmp_path / "data", database)


@pytest.fixture
def verified(here, charity):
    """Return what a check of the ledger's own databases finds."""

    def run(*more):
        return here("audit", "verify", "--data", charity.data, *more, database=charity.database)

    return run


def named(ran):
    """Return the names of what was found."""
    assert ran.returncode == 1, (ran.stdout, ran.stderr)
    lines = ran.stdout.splitlines()
    assert lines[-1] == "NOT what was signed and shown"
    return [line.partition(":")[0] for line in lines if line.partition(":")[1]]


def test_a_ledger_that_nobody_touched_is_verified(charity, verified):
    ran = verified()

    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1] == "verified"
    assert f"{charity.events} events, by a key that you trust" in ran.stdout


STORED = "UPDATE stored_events SET "

ATTACKS = {
    "a row edited": (
        ("ledger", STORED + "topic = 'donor.registered.2' WHERE position = 40"),
        "event-differs",
    ),
    "a row deleted": (("ledger", "DELETE FROM stored_events WHERE position = 40"), "event-missing"),
    "two rows swapped": (
        (
            "ledger",
            STORED + "position = -1 WHERE position = 40",
            STORED + "position = 40 WHERE position = 50",
            STORED + "position = 50 WHERE position = -1",
        ),
        "event-differs",
    ),
    "the tail cut": (("ledger", "DELETE FROM stored_events WHERE position > 600"), "event-missing"),
    "one moved before the first": (
        ("ledger", STORED + "position = 0 WHERE position = 700"),
        "event-missing",
    ),
    "one put in the place of another": (
        (
            "ledger",
            "DELETE FROM stored_events WHERE position = 40",
            STORED + "position = 40 WHERE position = 700",
        ),
        "event-differs",
    ),
    "a tile edited": (("log", "DELETE FROM tiles WHERE level = 0 AND number = 1"), "tile-differs"),
    "a balance edited": (
        ("views", "UPDATE fund_balances SET received = received + 1"),
        "figure-differs",
    ),
    "a book edited": (("views", "UPDATE account_days SET debit = debit + 1"), "figure-differs"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_done_to_it_is_named(charity, verified, attack):
    (where, *statements), name = ATTACKS[attack]
    charity.sql(where, *statements)

    ran = verified()

    assert name in named(ran)


def test_a_checkpoint_that_somebody_kept_finds_a_history_that_was_cut(charity, verified, tmp_path):
    kept = tmp_path / "kept"
    kept.write_bytes(charity.checkpoint)
    charity.sql("log", "DELETE FROM checkpoints", "DELETE FROM tiles")
    charity.sql("ledger", "DELETE FROM stored_events WHERE position > 600")
    key_file(charity.data).remember(Checkpoint("charity.example/ledger", 0, EMPTY_ROOT))
    with logged(charity.data, charity.places) as log:
        log.publish()  # Whoever has the key, and the file beside it, can sign anything.

    assert "history-shortened" in named(verified("--pinned", kept))
    assert "history-shortened" not in verified().stdout


@pytest.fixture
def bundle(here, charity, tmp_path):
    folder = tmp_path / "bundle"
    ran = here("audit", "export", "--data", charity.data, "-o", folder, database=charity.database)
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def key(here, charity):
    return here("audit", "key", "--data", charity.data).stdout.strip()


def test_a_bundle_is_verified_without_the_ledger(here, charity, bundle, key):
    shutil.rmtree(charity.data)

    ran = here("audit", "verify", bundle, "--vkey", key)

    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1] == "verified"


def test_a_bundle_has_the_earlier_checkpoints_and_is_held_to_them(here, charity, tmp_path):
    with closing(Ledger(charity.places.ledger)) as ledger:
        ledger.record(register_donor, act_for(register_donor), new_id(), anonymous=True)
    with logged(charity.data, charity.places) as log:
        log.publish()
    folder = tmp_path / "later"
    here("audit", "export", "--data", charity.data, "-o", folder, database=charity.database)
    key = here("audit", "key", "--data", charity.data).stdout.strip()

    ran = here("audit", "verify", folder, "--vkey", key)

    assert [each.name for each in (folder / "checkpoints").iterdir()] == [str(charity.events)]
    assert "extends    1 earlier checkpoints" in ran.stdout


def test_a_bundle_says_the_same_in_json(here, charity, bundle, key):
    ran = here("audit", "verify", bundle, "--vkey", key, "--json")

    said = json.loads(ran.stdout)
    assert said["verified"] is True
    assert said["events"] == said["size"] == charity.events
    assert said["findings"] == []


def test_a_bundle_in_which_something_was_changed_fails(here, bundle, key):
    events = bundle / "events.ndjson"
    lines = events.read_bytes().splitlines(keepends=True)
    events.write_bytes(b"".join([*lines[:9], lines[10], lines[9], *lines[11:]]))

    ran = here("audit", "verify", bundle, "--vkey", key)

    assert named(ran) == ["event-missing"]


def test_no_key_is_taken_from_inside_a_bundle(here, bundle):
    ran = here("audit", "verify", bundle)

    assert ran.returncode == 2
    assert "--vkey" in ran.stderr


@pytest.mark.parametrize("words", [(), ("bundle", "--data", "data")])
def test_either_a_bundle_is_verified_or_a_ledger(here, bundle, charity, words):
    said = [{"bundle": bundle, "data": charity.data}.get(word, word) for word in words]

    ran = here("audit", "verify", *said)

    assert ran.returncode == 2


def test_a_key_that_is_none_is_named(here, bundle):
    ran = here("audit", "verify", bundle, "--vkey", "hello")

    assert ran.returncode == 1
    assert (
        ran.stderr == "leifeng: --vkey: is not a verifier key: there are 0 bytes where 33 belong\n"
    )


def test_nothing_personal_is_in_a_bundle(bundle):
    """Names, numbers and addresses stand in the register alone; so a bundle may be given away."""
    whole = b"".join(each.read_bytes() for each in bundle.rglob("*") if each.is_file())

    assert "李女士".encode() not in whole
    assert b"13900000000" not in whole


def test_a_bundle_is_not_written_over_anything(here, charity, bundle):
    ran = here("audit", "export", "--data", charity.data, "-o", bundle, database=charity.database)

    assert ran.returncode == 1
    assert "is not empty" in ran.stderr
