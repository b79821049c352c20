"""A provider that is broken, slow or taken over signs nobody in as somebody else."""

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from api.sso.provider import Provider
from api.sso.refusals import ProviderAway
from api.sso.settings import Settings
from api.sso.sign_in_state import new_request
from ledger.kernel.roles import Role
from tests.hostile_provider import (
    CLIENT,
    EC,
    OTHERS,
    PUBLISHED,
    RSA,
    SECRET,
    SHARED,
    hostile_provider,
)
from tests.provider import ADDRESS, Browser, sso
from tests.server import ANSWER_S, TLS, serving

HOUR = timedelta(hours=1)


@pytest.fixture(name="running", scope="module")
def _running():
    with hostile_provider() as running:
        yield running


@pytest.fixture(name="hostile")
def _hostile(running):
    running.be_honest()
    return running


@pytest.fixture(name="server", scope="module")
def _server(running, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    options = sso(issuer=running.issuer, client=CLIENT, address=ADDRESS)
    around = {"LEIFENG_SSO_SECRET": SECRET}
    with serving(folder / "data", None, *options, around=around) as server:
        now = datetime.now(UTC)
        person = server.identity.users.enrol("林一", [Role.CLERK], now)
        where = f"/invitation/{server.identity.passwords.invite(person, now)}"
        visitor = Visitor(server)
        assert visitor.sign_in("somebody", f"{where}/sso").status_code == 303
        visitor.http.close()
        yield server


class Visitor(Browser):
    """A browser whose owner is signed in at the provider, which asks them nothing."""

    def sign_in_there(self, there, subject, **said):  # noqa: ARG002  # It takes everybody for one.
        return httpx2.get(there, timeout=ANSWER_S, verify=TLS).headers["location"]


@pytest.fixture(name="visitor")
def _visitor(server):
    opened = Visitor(server)
    with opened.http:
        yield opened


def refused(visitor):
    answer = visitor.sign_in("somebody")
    assert answer.status_code == 403, answer.text
    assert "您没有在那里登录" in answer.text
    assert not visitor.is_signed_in


def away(visitor):
    answer = visitor.sign_in("somebody")
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) >= 1
    assert not visitor.is_signed_in


@pytest.mark.parametrize(
    ("header", "key", "claims"),
    [
        ({"alg": "RS256", "kid": "rsa"}, RSA, {}),
        ({"alg": "RS256"}, RSA, {}),
        ({"alg": "PS256", "kid": "rsa"}, RSA, {}),
        ({"alg": "ES256", "kid": "ec"}, EC, {}),
        ({"alg": "ES256"}, EC, {"aud": [CLIENT]}),
        ({"alg": "RS256", "kid": "rsa", "of the future": 1}, RSA, {}),
        ({"alg": "RS256", "kid": "rsa"}, RSA, {"aud": ["another", CLIENT], "azp": CLIENT}),
        ({"alg": "RS256", "kid": "rsa"}, RSA, {"amr": ["mfa"], "email": "x@example.org"}),
    ],
)
def test_a_token_that_holds_signs_in(hostile, visitor, header, key, claims):
    hostile.header, hostile.key, hostile.claims = header, key, claims

    assert visitor.sign_in("somebody").status_code == 303
    assert visitor.is_signed_in


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"aud": ["another", CLIENT]},
        {"aud": ["another", CLIENT], "azp": "another"},
        {"azp": "another"},
        {"iss": "https://another.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
        {"sub": "s" * 256},
        {"sub": "某人"},
        {"exp": -HOUR},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": HOUR},
        {"iat": None},
        {"nbf": HOUR},
    ],
    ids=str,
)
def test_a_token_for_others_or_another_time_signs_nobody_in(hostile, visitor, claims):
    hostile.claims = claims

    refused(visitor)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ({"alg": "RS256", "kid": "rsa"}, OTHERS),
        ({"alg": "RS256", "kid": "unheard of"}, RSA),
        ({"alg": "RS256", "kid": "for encryption"}, RSA),
        ({"alg": "HS256", "kid": "rsa"}, SHARED),
        ({"alg": "RS512", "kid": "rsa"}, RSA),
        ({"alg": "RS256", "kid": "rsa", "crit": ["of the future"], "of the future": 1}, RSA),
        ({"alg": "none"}, RSA),
    ],
    ids=["other key", "no such key", "key to encrypt", "shared secret", "RS512", "crit", "none"],
)
def test_a_token_signed_by_another_key_or_not_at_all_signs_nobody_in(hostile, visitor, header, key):
    hostile.header, hostile.key = header, key

    refused(visitor)


