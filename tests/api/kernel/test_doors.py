"""What a request has to bring before anything of it is looked at."""

import json

import pytest

from tests.world import PLEDGE, filled, refused

pytestmark = pytest.mark.common_server

PATH = "/v1/donations"
LONGEST_KEY = "~" * 255
ONE_MIB = 1024 * 1024


def raw(person, content, *, path=PATH, key="raw", **headers):
    """Return what sends these very bytes."""
    named = {} if key is None else {"Idempotency-Key": key}
    typed = {"Content-Type": "application/json"} | headers
    return lambda: person.http.post(path, content=content, headers=named | typed)


@pytest.fixture
def pledge(world):
    """Return a promise that would be taken."""
    return json.dumps(filled(PLEDGE, world)).encode()


@pytest.mark.parametrize(
    "credentials",
    [
        None,
        "",
        "Bearer",
        "Bearer lf_unknown",
        "Bearer " + "é" * 40,
        "Basic bGluOmxpbg==",
        "lf_unknown",
    ],
)
def test_no_one_comes_in_without_a_known_token(world, pledge, credentials):
    said = {} if credentials is None else {"Authorization": credentials.encode()}

    asked = raw(world.office.public, pledge, **said)

    refused(world, asked, 401, "unauthenticated")
    assert asked().headers["WWW-Authenticate"] == "Bearer"


def test_a_token_with_more_to_it_is_another_token(world, pledge):
    lin = world.office.lin
    for token in (lin.token + "x", lin.token[:-1], lin.token.upper(), f"{lin.token} {lin.token}"):
        asked = raw(world.office.public, pledge, Authorization=f"Bearer {token}")

        refused(world, asked, 401, "unauthenticated")


def test_the_word_bearer_may_be_written_in_any_case(world):
    said = {"Authorization": f"bearer {world.office.lin.token}"}

    assert world.office.public.http.get(PATH, headers=said).status_code == 200


def test_a_role_is_checked_before_the_thing_the_key_and_the_body(world):
    for path in (PATH, "/v1/donations/none/payments", "/v1/funds/F-NONE/transfers"):
        asked = raw(world.office.an, b"{", path=path, key=None)

        said = refused(world, asked, 403, "role-forbidden")

        assert "auditor" not in said["detail"]


def test_a_token_is_checked_before_the_role(world):
    refused(world, raw(world.office.public, b"{", key=None), 401, "unauthenticated")


def test_a_request_that_moves_something_names_itself(world, pledge):
    refused(world, raw(world.office.lin, pledge, key=None), 400, "idempotency-key-required")


def test_the_key_is_asked_for_before_the_body_is_read(world):
    refused(world, raw(world.office.lin, b"{", key=None), 400, "idempotency-key-required")


@pytest.mark.parametrize("key", ["", "~" * 256, "a b", "schlüssel", "键", "a\tb", "x" * 8_000])
def test_a_key_is_up_to_255_visible_ascii_characters(world, pledge, key):
    said = refused(world, raw(world.office.lin, pledge, key=key.encode()), 422, "invalid-request")

    assert [each["field"] for each in said["errors"]] == ["Idempotency-Key"]


def test_the_longest_key_is_taken(world, pledge):
    asked = raw(world.office.lin, pledge, key=LONGEST_KEY)

    assert (asked().status_code, asked().headers["Idempotency-Replayed"]) == (201, "true")


def test_a_key_stands_for_one_request(world):
    lin = world.office.lin
    body = filled(PLEDGE, world)
    lin.did(PATH, body, key="one-request")

    def again():
        return lin.post(PATH, body | {"amount": 101, "note": "more"}, key="one-request")

    said = refused(world, again, 422, "idempotency-mismatch")

    assert said["fields"] == ["amount", "note"]
    assert "amount" in said["detail"]


def test_a_key_stands_for_one_path(world):
    body = {"reason": "moved away"}
    mine, other = (world.office.pledge(world.rich) for _ in range(2))
    lin = world.office.lin
    lin.did(f"{PATH}/{mine}/withdrawal", body, key="one-path")

    def again():
        return lin.post(f"{PATH}/{other}/withdrawal", body, key="one-path")

    assert refused(world, again, 422, "idempotency-mismatch")["fields"] == ["path"]


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"amount=100",
    "half of it": b'{"donor": ',
    "two of them": b"{}{}",
    "a list": b"[]",
    "a list of one": b'[{"amount": 100}]',
    "a word": b'"amount"',
    "a number": b"5",
    "null": b"null",
    "not a number": b'{"amount": NaN}',
    "infinity": b'{"amount": -Infinity}',
    "no UTF-8": b'{"note": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"amount": 1}'.encode("utf-16"),
    "a figure without end": b'{"amount": ' + b"9" * 10_000 + b"}",
    "a nest without end": b'{"note": ' + b"[" * 200_000,
    "a deep nest": b'{"note": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_refused(world, content):
    said = refused(world, raw(world.office.lin, content), 422, "invalid-request")

    assert said["errors"]


def test_numbers_that_are_none_are_refused_where_they_would_matter(world, pledge):
    for none in (b"NaN", b"Infinity", b"1e400", b"-0.0", b"1e2"):
        content = pledge.replace(b'"amount": 100', b'"amount": ' + none)
        assert content != pledge

        said = refused(world, raw(world.office.lin, content), 422, "invalid-request")

        assert {each["field"] for each in said["errors"]} <= {"amount", "body"}


