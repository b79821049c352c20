"""What the log publishes is submitted to its witnesses, whatever they answer."""

import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import uvicorn

from api.routes.witness import create_witness
from ledger.kernel.errors import Invalid
from ledger.transparency.cosignature import Cosigner
from ledger.transparency.note import parse_note, signed_by
from ledger.transparency.policy import Policy, QuorumMissing
from projections.log.cosigning import AGAIN_S, ANSWER_S, Cosigning, WitnessAddress, policy_of
from projections.log.keys import KeyFile
from projections.log.witness import Witness
from tests.charity import charity
from tests.logs import Clock, beside, opened, until, verifiers

FRIEND = Cosigner("friend.example/witness", b"w" * 32)
STRANGER = Cosigner("stranger.example/witness", b"s" * 32)


class Seconds:
    """A clock of seconds that stands still until it is set."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture(name="seconds")
def _seconds():
    return Seconds()


@pytest.fixture(name="clock")
def _clock():
    return Clock()


@pytest.fixture(name="keys")
def _keys(tmp_path):
    return KeyFile(tmp_path / "log.key")


@pytest.fixture(name="house")
def _house(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        yield house


@pytest.fixture(name="log")
def _log(house, tmp_path, keys, clock):  # noqa: ARG001  # There has to be one.
    place = tmp_path / "ledger.db"
    with opened(place, beside(place), keys, clock) as log:
        log.publish()
        yield log


@contextmanager
def listening(app):
    """Serve ``app`` and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started)
        (port,) = {each.getsockname()[1] for each in server.servers[0].sockets}
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(name="friend")
def _friend(tmp_path, log, keys, clock):  # noqa: ARG001  # Its key is there when it has begun.
    """A witness that was told of the log's key, and listens."""
    with (
        closing(Witness(tmp_path / "witness.db", FRIEND, verifiers(keys), clock)) as witness,
        listening(create_witness(witness)) as url,
    ):
        yield WitnessAddress("friend", FRIEND.verifier, url)


class Answering(BaseHTTPRequestHandler):
    """Gives the server's answers one after the other."""

    def do_POST(self):
        self.server.asked.append(self.rfile.read(int(self.headers["Content-Length"])))
        status, kind, body = self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(name="other")
def _other():
    """A server that answers as a test would have it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.answers, server.asked = [], []
    server.address = WitnessAddress(
        "friend", FRIEND.verifier, f"http://127.0.0.1:{server.server_port}"
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def trusting(keys, friend):
    """Return the policy of whoever got the log's key and asks for this witness."""
    return replace(policy_of([friend]), logs=tuple(verifiers(keys)))


def cosigned(log):
    return bool(signed_by(parse_note(log.newest().note), [FRIEND.verifier]))


def size(body):
    return (409, "text/x.tlog.size", f"{body}\n".encode())


def test_each_checkpoint_is_published_again_with_the_cosignature(house, log, friend, seconds, keys):
    cosigning = Cosigning(log, [friend], seconds)
    for _ in range(2):
        assert not cosigned(log)

        cosigning.look()

        assert cosigned(log)
        assert trusting(keys, friend).open(log.newest().note) == log.newest().checkpoint
        assert cosigning.refusals == {}
        house.gift(1_00)
        log.publish()


def test_where_a_witness_stands_is_learnt_from_its_answer(house, log, friend, seconds):
    Cosigning(log, [friend], seconds).look()
    house.gift(1_00)
    log.publish()

    after_a_restart = Cosigning(log, [friend], seconds)
    after_a_restart.look()

    assert cosigned(log)
    assert after_a_restart.refusals == {}


def test_a_witness_that_is_away_is_asked_again_after_a_while(log, other, seconds):
    cosigning = Cosigning(log, [other.address], seconds)
    other.answers = [(503, "text/plain", b"closed today")] * 2

    cosigning.look()
    assert cosigning.refusals == {"friend": "witness friend answers 503: closed today"}
    seconds.now += AGAIN_S - 0.1
    cosigning.look()
    assert len(other.asked) == 1
    seconds.now += 0.1
    cosigning.look()
    assert len(other.asked) == 2
    assert not cosigned(log)


