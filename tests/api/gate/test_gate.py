"""What everybody passes before a door: how a request is written, who sends it, and how often."""

import re

import pytest

from api.gate.duplicate_headers import check_encoding, host_of, read
from api.gate.limits import Limits, LimitUnknown
from api.gate.origin import check_origin
from api.gate.rates import WINDOW_S, Rate
from api.gate.refusals import CrossSite, MessageUnreadable, TooOften
from api.gate.safe_answers import SAFE, make_safe
from api.gate.target import check_path, check_query
from api.routes.docs import policy_of
from ledger.kernel.errors import Invalid
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Word
from tests.office import Office
from tests.processes import leifeng
from tests.server import serving
from tests.wire import told
from tests.world import PLEDGE, filled, refused

pytestmark = pytest.mark.common_server


def asked(world, path, *lines):
    """Ask for the very ``path``, and return the only answer."""
    head = "".join(f"{each}\r\n" for each in ("Host: x", "Connection: close", *lines))
    (only,) = told(world.office.server, f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
    return only


PATHS = {
    "a hidden slash": "/v1%2ffunds",
    "a hidden slash in capitals": "/v1%2Ffunds",
    "a hidden backslash": "/v1%5cfunds",
    "a backslash": "/v1\\funds",
    "dots": "/v1/../v1/funds",
    "one dot": "/v1/./funds",
    "hidden dots": "/v1/%2e%2e/funds",
    "half hidden dots": "/v1/.%2e/funds",
    "dots hidden twice": "/v1/%252e%252e/funds",
    "two slashes": "/v1//funds",
    "two slashes first": "//v1/funds",
    "two slashes last": "/v1/funds//",
    "an overlong slash": "/v1%c0%affunds",
    "an overlong dot": "/v1/%c0%ae/funds",
    "half a character": "/v1/funds/%e4%b8",
    "half a pair": "/v1/funds/%ed%a0%80",
    "NUL": "/v1/funds/F-1%00",
    "a line's end": "/v1/funds/F%0d%0aX:1",
    "a turned direction": "/v1/funds/%e2%80%aeF",
    "a character that does not show": "/v1/funds/F%e2%80%8b",
    "nothing escaped": "/v1/funds/%zz",
    "half an escape": "/v1/funds/%4",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_a_path_is_written_in_one_way(world, path):
    answer = asked(world, path)

    assert (answer.status, answer.problem()) == (422, "invalid-request")
    assert b'"field":"path"' in answer.body


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/donations:batch", "/tile/0/x001/234.p/8", "/v1/funds/", "/%E7%B4%A7", "/a/.b/~c"],
)
def test_a_path_that_says_one_thing_passes(path):
    check_path(path.encode())


QUERIES = {
    "twice": "limit=1&limit=1000",
    "twice, once hidden": "limit=1&li%6Dit=1000",
    "twice without a value": "limit&limit",
    "NUL": "fund=F-1%00",
    "an overlong slash": "fund=%c0%af",
    "a turned direction": "fund=%e2%80%ae",
    "nothing escaped": "fund=%",
    "a line's end": "fund=%0d%0a",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_query_asks_each_thing_once_and_in_characters_that_show(world, query):
    answer = asked(world, f"/v1/funds?{query}")

    assert (answer.status, answer.problem()) == (422, "invalid-request")


@pytest.mark.parametrize("query", ["", "a=1&b=1", "name=%E7%B4%A7+x", "a=b=c", "cursor=eyJ-_w"])
def test_a_query_that_says_one_thing_passes(query):
    check_query(query.encode())


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Authorization", ("Bearer {token}", "Bearer lf_unknown")),
        ("Authorization", ("Bearer {token}", "Bearer {token}")),
        ("Idempotency-Key", ("one", "two")),
        ("Content-Type", ("application/json", "application/x-ndjson")),
        ("Origin", ("https://a.example", "https://b.example")),
    ],
)
def test_a_header_that_decides_is_said_once(world, name, values):
    token = world.office.lin.token
    answer = asked(world, "/v1/funds", *(f"{name}: {each.format(token=token)}" for each in values))

    assert (answer.status, answer.problem()) == (422, "invalid-request")
    assert f'"field":"{name}"'.encode() in answer.body


