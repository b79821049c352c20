"""A backup taken while the ledger is written is a whole beginning of its history."""

import os
import sqlite3
import stat
from contextlib import closing, contextmanager
from threading import Event, Thread

import pytest

from api.places import Places
from ledger.commands import Ledger
from ledger.people.identity import Identity, key_beside
from ledger.store import backup as backups
from ledger.store.backup import ToolMissing
from tests.charity import Charity, charity
from tests.office import DAY, Office
from tests.server import serving
from tests.stores import FILES_FIRST, STORES, connected

PAGE = 4_096
"""Bytes of a page of a file of SQLite."""

BACKUPS_MAX = 20
"""Backups made until something is written meanwhile: of so few events, one takes no time."""


@pytest.fixture(name="databases", params=STORES)
def _databases(request):
    """Two databases to keep a ledger in, or nothing where it is kept in files."""
    if request.param == "sqlite":
        yield None, None
        return
    postgres = request.getfixturevalue("postgres")
    with postgres.database() as one, postgres.database() as other:
        yield one, other


@pytest.fixture(name="files")
def _files(tmp_path):
    """A ledger in files."""
    data = tmp_path / "data"
    data.mkdir()
    with charity(data / "ledger.db") as house, closing(Identity(data / "people.db")):
        house.open_fund()
        house.gift(100_00)
    return data


@contextmanager
def load(office):
    """Have pledges made all the time, one after the other; tell how many were acknowledged."""
    donor, fund = office.donor(), office.fund()
    body = {"donor": donor, "fund": fund, "amount": 1, "currency": "CNY", "pledged_on": DAY}
    enough, positions = Event(), []

    def pledge():
        while not enough.is_set():
            positions.append(office.lin.did("/v1/donations", body)["position"])

    pledging = Thread(target=pledge)
    pledging.start()
    try:
        yield positions
    finally:
        enough.set()
        pledging.join()


def facts(places):
    with closing(Ledger(places.ledger, writes=False)) as ledger:
        return Charity(ledger).facts()


def places(folder, database):
    return Places.in_folder(folder) if database is None else Places.at(database)


@pytest.mark.parametrize("databases", FILES_FIRST, indirect=True)
def test_a_backup_under_load_is_a_beginning_of_the_history_and_verifies(databases, tmp_path, here):
    live, empty = databases
    with serving(tmp_path / "data", live) as server:
        office = Office(server)
        with load(office) as acknowledged:
            while len(acknowledged) < 20:
                office.gift(office.fund())
            for taken in (tmp_path / f"b{number}" for number in range(BACKUPS_MAX)):
                before = office.server.position()
                saved = here("backup", "--data", tmp_path / "data", "-o", taken, database=live)
                after = office.server.position()
                if after > before:
                    break
        token = office.lin.token

    assert saved.returncode == 0, saved.stderr
    restored = here("restore", taken, "--data", tmp_path / "again", database=empty)
    assert restored.returncode == 0, restored.stderr

    whole, part = (
        facts(places(tmp_path / folder, database))
        for folder, database in (("data", live), ("again", empty))
    )
    assert before < after, "nothing was written meanwhile"
    assert part == whole[: len(part)]
    assert before <= len(part) <= len(whole)
    assert f"{len(part):,} events restored and replayed" in restored.stdout
    there = places(tmp_path / "again", empty)
    with closing(Identity(there.people, key_beside(tmp_path / "data"))) as identity:
        assert identity.caller(token).roles == {"clerk"}
    with charity(places(tmp_path / "again", empty).ledger) as house:  # And it goes on.
        assert house.gift(1_00, "F-1")
        house.check_tallies()


def test_nothing_is_written_over(databases, tmp_path, here):
    live, _ = databases
    here("migrate", "--data", tmp_path / "data", database=live)
    with charity(places(tmp_path / "data", live).ledger) as house:
        house.open_fund()
    there = tmp_path / "there"
    there.mkdir()
    (there / "mine").write_text("x", encoding="utf-8")

    saved = here("backup", "--data", tmp_path / "data", "-o", there, database=live)
    here("backup", "--data", tmp_path / "data", "-o", tmp_path / "b", database=live)
    again = here("backup", "--data", tmp_path / "data", "-o", tmp_path / "b", database=live)
    restored = here("restore", tmp_path / "b", "--data", tmp_path / "data", database=live)

    assert [each.returncode for each in (saved, again, restored)] == [1, 1, 1]
    assert "is not empty" in saved.stderr
    assert "is not empty" in again.stderr
    assert "is not empty" in restored.stderr or "has the tables of a ledger" in restored.stderr
    assert [each.name for each in there.iterdir()] == ["mine"]
    assert len(facts(places(tmp_path / "data", live))) == 1


def test_others_cannot_look_into_a_backup(databases, tmp_path, here):
    live, _ = databases
    here("migrate", "--data", tmp_path / "data", database=live)

    here("backup", "--data", tmp_path / "data", "-o", tmp_path / "b", database=live)

    assert not stat.S_IMODE((tmp_path / "b").stat().st_mode) & 0o077
    assert sorted(each.name for each in tmp_path.iterdir()) in (["b", "data"], ["b"])


