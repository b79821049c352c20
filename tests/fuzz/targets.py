"""What is fuzzed: each target reads any bytes, and breaks only if a rule of ours is broken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from api.gate.duplicate_headers import MAY_REPEAT, check_encoding, host_of, read
from api.gate.origin import check_origin
from api.gate.target import check_path, check_query
from api.kernel.desk import fingerprint
from api.kernel.doors import Door
from api.kernel.feeds import CHUNK_LINES, LINE_BYTES_MAX, Lines
from api.kernel.intake import Intake
from api.kernel.paging import ListQuery, list_query
from api.routes.every import routes
from ledger.feeds.orders import read_order, read_return
from ledger.feeds.pledges import read_pledge
from ledger.kernel.errors import Invalid, LedgerError
from ledger.kernel.lines import LineRefused
from ledger.kernel.strict_json import fault_of
from ledger.kernel.wording import TEXT_MAX, code, plain, printable
from tests.fuzz.coming_in import shown
from tests.fuzz.evidence import evidence
from tests.fuzz.files import file
from tests.fuzz.forms import form
from tests.fuzz.speaking import speak

AN_ID = "01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"
OTHER_PLACES = {"code": "F-HEAR", "token_id": "0" * 16}


def _commands() -> Iterator[tuple[str, Intake, dict[str, str]]]:
    for router in routes():
        for route in router.routes:
            if isinstance(route, Door) and route.records and not route.in_lines:
                said = {each: OTHER_PLACES.get(each, AN_ID) for each in route.param_convertors}
                yield route.path, Intake(route.endpoint), said


COMMANDS = sorted(_commands(), key=lambda each: each[0])


def command(data: bytes) -> None:
    """Read a body as what its first byte says, as a route does; then take its fingerprint."""
    _, intake, path = COMMANDS[data[0] % len(COMMANDS)] if data else COMMANDS[0]
    body = data[1:]
    with suppress(RequestValidationError, Invalid):
        said = intake.read(path, body)["body"]
        assert said.model_dump() is not None
        fingerprint("a-key", "/v1/x", body)
        twice: list[str] = []
        json.loads(body, object_pairs_hook=lambda pairs: _note_twice(pairs, twice))
        assert not twice, f"{twice} was said twice and taken"


def _note_twice(pairs: list[tuple[str, Any]], twice: list[str]) -> dict[str, Any]:
    said = dict(pairs)
    twice += [name for name, _ in pairs] if len(said) != len(pairs) else []
    return said


def line(data: bytes) -> None:
    """Read a line of each kind of feed."""
    for reader in (read_order, read_return, read_pledge):
        with suppress(LineRefused):
            said: Any = reader(data)
            assert fault_of(data) is None
            code(getattr(said, "order_no", None) or said.ref, "order_no")


def lines(data: bytes) -> None:
    """Cut a feed into lines however it comes, and lose none."""
    step = data[0] + 1 if data else 1
    feed, cut = data[1:], Lines()
    chunks = [chunk for at in range(0, len(feed), step) for chunk in cut.more(feed[at : at + step])]
    chunks += cut.end()
    whole = feed.split(b"\n")
    if not whole[-1]:
        whole.pop()
    if all(len(each) <= LINE_BYTES_MAX for each in whole):
        assert [each for chunk in chunks for each in chunk] == whole
    assert all(len(chunk) <= CHUNK_LINES for chunk in chunks)


def text(data: bytes) -> None:
    """Hold JSON that passes to what a reader of another make says of it."""
    fault = fault_of(data)
    try:
        twice: list[str] = []
        json.loads(data.decode(), object_pairs_hook=lambda pairs: _note_twice(pairs, twice))
    except (ValueError, RecursionError):
        return
    assert fault is not None or not twice


def cursor(data: bytes) -> None:
    """Read a cursor; one that passes is written again as one that says the same."""
    said = data.decode("latin-1")
    with suppress(Invalid):
        page = list_query("events", said, 100, type=None, stream=None)
        assert isinstance(page, ListQuery)
        assert list_query("events", page.cursor(), 100, type=None, stream=None) == page
        page.day("type")


def target(data: bytes) -> None:
    """Read a path and a query; what passes has one meaning."""
    path, _, query = data.partition(b"?")
    with suppress(Invalid):
        check_path(path)
        parts = unquote_to_bytes(path).decode().split("/")
        assert not {".", ".."} & set(parts)
        assert path.count(b"/") == len(parts) - 1
        assert "" not in parts[1:-1]
        assert "\0" not in "".join(parts)
    with suppress(Invalid):
        check_query(query)
        assert b"\0" not in unquote_to_bytes(query)


def headers(data: bytes) -> None:
    """Read the headers of a request; what passes says once what counts."""
    said = [(n.strip().lower(), v) for n, _, v in (x.partition(b":") for x in data.split(b"\n"))]
    with suppress(LedgerError):
        once = read(said)
        names = [name for name, _ in said if name not in MAY_REPEAT]
        assert len(names) == len(set(names))
        host_of(once)
        scope = {"type": "http", "scheme": "http", "path": "/", "query_string": b""}
        assert Request(scope | {"headers": list(once.items())}).url.path == "/"
        check_encoding(once)
        check_origin("POST", once)
        assert once.get(b"sec-fetch-site", b"none") in {b"none", b"same-origin"}


def words(data: bytes) -> None:
    """Read a text of each kind."""
    said = data.decode(errors="surrogateescape")
    for kind in (printable, plain, code):
        with suppress(Invalid):
            kept = kind(said, "note")
            assert kept == said
            assert len(kept) <= TEXT_MAX
            assert kept.encode()


TARGETS: dict[str, Callable[[bytes], object]] = {
    each.__name__: each
    for each in (
        *(command, line, lines, text, cursor, target, headers, words, speak),
        *(form, shown, evidence, file),
    )
}
