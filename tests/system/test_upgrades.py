"""A ledger that an earlier version made is migrated, replayed, verified and served by this one."""

import json
import shutil
import subprocess
from base64 import b64decode
from hashlib import sha256

import httpx2
import pyotp
import pytest

from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.leaf import read_leaf
from ledger.transparency.merkle import leaf_hash, verify_consistency, verify_inclusion
from ledger.transparency.note import Verifier
from tests.folders import DATA
from tests.office import DAY
from tests.processes import leifeng
from tests.server import ANSWER_S, TLS, serving

KEPT = sorted(DATA.glob("upgrades/*/*/"))


class Upgraded:
    """A ledger of then, brought up to the tables of now, and what the program of then answered."""

    def __init__(self, kept, data, database):
        self.data, self.database = data, database
        self.then = json.loads((kept / "expected.json").read_text(encoding="utf-8"))
        self.keys = [Verifier.parse(each) for each in self.then["keys"]]
        self.migrated = self.leifeng("migrate")

    def leifeng(self, *words):
        return leifeng(*words, "--data", self.data, database=self.database)


@pytest.fixture(name="ledger", params=KEPT, ids=lambda kept: f"{kept.parent.name}-{kept.name}")
def _ledger(request, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(request.param, data)
    for key in (data / "keys").iterdir():
        key.chmod(0o600)  # No repository keeps that.
    dump = data / "ledger.dump"
    if not dump.exists():
        yield Upgraded(request.param, data, None)
        return
    postgres = request.getfixturevalue("postgres")
    with postgres.database() as url:
        restored = [postgres.bin / "pg_restore", "--exit-on-error", "--no-owner", "-d", url, dump]
        subprocess.run(restored, check=True)  # noqa: S603  # PostgreSQL's own program.
        yield Upgraded(request.param, data, url)


def test_there_are_ledgers_of_both_stores():
    assert {kept.name for kept in KEPT} == {"sqlite", "postgres"}


def test_it_is_brought_up_replayed_and_verified(ledger, tmp_path):
    pinned = tmp_path / "checkpoint"
    pinned.write_text(ledger.then["receipt"]["checkpoint"], encoding="utf-8")
    trusted = ("--vkey", ledger.then["keys"][-1], "--pinned", pinned)

    assert ledger.migrated.returncode == 0, ledger.migrated.stderr
    replayed = ledger.leifeng("replay")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    verified = ledger.leifeng("audit", "verify", *trusted)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    exported = ledger.leifeng("audit", "export", "-o", tmp_path / "bundle")
    assert exported.returncode == 0, exported.stderr
    taken_away = leifeng("audit", "verify", tmp_path / "bundle", *trusted)
    assert taken_away.returncode == 0, taken_away.stdout + taken_away.stderr


def test_it_is_served_as_it_was_and_goes_on(ledger):
    with serving(ledger.data, ledger.database) as server:
        people = {role: server.bearer(token) for role, token in ledger.then["tokens"].items()}

        assert server.position() == ledger.then["position"]
        for read in ledger.then["reads"]:
            reader = people.get(read["as"], server.public)
            assert_still(read["answer"], reader.http.get(read["path"]).json(), read["path"])
        answer_repeats(ledger.then["requests"], people)
        assert people["revoked"].get("/v1/trial-balance").status_code == 401
        assert server.people_kept(ledger.then["erased"]) == 0
        sign_in(server, **ledger.then["sign_in"])
        assert server.position() == ledger.then["position"]

        goes_on(ledger, server, people)
    replayed = ledger.leifeng("replay")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def assert_still(then, now, where):
    """See that all that was answered is answered; more may have come beside it."""
    if isinstance(then, dict):
        for name, each in then.items():
            assert name in now, f"{where}: {name} is gone"
            assert_still(each, now[name], f"{where} {name}")
    elif isinstance(then, list):
        assert len(now) == len(then), where
        for number, each in enumerate(then):
            assert_still(each, now[number], f"{where} {number}")
    else:
        assert now == then, where


def answer_repeats(requests, people):
    """See that what was asked under a key of then is answered as it was, and done once."""
    assert len(requests) > 80
    for each in requests:
        send = people[each["as"]].feed if isinstance(each["body"], str) else people[each["as"]].post
        answer = send(each["path"], each["body"], key=each["key"])

        assert answer.headers["Idempotency-Replayed"] == "true", each["path"]
        assert (answer.status_code, answer.json()) == (each["status"], each["answer"])


def sign_in(server, *, name, password, second_factor):
    """See that a password and a second factor of then let somebody in."""
    fields = {"name": name, "password": password, "code": pyotp.TOTP(second_factor).now()}
    with httpx2.Client(
        base_url=server.url, headers={"Origin": server.url}, timeout=ANSWER_S, verify=TLS
    ) as browser:
        assert browser.post("/sign-in", data=fields | {"password": "no"}).status_code == 403
        assert browser.post("/sign-in", data=fields).status_code == 303
        assert name in browser.get("/account").text


def goes_on(ledger, server, people):
    """See that money still moves as it did, and that what is signed now begins with what was."""
    receipt = ledger.then["receipt"]
    donor, fund = receipt["donation"]["donor"], receipt["donation"]["fund"]
    before = server.public.read(f"/v1/funds/{fund}/balance")
    promise = {"donor": donor, "fund": fund, "amount": 500, "currency": "CNY", "pledged_on": DAY}
    gift = people["clerk"].did("/v1/donations", promise, key="later-1")["id"]
    payment = {"amount": 500, "channel": "bank", "external_ref": "LATER-1", "received_on": DAY}
    people["cashier"].did(f"/v1/donations/{gift}/payments", payment, key="later-2")
    again = people["cashier"].post(
        f"/v1/donations/{gift}/payments", payment | {"external_ref": "BK-1"}, key="later-3"
    )

    assert again.json()["type"] == "/problems/payment-counted"
    after = server.public.read(f"/v1/funds/{fund}/balance")
    assert after["received"] - before["received"] == 500
    newer = people["clerk"].read(f"/v1/donations/{gift}/receipt", at_least=server.position())
    then, now = assert_proven(receipt, ledger.keys), assert_proven(newer, ledger.keys)
    proof = server.public.read("/v1/proofs/consistency", from_=then.size, to=now.size)["proof"]
    hashes = [b64decode(each) for each in proof]
    verify_consistency(then.size, now.size, then.root, now.root, hashes)


def assert_proven(receipt, keys):
    """Check a receipt as its holder does, with nothing but a key; return its checkpoint."""
    checkpoint = open_checkpoint(receipt["checkpoint"].encode(), keys)
    assert receipt["events"]
    for each in receipt["events"]:
        state, leaf = b64decode(each["state"]), each["leaf"].encode()
        path = [b64decode(step) for step in each["path"]]
        assert read_leaf(leaf).sha256 == sha256(state).hexdigest()
        verify_inclusion(each["index"], checkpoint.size, leaf_hash(leaf), path, checkpoint.root)
    return checkpoint