def test_a_backup_of_one_kind_is_not_restored_as_another(files, tmp_path, postgres_url, here):
    here("backup", "--data", files, "-o", tmp_path / "b")

    into_database = here("restore", tmp_path / "b", "--data", files, database=postgres_url)
    of_something = here("restore", files / "ledger.db", "--data", tmp_path / "again")

    assert "not a backup of a ledger on PostgreSQL" in into_database.stderr
    assert "not a backup of a ledger that is kept in files" in of_something.stderr
    assert not (tmp_path / "again").exists()


def test_there_is_nothing_to_back_up_where_no_ledger_is(databases, tmp_path, here):
    live, _ = databases

    said = here("backup", "--data", tmp_path / "none", "-o", tmp_path / "b", database=live)

    assert said.returncode == 1
    assert "there is no ledger" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_backup_is_not_restored(files, tmp_path, here):
    here("backup", "--data", files, "-o", tmp_path / "b")
    saved = tmp_path / "b" / "ledger.db"
    whole = saved.read_bytes()
    saved.write_bytes(whole[:PAGE] + b"\xff" * 512 + whole[PAGE + 512 :])  # Where events begin.

    said = here("restore", tmp_path / "b", "--data", tmp_path / "again")

    assert said.returncode == 1
    assert not (tmp_path / "again").exists()


def test_a_backup_whose_tallies_were_changed_is_told_by_its_replay(files, tmp_path, here):
    here("backup", "--data", files, "-o", tmp_path / "b")
    with connected(tmp_path / "b" / "ledger.db") as connection:
        connection.execute("UPDATE tallies SET value = 7 WHERE name = 'available'")

    said = here("restore", tmp_path / "b", "--data", tmp_path / "again")

    assert said.returncode == 1
    assert "is damaged: tallies" in said.stderr


def test_a_file_is_copied_with_what_is_still_in_its_log(files, tmp_path):
    with closing(sqlite3.connect(files / "ledger.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO tallies VALUES ('late', 'n', 1, NULL)")

        backups.copy_file(files / "ledger.db", tmp_path / "copy.db")

        assert (files / "ledger.db-wal").stat().st_size > 0
        (tmp_path / "alone").mkdir()
        alone = (tmp_path / "copy.db").rename(tmp_path / "alone" / "copy.db")
        with connected(alone) as copied:
            kept = copied.execute("SELECT value FROM tallies WHERE subject = 'late'").fetchall()
    assert kept == [(1,)]


# PostgreSQL's own programs.


PUT_HALF = 'for each; do case $each in --file=*) echo half > "${each#--file=}";; esac; done'


@pytest.fixture(name="pg_dump")
def _pg_dump(tmp_path, monkeypatch):
    """Return what puts a ``pg_dump`` that does something else where it is found first."""

    def put(does, version=18):
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "pg_dump"
        says = f'[ "$1" = --version ] && echo "pg_dump (PostgreSQL) {version}.0" && exit'
        program.write_text(f"#!/bin/sh\n{says}\n{does}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        monkeypatch.setattr(backups, "find_spec", lambda _: None)  # As where no wheel is.

    return put


def test_a_password_is_not_told_to_everybody_on_the_machine(postgres_url, tmp_path, pg_dump):
    told = tmp_path / "told"
    pg_dump(f'printf "%s\\n" "$@" > {told}; printf %s "$PGPASSWORD" > {told}.word\n{PUT_HALF}')

    backups.dump(postgres_url.replace("postgres:@", "postgres:secret@"), tmp_path / "dump")

    assert "dbname=used" in told.read_text(encoding="utf-8")
    assert "secret" not in told.read_text(encoding="utf-8")
    assert (tmp_path / "told.word").read_text(encoding="utf-8") == "secret"


def test_what_pg_dump_cannot_do_is_said_in_its_words_and_leaves_nothing(
    postgres_url, tmp_path, pg_dump, here
):
    here("migrate", "--data", tmp_path, database=postgres_url)
    pg_dump(f"{PUT_HALF}; echo 'pg_dump: error: no space left' >&2; exit 1")

    said = here("backup", "--data", tmp_path, "-o", tmp_path / "b", database=postgres_url)

    assert said.returncode == 1
    assert said.stderr == "leifeng: pg_dump: error: no space left\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "keys"]


@pytest.mark.parametrize("version", [9, 17])
def test_a_program_that_is_older_than_the_server_does_not_count(
    postgres_url, tmp_path, pg_dump, here, version
):
    here("migrate", "--data", tmp_path, database=postgres_url)
    pg_dump(PUT_HALF, version)

    said = here("backup", "--data", tmp_path, "-o", tmp_path / "b", database=postgres_url)

    assert said.stderr == f"leifeng: {ToolMissing('pg_dump', 18)}\n"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "keys"]