def test_lists_and_what_proxies_add_to_may_come_in_several_lines():
    said = read([(b"accept", b"a"), (b"accept", b"b"), (b"via", b"x"), (b"via", b"y")])

    assert said[b"accept"] == b"b"


def test_a_headers_name_is_repeated_only_if_it_can_be_one():
    with pytest.raises(Invalid, match=r"^header: is sent twice"):
        read([(b"13900000000", b"a"), (b"13900000000", b"b")])


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, gzip"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": 'application/json; charset="gb18030"'},
        {"Content-Type": "application/json; charset="},
    ],
)
def test_a_body_comes_in_utf_8_as_it_is(world, headers):
    def send():
        return world.office.lin.http.post(
            "/v1/donations",
            json=filled(PLEDGE, world),
            headers={"Idempotency-Key": "as-it-is"} | headers,
        )

    said = refused(world, send, 422, "invalid-request")

    assert [each["field"] for each in said["errors"]] == list(headers)


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", '; charset="UTF-8"'])
def test_a_body_may_say_that_it_is_in_utf_8(charset):
    check_encoding({b"content-type": f"application/json{charset}".encode()})


@pytest.mark.parametrize(
    ("host", "name"),
    [(b"a.example:80", b"a.example"), (b"A.Example", b"a.example"), (b"[::1]:8000", b"[::1]")],
)
def test_a_host_is_known_by_its_name(host, name):
    assert host_of({b"host": host}) == name


@pytest.mark.parametrize("host", [b"", b"a b", b"[::::]", b"[1.2.3.4]", b"[::1", b"a:", b"a:x"])
def test_a_host_that_is_none_is_not_guessed_at(host):
    with pytest.raises(MessageUnreadable):
        host_of({b"host": host})


# Whose page sends this.

OURS = {b"host": b"ledger.example:8000"}


@pytest.mark.parametrize(
    "said",
    [
        {},
        {b"sec-fetch-site": b"same-origin"},
        {b"sec-fetch-site": b"none"},
        {b"origin": b"https://ledger.example:8000"},
        {b"origin": b"https://LEDGER.example:8000", b"cookie": b"s=1"},
        {b"sec-fetch-site": b"same-origin", b"cookie": b"s=1"},
    ],
)
def test_our_own_pages_and_programs_change_things(said):
    check_origin("POST", OURS | said)