def test_a_code_is_worth_nothing_in_another_browser(hostile, server, visitor):
    stolen = visitor.sign_in_there(visitor.leave(), "somebody")
    code = httpx2.URL(stolen).params["code"]
    thief = Visitor(server)
    with thief.http:
        own = httpx2.URL(thief.sign_in_there(thief.leave(), "somebody"))

        answer = thief.come_back(str(own.copy_set_param("code", code)))

        assert answer.status_code == 403
        assert not thief.is_signed_in
    assert hostile.forms[-1]["code"] == code, "it was tried, and the verifier was another"


def test_another_state_than_the_browser_left_with_is_refused_before_anybody_is_asked(
    hostile, visitor
):
    back = httpx2.URL(visitor.sign_in_there(visitor.leave(), "somebody"))

    for state in ("another", "é", ""):
        answer = visitor.come_back(str(back.copy_set_param("state", state)))
        assert answer.status_code == 403
    assert visitor.come_back(str(back.copy_remove_param("state"))).status_code == 403
    assert hostile.forms == []
    assert visitor.come_back(str(back)).status_code == 303


def test_whoever_is_sent_back_by_another_issuer_does_not_come_in(hostile, visitor):
    hostile.back = {"iss": hostile.issuer}
    assert visitor.sign_in("somebody").status_code == 303
    visitor.http.cookies.clear()
    hostile.back = {"iss": "https://another.example"}

    refused(visitor)


def test_the_secret_goes_by_the_head_and_not_by_the_form_if_it_can(hostile, visitor):
    visitor.sign_in("somebody")

    (form,) = hostile.forms
    assert set(form) == {"grant_type", "code", "redirect_uri", "code_verifier"}


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/token", (500, {}, b"<h1>broken</h1>")),
        ("/token", (401, {}, b'{"error":"invalid_client"}')),
        ("/token", (302, {"Location": "/elsewhere"}, b"")),
        ("/token", (200, {}, b'{"access_token":"x"}')),
        ("/token", (200, {}, b'{"id_token":"' + b"x" * 300_000 + b'"}')),
        ("/token", (200, {"Content-Encoding": "gzip"}, b"not gzip")),
        ("/keys", (404, {}, b"{}")),
        ("/keys", (500, {}, json.dumps({"keys": PUBLISHED}).encode())),
        ("/keys", (200, {}, b"[]")),
        ("/keys", (302, {"Location": "/elsewhere"}, b"")),
    ],
    ids=lambda said: said[:9] if isinstance(said, str) else f"{said[0]} {said[2][:20]!r}",
)
def test_a_provider_that_answers_nonsense_is_away(hostile, visitor, path, answer):
    hostile.answers = {path: answer}

    away(visitor)


def test_whoever_comes_back_wrong_again_and_again_has_to_wait(server, visitor):
    answers = (visitor.http.get("/sign-in/sso/callback").status_code for _ in range(60))

    assert 429 in answers
    with Visitor(server).http as other:
        assert other.get("/sign-in/sso/callback").status_code == 429, "it is the address"


# Before anybody leaves.


def asked(issuer, **said):
    """Ask a provider where to send somebody."""
    settings = Settings(issuer, CLIENT, ADDRESS, "there", SECRET)
    there = Provider(settings, **said)
    slip = new_request(datetime.now(UTC), "/", None)
    return asyncio.run(there.address(slip))


def test_what_its_address_asks_for_by_itself_stays(hostile):
    said = httpx2.URL(asked(hostile.issuer)).params

    assert (said["tenant"], said["client_id"]) == ("one", CLIENT)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://another.example"},
        {"authorization_endpoint": "http://id.example/authorize"},
        {"token_endpoint": "http://id.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": None},
        {"jwks_uri": 17},
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere_is_not_followed(hostile, metadata):
    hostile.metadata = metadata

    with pytest.raises(ProviderAway):
        asked(hostile.issuer)


@pytest.mark.parametrize(
    "answer",
    [
        (404, {}, b""),
        (302, {"Location": "/keys"}, b""),
        (200, {}, b"{}"),
        (200, {}, b"x" * 300_000),
    ],
    ids=["404", "redirect", "empty", "endless"],
)
def test_a_discovery_document_is_there_or_the_provider_is_away(hostile, answer):
    hostile.answers = {"/.well-known/openid-configuration": answer}

    with pytest.raises(ProviderAway):
        asked(hostile.issuer)


def test_an_issuer_that_answers_nothing_is_away():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"

        with pytest.raises(ProviderAway, match="does not answer"):
            asked(issuer, answer_s=0.1)
    with pytest.raises(ProviderAway, match="does not answer"):
        asked(issuer)