def test_a_witness_that_is_back_cosigns(log, other, seconds):
    cosigning = Cosigning(log, [other.address], seconds)
    other.answers = [(503, "text/plain", b"closed today")]
    cosigning.look()
    text = log.newest().checkpoint.text
    signature = FRIEND.cosign(text, 1_775_000_000)
    other.answers = [(200, "text/plain", f"{signature}\n".encode())]
    seconds.now += AGAIN_S

    cosigning.look()

    assert cosigned(log)
    assert cosigning.refusals == {}


def test_what_a_witness_refuses_is_told_in_its_words(log, other, seconds):
    cosigning = Cosigning(log, [other.address], seconds)
    other.answers = [size(1), (422, "text/plain", b"the proof is wrong")]

    cosigning.look()

    assert cosigning.refusals == {"friend": "witness friend answers 422: the proof is wrong"}
    assert [each.partition(b"\n")[0] for each in other.asked] == [b"old 0", b"old 1"]
    assert not cosigned(log)


def test_a_witness_that_has_seen_more_is_not_agreed_with(log, other, seconds):
    here = log.newest().checkpoint.size
    cosigning = Cosigning(log, [other.address], seconds)
    other.answers = [size(here + 1)]

    cosigning.look()

    expected = f"witness friend has seen {here + 1} events, and here are {here}"
    assert cosigning.refusals == {"friend": expected}
    assert len(other.asked) == 1


def test_a_signature_by_another_key_is_no_cosignature(log, other, seconds):
    cosigning = Cosigning(log, [other.address], seconds)
    signature = STRANGER.cosign(log.newest().checkpoint.text, 1_775_000_000)
    other.answers = [(200, "text/plain", f"{signature}\n".encode())]

    cosigning.look()

    expected = "witness friend answers with signatures of other keys"
    assert cosigning.refusals == {"friend": expected}
    assert not cosigned(log)


def test_the_cosigned_checkpoint_is_shown_for_as_long_as_witnesses_take(
    house, log, friend, seconds, clock
):
    cosigning = Cosigning(log, [friend], seconds)
    cosigning.look()
    before = log.newest()
    house.gift(1_00)
    clock.now += timedelta(seconds=ANSWER_S)
    newest = log.publish()
    assert cosigning.prefer_cosigned(newest) == before

    clock.now += timedelta(seconds=1)
    house.gift(1_00)
    newest = log.publish()
    assert cosigning.prefer_cosigned(newest) == newest
    assert cosigning.prefer_cosigned(newest) == newest


def test_it_goes_on_by_itself_until_it_is_closed(house, log, friend, seconds):
    cosigning = Cosigning(log, [friend], seconds)
    cosigning.start()
    try:
        until(lambda: cosigned(log))
        house.gift(1_00)
        log.publish()
        until(lambda: cosigned(log))
    finally:
        cosigning.close()
    house.gift(1_00)
    log.publish()
    assert not cosigned(log)


def test_without_witnesses_nobody_is_asked(log, seconds):
    cosigning = Cosigning(log, [], seconds)
    cosigning.start()
    cosigning.close()
    before = log.newest()
    cosigning.look()

    assert log.newest() == before
    assert policy_of([]) == Policy(())


def test_a_policy_of_witnesses_asks_for_one_of_them(log, keys):
    friend = WitnessAddress("friend", FRIEND.verifier, "https://friend.example")

    with pytest.raises(QuorumMissing):
        trusting(keys, friend).open(log.newest().note)


def test_an_address_is_a_name_a_key_and_a_url():
    text = f"friend,{FRIEND.verifier},https://friend.example/witness/"

    assert WitnessAddress.parse(text) == WitnessAddress(
        "friend", FRIEND.verifier, "https://friend.example/witness"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f",{FRIEND.verifier},https://friend.example", "a name without spaces"),
        (f"a friend,{FRIEND.verifier},https://friend.example", "a name without spaces"),
        (f"friend,{FRIEND.verifier},ftp://friend.example", "a URL of https or http"),
        (f"friend,{FRIEND.verifier}", "a URL of https or http"),
        ("friend,key,https://friend.example", "is not a verifier key"),
    ],
)
def test_what_is_no_address_is_refused(text, fault):
    with pytest.raises(Invalid, match=fault):
        WitnessAddress.parse(text)