def test_a_number_that_is_none_is_refused_even_in_a_text(world, pledge):
    content = pledge.replace(b"}", b', "note": NaN}')

    refused(world, raw(world.office.lin, content), 422, "invalid-request")


def test_a_body_says_that_it_is_json(world, pledge):
    asked = raw(world.office.lin, pledge, **{"Content-Type": "text/plain"})

    refused(world, asked, 422, "invalid-request")


def test_a_body_has_a_bounded_size(world, pledge):
    filler = b" " * (ONE_MIB + 1 - len(pledge))

    refused(world, raw(world.office.lin, pledge + filler), 413, "too-large")
    assert raw(world.office.lin, (pledge + filler)[:-1], key="just-fits")().status_code == 201


def test_a_body_that_does_not_say_its_size_is_bounded_too(world, pledge):
    def pieces():
        yield pledge
        for _ in range(20):
            yield b" " * (ONE_MIB // 10)

    refused(world, raw(world.office.lin, pieces()), 413, "too-large")


@pytest.mark.parametrize("cursor", ["x", "é", "e30", "bnVsbA", "W10", "=", "A" * 2_001, "\x00"])
def test_a_cursor_is_one_that_was_given_out(world, cursor):
    for path in ("donations", "disbursements", "journal", "audit-trail", "events"):
        who = world.office.sun

        def asked(path=path, who=who):
            return who.get(f"/v1/{path}", cursor=cursor)

        said = refused(world, asked, 422, "invalid-request")

        assert [each["field"] for each in said["errors"]] == ["cursor"]


def test_a_cursor_continues_its_own_list_with_its_own_filters(world):
    sun = world.office.sun
    cursor = sun.read("/v1/donations", limit=1, fund=world.rich)["next"]
    for path, other in (
        ("/v1/journal", {}),
        ("/v1/events", {}),
        ("/v1/disbursements", {}),
        ("/v1/donations", {"fund": world.poor}),
        ("/v1/donations", {"state": "pledged"}),
    ):
        refused(
            world,
            lambda path=path, other=other: sun.get(path, cursor=cursor, **other),
            422,
            "invalid-request",
        )

    assert sun.get("/v1/donations", cursor=cursor, fund=world.rich).status_code == 200


WRONG_QUESTIONS = [
    ("/v1/donations", {"limit": 0}),
    ("/v1/donations", {"limit": 1_001}),
    ("/v1/donations", {"limit": "x"}),
    ("/v1/donations", {"donor": "x"}),
    ("/v1/donations", {"fund": "f-hear"}),
    ("/v1/donations", {"state": "lost"}),
    ("/v1/disbursements", {"state": "lost"}),
    ("/v1/events", {"after": -1}),
    ("/v1/events", {"after": 2**70}),
    ("/v1/events", {"stream": "x"}),
    ("/v1/events", {"at_least": -1}),
    ("/v1/audit-trail", {"from": "2026-02-30"}),
    ("/v1/journal", {"to": "yesterday"}),
    ("/v1/journal", {"to": "1760000000"}),
    ("/v1/trial-balance", {"as_of": ""}),
]


@pytest.mark.parametrize(("path", "asked"), WRONG_QUESTIONS)
def test_a_question_that_is_wrong_is_named(world, path, asked):
    said = refused(world, lambda: world.office.sun.get(path, **asked), 422, "invalid-request")

    assert [each["field"] for each in said["errors"]] == list(asked)


@pytest.mark.parametrize("asked", [{"as_of": "1/4/2026"}, {"known_at": -1}, {"known_at": "x"}])
def test_a_balance_is_asked_for_by_day_and_position(world, asked):
    path = f"/v1/funds/{world.rich}/balance"

    said = refused(world, lambda: world.office.public.get(path, **asked), 422, "invalid-request")

    assert [each["field"] for each in said["errors"]] == list(asked)


def test_nobody_is_shown_less_than_they_ask_for(world):
    path = f"/v1/funds/{world.rich}/balance"
    position = world.office.server.position()

    def asked():
        return world.office.public.get(path, at_least=position + 1)

    said = refused(world, asked, 422, "invalid-request")

    assert said["errors"][0]["field"] == "at_least"
    assert str(position) in said["errors"][0]["message"]
    assert world.office.public.read(path, at_least=position)["position"] == position


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/funds"),
        ("DELETE", "/v1/funds/F-1"),
        ("PATCH", "/v1/donations"),
        ("POST", "/v1/events"),
        ("POST", "/v1/funds/F-1/balance"),
        ("GET", "/v1/donations/x/payments"),
        ("GET", "/v1/funds/F-1/transfers"),
        ("POST", "/healthz"),
    ],
)
def test_each_path_takes_its_own_methods(world, method, path):
    asked = world.office.sun.http

    refused(world, lambda: asked.request(method, path), 405, "method-not-allowed")
    assert method not in asked.request(method, path).headers["Allow"]


def test_who_has_no_role_may_read_what_is_open_to_all(world):
    nobody = world.office.server.person("nobody")

    assert nobody.get("/v1/funds").status_code == 200
    refused(world, lambda: nobody.get(PATH), 403, "role-forbidden")