@pytest.mark.parametrize(
    "said",
    [
        {b"sec-fetch-site": b"cross-site"},
        {b"sec-fetch-site": b"same-site"},
        {b"sec-fetch-site": b"SAME-ORIGIN"},
        {b"sec-fetch-site": b""},
        {b"sec-fetch-site": b"cross-site", b"origin": b"https://ledger.example:8000"},
        {b"origin": b"null"},
        {b"origin": b""},
        {b"origin": b"https://ledger.example"},
        {b"origin": b"https://evil.example"},
        {b"origin": b"https://ledger.example:8000.evil.example"},
        {b"cookie": b"s=1"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "post"])
def test_pages_of_others_change_nothing(method, said):
    with pytest.raises(CrossSite):
        check_origin(method, OURS | said)
    check_origin("GET", OURS | said)


def test_a_page_of_others_is_refused_before_anything_is_done(world):
    def send():
        return world.office.lin.http.post(
            "/v1/donations",
            json=filled(PLEDGE, world),
            headers={"Idempotency-Key": "cross", "Sec-Fetch-Site": "cross-site"},
        )

    refused(world, send, 403, "cross-site")


# How often.


def test_a_rate_is_kept_and_begins_anew_with_each_window():
    now = [1_000.0]
    rate = Rate(2, Word("requests"), clock=lambda: now[0])
    for who in ("a", "a", "b"):
        rate.count(who)

    now[0] += 20
    with pytest.raises(TooOften, match="at most 2 requests a minute") as refusal:
        rate.count("a")

    assert refusal.value.retry_after == 41
    rate.count("b")
    now[0] += WINDOW_S
    rate.count("a")


@pytest.fixture(name="strict", scope="module")
def _strict(tmp_path_factory):
    """A server that has little time for anybody."""
    data = tmp_path_factory.mktemp("strict") / "data"
    data.mkdir()
    limits = {"requests_per_token": 20, "feeds_per_token": 2, "feed_bytes": 1_000}
    said = [word for name, most in limits.items() for word in ("--limit", f"{name}={most}")]
    with serving(data, None, *[*said, "--host-name", "127.0.0.1"]) as served:
        yield Office(served)


def test_one_token_does_not_take_everybodys_turn(strict):
    often, other = (strict.server.person(name, Role.CLERK) for name in ("a", "b"))
    answers = [often.get("/v1/donations") for _ in range(21)]

    assert [each.status_code for each in answers] == [200] * 20 + [429]
    assert answers[-1].json()["type"] == "/problems/too-often"
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= WINDOW_S
    assert other.get("/v1/donations").status_code == 200


def test_feeds_have_a_rate_of_their_own(strict):
    partner = strict.server.person("feeder", Role.CLERK)
    answers = [partner.feed("/v1/donations:batch", b"").status_code for _ in range(3)]

    assert answers == [200, 200, 429]


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_feed_has_a_bounded_length(strict, in_pieces):
    clerk = strict.server.person(f"long feed {in_pieces}", Role.CLERK)
    before = strict.server.position()
    line = b" " * 100 + b"\n"

    answer = clerk.feed("/v1/donations:batch", iter([line] * 11) if in_pieces else line * 11)

    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")
    assert strict.server.position() == before


def test_a_server_answers_to_its_own_name(strict):
    answer = strict.public.http.get("/healthz", headers={"Host": "rebound.example"})

    assert (answer.status_code, answer.json()["type"]) == (421, "/problems/host-unknown")


@pytest.mark.parametrize(
    "said",
    ["nothing=1", "head_s=0", "head_s=-1", "head_s=x", "head_s", "=1", f"head_s={'9' * 4_400}"],
    ids=range(7),
)
def test_a_limit_is_a_known_name_and_a_number(said):
    with pytest.raises(LimitUnknown):
        Limits.of({}, [said])


def test_a_wrong_limit_is_said_in_one_sentence(tmp_path):
    ran = leifeng("serve", "--data", tmp_path / "none", "--limit", "nothing=1")

    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "there is no limit nothing" in ran.stderr


def test_what_is_said_goes_before_what_the_environment_says():
    around = {"LEIFENG_LIMIT_HEAD_S": "5", "LEIFENG_LIMIT_HEADERS": "50"}

    limits = Limits.of(around, ["head_s=7"])

    assert (limits.head_s, limits.headers, limits.feed_bytes) == (7, 50, Limits().feed_bytes)


# What is answered.


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/openapi.json", 200), ("/v1/nowhere", 404), ("/v1/donations", 401)],
)
def test_every_answer_tells_a_browser_to_do_nothing_with_it(world, path, status):
    answer = world.office.public.get(path)

    assert answer.status_code == status
    for name, said in SAFE:
        assert answer.headers[name.decode()] == said.decode()
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "server" not in answer.headers


def test_no_page_of_others_is_allowed_to_ask(world):
    answer = world.office.public.http.options(
        "/v1/funds",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"},
    )

    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_what_a_route_says_itself_is_left():
    mine = (b"content-security-policy", b"script-src 'nonce-x'")
    message = {"headers": [mine]}

    make_safe(message)

    assert message["headers"][0] == mine
    names = [name for name, _ in message["headers"]]
    assert sorted(names) == sorted(name for name, _ in SAFE)


def test_the_page_of_the_api_may_load_what_it_names_and_run_what_stands_in_it(world):
    page = world.office.public.get("/docs")
    policy = page.headers["content-security-policy"]

    assert policy == policy_of(page.text)
    (script,) = re.findall(r"script-src ([^;]*);", policy)
    assert script.startswith("'sha256-")
    assert "unsafe" not in script
    for origin in re.findall(r'src="(https://[^/"]+)', page.text):
        assert origin in script
