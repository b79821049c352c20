"""The log's keys at the command line, and what becomes of a log when a backup is restored."""

import shutil
from contextlib import closing
from datetime import UTC, datetime

import pytest

from api.places import LOG_KEY
from ledger.kernel.roles import Role
from ledger.people.identity import Identity
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.note import Verifier, parse_note
from tests.charity import charity
from tests.logs import until
from tests.office import Office
from tests.processes import ENVIRONMENT, leifeng
from tests.server import serving


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory):
    """A ledger in files that was served once, with an admin."""
    data = tmp_path_factory.mktemp("served") / "data"
    with serving(data) as server:
        Office(server).fund()
        server.have_signed()
    with closing(Identity(data / "people.db")) as identity:
        identity.create_token("老周", [Role.ADMIN], at=datetime.now(UTC))
        identity.create_token("小王", [Role.CLERK], at=datetime.now(UTC))
    return data


@pytest.fixture(name="data")
def _data(served, tmp_path):
    """A copy of it, to change."""
    return shutil.copytree(served, tmp_path / "data")


def keys(data):
    said = leifeng("audit", "key", "--data", data)
    assert said.returncode == 0, said.stderr
    return [Verifier.parse(line) for line in said.stdout.splitlines()]


def test_there_is_no_key_before_the_ledger_is_served(tmp_path, here):
    said = here("audit", "key", "--data", tmp_path)

    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "the first leifeng serve makes it" in said.stderr


def test_a_new_key_signs_beside_the_old_one_and_is_announced(data, here):
    (old,) = keys(data)
    said = here("audit", "rotate", "--data", data, "--person", "老周")
    assert said.returncode == 0, said.stderr

    assert keys(data) == [old, Verifier.parse(said.stdout.strip())]
    with charity(data / "ledger.db") as house:
        announced = house.facts()[-1]
    assert (announced.key, announced.log) == (said.stdout.strip(), old.name)
    assert announced.role == Role.ADMIN
    with serving(data) as server:
        Office(server).fund("F-TWO")
        server.have_signed()
        checkpoint = server.public.get("/checkpoint").content
    for each in keys(data):
        open_checkpoint(checkpoint, [each])


@pytest.mark.parametrize("command", ["rotate", "new-log"])
def test_only_an_admin_changes_keys(data, here, command):
    before = keys(data)
    said = here("audit", command, "--data", data, "--person", "小王")

    assert said.returncode == 1
    assert "admin" in said.stderr
    assert keys(data) == before


def test_a_log_is_called_as_it_was_from_the_start(data):
    said = leifeng("serve", "--data", data, "--port", 0, "--log-name", "charity.example/log")

    assert said.returncode == 1
    assert f"is called {keys(data)[0].name}" in said.stderr


def test_a_log_is_called_as_its_charity_says(tmp_path):
    with pytest.MonkeyPatch.context() as around:
        around.setitem(ENVIRONMENT, LOG_KEY, str(tmp_path / "safe" / "our.key"))
        with serving(tmp_path / "data", None, "--log-name", "charity.example/log") as server:
            checkpoint = parse_note(server.public.get("/checkpoint").content)

    assert checkpoint.text.startswith("charity.example/log\n")
    assert (tmp_path / "safe" / "our.key").exists()
    assert not (tmp_path / "data" / "keys" / "log.key").exists()


@pytest.mark.slow
def test_an_older_backup_is_served_and_not_signed_until_another_log_is_begun(data, tmp_path, here):
    saved = here("backup", "--data", data, "-o", tmp_path / "saved")
    assert saved.returncode == 0, saved.stderr
    assert "without the log's key" in saved.stdout
    assert not list((tmp_path / "saved").rglob("*key*"))
    with serving(data) as server:
        office = Office(server)
        office.gift(office.fund("F-LATER"))
        server.have_signed()
        signed = server.public.get("/checkpoint").content
    again = tmp_path / "again"
    assert here("restore", tmp_path / "saved", "--data", again).returncode == 0
    shutil.copytree(data / "keys", again / "keys")
    (old,) = keys(again)

    with serving(again, ready=503) as server:
        until(lambda: server.public.get("/readyz").json()["status"] == "unsigned")
        refused = server.public.get("/readyz").json()["log_refusal"]
        office = Office(server)
        office.gift(office.fund("F-OTHER"))  # It is served all the same.
        shown = open_checkpoint(server.public.get("/checkpoint").content, [old])
        proof = server.public.get("/v1/proofs/inclusion", position=server.position())
    assert "leifeng audit new-log" in refused
    assert shown.size < open_checkpoint(signed, [old]).size
    assert (proof.status_code, proof.json()["type"]) == (503, "/problems/log-not-signed")

    begun = here("audit", "new-log", "--data", again, "--person", "老周", "--name", "b.example/log")
    assert begun.returncode == 0, begun.stderr
    (new,) = keys(again)
    assert str(new) == begun.stdout.strip()
    with serving(again) as server:
        server.have_signed()
        checkpoint = server.public.get("/checkpoint").content
        assert open_checkpoint(checkpoint, [new]).size == server.position()
    assert here(
        "audit", "new-log", "--data", again, "--person", "老周", "--name", old.name
    ).returncode


def test_a_restored_log_goes_on_with_its_key_where_nothing_was_lost(data, tmp_path, here):
    here("backup", "--data", data, "-o", tmp_path / "saved")
    here("restore", tmp_path / "saved", "--data", tmp_path / "again")
    shutil.copytree(data / "keys", tmp_path / "again" / "keys")

    with serving(tmp_path / "again") as server:
        Office(server).fund("F-NEXT")
        server.have_signed()
        checkpoint = server.public.get("/checkpoint").content
    assert open_checkpoint(checkpoint, keys(data)).size > 1


def test_a_restored_log_without_its_key_says_where_it_belongs(data, tmp_path, here):
    here("backup", "--data", data, "-o", tmp_path / "saved")
    here("restore", tmp_path / "saved", "--data", tmp_path / "again")
    (tmp_path / "again" / "keys").mkdir()  # Of people's details, without which nothing is served.
    shutil.copy(data / "keys" / "vault.key", tmp_path / "again" / "keys")

    with serving(tmp_path / "again") as server:
        until(lambda: server.public.read("/readyz")["log_refusal"] is not None)
        refusal = server.public.read("/readyz")["log_refusal"]
        shown = server.public.get("/checkpoint").content

        said = server.log.read_text(encoding="utf-8")

    assert refusal == "the key of the log cannot be used here at the moment"
    assert f"the key of the log {keys(data)[0].name} is not in" in said
    open_checkpoint(shown, keys(data))
    assert not (tmp_path / "again" / "keys" / "log.key").exists()
