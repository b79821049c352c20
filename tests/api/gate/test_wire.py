"""What comes over the wire and is no request, two requests in one, too large, or too slow."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from api.gate.limits import Limits
from api.gate.safe_answers import SAFE
from tests.office import Office
from tests.server import serving
from tests.wire import answers, connected_to, told

PATIENCE_S = 1
CONNECTIONS = 40
LIMITS = {
    "head_s": PATIENCE_S,
    "bytes_per_s": 4096,
    "connections_per_address": CONNECTIONS,
    "head_bytes": 16_384,
    "idle_s": 3,
}


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory):
    """A server without patience."""
    data = tmp_path_factory.mktemp("served") / "data"
    data.mkdir()
    said = [word for name, most in LIMITS.items() for word in ("--limit", f"{name}={most}")]
    with serving(data, None, *said) as served:
        yield served
    *_, last = data.with_suffix(".log").read_text(encoding="utf-8").splitlines()
    assert last.startswith("serving "), "a log of floods"


@pytest.fixture(name="sun", scope="module")
def _sun(server):
    return Office(server).sun


def get(path=b"/healthz", version=b"1.1", host=b"Host: x\r\n", rest=b""):
    """Return a request whose answer is the last."""
    return b"GET %s HTTP/%s\r\n%sConnection: close\r\n%s\r\n" % (path, version, host, rest)


def post(headers, body=b""):
    """Return a request that says of its body what ``headers`` say."""
    return b"POST /v1/funds HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /v1/funds HTTP/1.1\r\nHost: x\r\n\r\n"
"""What would be answered as well if its sender could make us read it as a request."""

NO_HTTP = {
    "length and chunks": post(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n" + HIDDEN),
    "chunks and length": post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n" + HIDDEN),
    "two lengths": post(b"Content-Length: 4\r\nContent-Length: 0\r\n", HIDDEN),
    "two lengths alike": post(b"Content-Length: 4\r\nContent-Length: 4\r\n", b"abcd"),
    "a list of lengths": post(b"Content-Length: 4, 4\r\n", b"abcd"),
    "a signed length": post(b"Content-Length: +4\r\n", b"abcd"),
    "a negative length": post(b"Content-Length: -4\r\n", b"abcd"),
    "a length in hexadecimal": post(b"Content-Length: 0x4\r\n", b"abcd"),
    "another coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + HIDDEN),
    "chunks not last": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "chunks twice": post(CHUNKED + CHUNKED, b"0\r\n\r\n"),
    "a space before the colon": post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"),
    "a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "a folded line": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n"),
    "lines without returns": get().replace(b"\r\n", b"\n"),
    "a lone return": get(rest=b"X: a\rTransfer-Encoding: chunked\r\n"),
    "NUL in a header": get(rest=b"X: a\x00b\r\n"),
    "a size in hexadecimal": post(CHUNKED, b"0x5\r\nabcde\r\n0\r\n\r\n"),
    "a size without a return": post(CHUNKED, b"5\nabcde\n0\n\n"),
    "a size that overflows": post(CHUNKED, b"fffffffffffffffff\r\nabcde\r\n0\r\n\r\n"),
    "trailers": post(CHUNKED, b"0\r\nAuthorization: Bearer x\r\n\r\n"),
    "a target with a host": get(b"http://evil.example/healthz"),
    "a target for a proxy": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in a path": get(b"/healthz\x00"),
    "a space in a path": get(b"/heal thz"),
    "letters beyond ASCII in a path": get("/é".encode()),
    "a fragment": get(b"/healthz#here"),
    "another protocol": get(rest=b"Upgrade: websocket\r\n").replace(b"close", b"Upgrade"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.0": get(version=b"3.0"),
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "a small method": get().replace(b"GET", b"get"),
    "no method": b" / HTTP/1.1\r\n\r\n",
    "no host": get(host=b""),
    "two hosts": get(host=b"Host: x\r\nHost: y\r\n"),
    "a host with a name before it": get(host=b"Host: x@evil.example\r\n"),
    "a host with a path": get(host=b"Host: x/y\r\n"),
}


@pytest.mark.parametrize("request_", NO_HTTP.values(), ids=NO_HTTP)
def test_what_could_be_read_in_two_ways_is_not_read_at_all(server, request_):
    (only,) = told(server, request_)

    assert (only.status, only.problem()) == (400, "message-unreadable")
    assert {name.decode() for name, _ in SAFE} <= only.headers.keys()


@pytest.mark.parametrize("request_", NO_HTTP.values(), ids=NO_HTTP)
def test_it_is_not_read_either_if_it_comes_in_pieces(server, request_):
    (only,) = told(server, *(request_[at : at + 40] for at in range(0, len(request_), 40)))

    assert only.status in {400, 401}, "a stranger may be turned away before the body"


def test_a_body_whose_coding_we_do_not_read_is_refused(server):
    (only,) = told(
        server,
        post(b"Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n", b"0\r\n\r\n"),
    )

    assert (only.status, only.problem()) == (422, "invalid-request")


def test_what_follows_a_body_is_a_request_of_its_own_and_no_part_of_it(server):
    first, second = told(
        server, b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nGET" + get()
    )

    assert (first.status, second.status) == (200, 200)


def test_an_earlier_request_is_answered_before_what_follows_is_refused(server):
    (only,) = told(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\x00\x00\x00")

    assert only.status == 200


def test_a_head_has_a_bounded_size_however_it_comes(server):
    long = b"X: " + b"a" * LIMITS["head_bytes"] + b"\r\n"
    for pieces in (
        [get(rest=long)],
        [get(rest=long)[at : at + 5_000] for at in range(0, len(long), 5_000)],
        [b"GET /" + b"a" * 2 * LIMITS["head_bytes"], b"a" * 2 * LIMITS["head_bytes"]],
    ):
        (only,) = told(server, *pieces)

        assert (only.status, only.problem()) == (431, "head-too-large")


def test_there_is_a_bounded_number_of_headers(server):
    many = b"".join(b"X-%d: a\r\n" % n for n in range(Limits().headers))

    (only,) = told(server, get(rest=many))

    assert (only.status, only.problem()) == (431, "head-too-large")


def test_a_target_has_a_bounded_length(server):
    (only,) = told(server, get(b"/healthz?x=" + b"a" * Limits().target_bytes))

    assert (only.status, only.problem()) == (414, "target-too-long")


def test_a_body_longer_than_any_feed_is_refused_before_it_comes(server, sun):
    said = f"Authorization: Bearer {sun.token}\r\nIdempotency-Key: long\r\nConnection: close\r\n"
    said += f"Content-Type: application/x-ndjson\r\nContent-Length: {2**40}\r\n"

    head = (
        b"POST /v1/sales/00000000-0000-0000-0000-000000000000/orders HTTP/1.1\r\nHost: x\r\n"
        + said.encode()
        + b"\r\n"
    )
    (only,) = told(server, head)

    assert (only.status, only.problem()) == (413, "too-large")


# Too slow.


def test_who_does_not_finish_a_head_is_cut_off(server):
    (only,) = told(server, get()[:30])

    assert (only.status, only.problem()) == (408, "too-slow")


def test_who_says_nothing_is_cut_off_without_a_word(server):
    assert told(server) == []


def test_who_asks_for_nothing_more_is_let_go(server):
    (only,) = told(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")

    assert only.status == 200


def test_who_begins_a_second_head_and_does_not_finish_it_is_cut_off(server):
    first, second = told(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")

    assert (first.status, second.status) == (200, 408)


def test_who_drips_a_head_is_cut_off_all_the_same(server):
    with connected_to(server) as caller:
        caller.settimeout(PATIENCE_S / 5)
        said, dripped = b"", iter(get(rest=b"X: " + b"a" * 1_000))
        while not said:  # A byte each time that no answer came for a while.
            caller.sendall(bytes([next(dripped)]))
            try:
                said = caller.recv(65_536)
            except TimeoutError:
                continue

    assert answers(said)[0].status == 408


@pytest.mark.parametrize("how", [b"Content-Length: 50000\r\n", CHUNKED], ids=["whole", "chunks"])
def test_who_does_not_go_on_with_a_body_is_cut_off_and_nothing_is_done(server, sun, how):
    before = server.position()
    said = f"Authorization: Bearer {sun.token}\r\nIdempotency-Key: slow\r\n".encode()
    said += b"Content-Type: application/json\r\n" + how

    (only,) = told(server, post(said, b'8\r\n{"code":'))

    assert (only.status, only.problem()) == (408, "too-slow")
    assert server.position() == before


def test_who_is_answered_before_the_body_has_come_is_not_waited_for(server):
    (only,) = told(server, post(b"Content-Length: 50000\r\n", b"{"))

    assert (only.status, only.problem()) == (401, "unauthenticated")


def test_who_reads_nothing_of_what_they_ask_for_is_cut_off(server):
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000
    with connected_to(server) as caller, pytest.raises(ConnectionError):
        _say_for_ever(caller, asked)

    assert server.public.get("/healthz").status_code == 200


def _say_for_ever(caller, asked):
    while True:  # Until there is no room for more, and then until it is cut off.
        caller.sendall(asked)


def test_one_address_has_a_bounded_number_of_connections(server):
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):  # The server looks at each before it takes the next.
            stack.enter_context(connected_to(server))
        (refused,) = told(server)

        assert (refused.status, refused.problem()) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"

    assert server.public.get("/healthz").status_code == 200


def test_a_server_may_open_as_many_files_as_it_takes_connections(server):
    lines = Path(f"/proc/{server.process.pid}/limits").read_text(encoding="ascii").splitlines()
    soft, hard = next(each for each in lines if each.startswith("Max open files")).split()[3:5]

    assert int(soft) >= min(Limits().connections, int(hard))
