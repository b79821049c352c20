"""/log: what was signed, with which key, who watches, and when it was last verified."""

from datetime import UTC, datetime

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.processes.self_check import Found, Verification
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.cosignature import Cosigner
from projections.log.cosigning import WitnessAddress
from projections.log.keys import KeyFile
from tests.api.pages.test_pages import plain
from tests.logs import verifiers
from tests.processes import leifeng

FRIEND = Cosigner("friend.example/witness", b"w" * 32)
NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    data = tmp_path_factory.mktemp("log") / "data"
    made = leifeng("demo", "--data", data, "--no-serve")
    assert made.returncode == 0, made.stderr
    return data


@pytest.fixture(scope="module")
def app(data):
    witness = WitnessAddress("friend", FRIEND.verifier, NOBODY_THERE)
    return create_app(data, witnesses=[witness])


@pytest.fixture(scope="module")
def client(app):
    with TestClient(app) as client:
        app.state.site.log.begin()
        app.state.site.log.publish()
        yield client


def read(client, path, language="en"):
    answer = client.get(f"{path}?lang={language}", headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return plain(answer.text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_shows_what_was_signed_and_the_key_for_it(client, data, language):
    said = read(client, "/log", language)
    keys = verifiers(KeyFile(data / "keys" / "log.key"))
    signed = client.get("/checkpoint").text
    checkpoint = open_checkpoint(signed.encode(), keys)

    assert " ".join(signed.split()) in said
    assert f"{checkpoint.size:,}" in said
    assert [str(key) for key in keys if str(key) not in said] == []
    assert "leifeng audit verify FOLDER --vkey KEY" in said


def test_a_witness_is_named_with_when_it_signed(app, client):
    assert "friend friend.example/witness" in read(client, "/log")
    assert "Not yet" in read(client, "/log")
    log = app.state.site.log
    newest = log.newest()
    at = int(datetime(2026, 11, 25, 4, tzinfo=UTC).timestamp())
    log.add_signatures(newest, [FRIEND.cosign(newest.checkpoint.text, at)])

    assert "2026-11-25 12:00:00" in read(client, "/log")
    assert "Not yet" not in read(client, "/log")


def test_a_witness_is_known_where_receipts_are_checked(client):
    page = client.get("/verify?lang=en").text
    assert f'<code id="claimed-witnesses">{FRIEND.verifier}</code>' in page.replace("&#43;", "+")


def test_the_last_verification_is_told_of_here_and_in_front(app, client):
    check = app.state.site.check
    for path in ("/", "/log"):
        assert "verified" not in read(client, path)
    at = datetime(2026, 11, 25, 1, 2, 3, tzinfo=UTC)
    check.latest = Verification(verified=True, events=1_186, at=at)
    told = "The history was verified: 1,186 events, 2026-11-25 09:02:03"
    for path in ("/", "/log"):
        assert told in read(client, path)
    fault = Found("event-differs", "What was signed is what is stored.", "event 7")
    check.latest = msgspec.structs.replace(check.latest, verified=False, findings=[fault])
    for path in ("/", "/log"):
        assert "found something that does not hold: 1" in read(client, path)
        assert told not in read(client, path)


def test_a_server_that_may_not_use_its_key_claims_none(client, data):
    key = data / "keys" / "log.key"
    assert "This server has no key" not in read(client, "/log")
    key.chmod(0o644)
    try:
        assert "This server has no key" in read(client, "/log")
        assert 'value="claimed" disabled' in client.get("/verify").text
    finally:
        key.chmod(0o600)
