"""A disk that is full, files that may not be written, and a second server on the same folder."""

import subprocess
from contextlib import contextmanager

import pytest

from tests.office import DAY, Office
from tests.oracle import check
from tests.processes import leifeng
from tests.server import free_port, serving
from tests.world import PROBLEM

DISK = "6m"

SOME = 64 * 1024


@contextmanager
def small_disk(folder):
    """Mount a disk of a few megabytes, where that is permitted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)  # noqa: S603  # Our own.
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a disk can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607  # Same.


def fill(path):
    """Write until no byte more fits."""
    with path.open("wb", buffering=0) as ballast:
        for size in (SOME, 1):
            with_room = True
            while with_room:
                try:
                    with_room = ballast.write(b"x" * size) > 0
                except OSError:
                    with_room = False


def test_a_full_disk_refuses_what_it_cannot_keep_and_goes_on_when_there_is_room(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        data = disk / "data"
        data.mkdir()
        with serving(data, undisturbed=False) as server:
            office = Office(server)
            fund, donor = office.fund(), office.donor()
            office.pledge(fund, 100, donor)
            before = office.balance(fund)
            body = {"donor": donor, "fund": fund, "amount": 100, "currency": "CNY"}
            body |= {"pledged_on": DAY}
            fill(disk / "ballast")
            answers = [office.lin.post("/v1/donations", body, key=f"full-{n}") for n in range(40)]
            kept = [each for each in answers if each.is_success]
            refused = [each for each in answers if not each.is_success]

            assert refused, "the disk was not full"
            for each in refused:
                assert (each.status_code, each.json()["type"]) == (503, "/problems/store-failed")
                assert each.headers["content-type"] == PROBLEM
                assert int(each.headers["Retry-After"]) > 0
            assert server.position() == before["position"] + len(kept)

            (disk / "ballast").unlink()
            again = [office.lin.post("/v1/donations", body, key=f"full-{n}") for n in range(40)]

            assert {each.status_code for each in again} == {201}
            replayed = [each for each in again if "Idempotency-Replayed" in each.headers]
            assert len(replayed) == len(kept)
            assert office.balance(fund)["pledged"] == before["pledged"] + 40 * 100
        assert check(data / "ledger.db", data / "views.db") == before["position"] + 40


def test_a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data) as server:
        office = Office(server)
        fund = office.fund()

        second = leifeng("serve", "--data", data, "--port", free_port())

        assert second.returncode == 1
        (sentence,) = second.stderr.splitlines()
        assert sentence.startswith("leifeng: another process is writing")
        assert str(data / "ledger.db") in sentence
        office.gift(fund, 500)
        assert office.balance(fund)["received"] == 500
    check(data / "ledger.db", data / "views.db")


@contextmanager
def read_only(folder):
    """Mount ``folder`` over itself, for reading only; root may write whatever modes say."""
    bind = ["mount", "--bind", str(folder), str(folder)]
    remount = ["mount", "-o", "remount,ro,bind", str(folder)]
    try:
        for each in (bind, remount):
            subprocess.run(each, check=True, capture_output=True)  # noqa: S603  # Our own.
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a folder can only be mounted by root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607  # Same.


def test_a_folder_that_may_not_be_written_is_refused_in_one_sentence(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data) as server:
        Office(server).fund()
    with read_only(data):
        refused = leifeng("serve", "--data", data, "--port", free_port())

    (sentence,) = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert sentence.startswith("leifeng: ")
    assert "ead-only" in sentence
    check(data / "ledger.db", data / "views.db")
