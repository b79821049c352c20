"""Pages: what they cost with years behind the ledger, and how many can look on at once."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from statistics import median
from time import perf_counter
from typing import cast

import msgspec

from api.cli.demo_data.years import CODES
from bench.books import Charity, order_lines
from bench.figures import Figure, Measured, Size, done, rates_in_turns
from bench.load import HOST, RECEIVE_BYTES, Unexpected, ask, drive, spell
from bench.servers import Served, ledger_process, leifeng, peak_memory, processor_time
from ledger.kernel.ids import new_id

HTML = {"Accept": "text/html", "Accept-Encoding": "gzip"}

PAGES = {"front": "/", "funds": "/funds", "fund": "/funds/{fund}", "sales": "/sales"}

TURN = 20
"""Pages in a turn: short ones, so that a busy moment of the machine strikes both alike."""

DEMO_EVENTS = 1_186

KB, MB, US = 1_000, 1_000_000, 1_000_000

ASKED = "what is asked for"
FIRST_PAGE_KB, SERVER_MB = 100, 400
LIVE_S = 1.0


def pages(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure pages of a ledger as short as the demo's and of a long one, and many live pages.

    The two have the same funds, so that a page of one has as many rows as of the other.
    """
    young, old = folder / "young", folder / "old"
    for data, events in ((young, DEMO_EVENTS), (old, size.many)):
        leifeng("generate", "--events", str(events), "--data", str(data))
    yield from _costs(young, old, size)
    yield from _live(folder / "live", size)


def _costs(young: Path, old: Path, size: Size) -> Iterator[Figure]:
    """Compare what a page costs the server in the two ledgers."""

    def cost(served: Served, path: str) -> float:
        request = spell("GET", path, headers=HTML)
        before = processor_time(served.pid)
        drive([served.port], [request] * TURN, connections=1, status=200)
        return (processor_time(served.pid) - before) / TURN * US

    with ledger_process(young) as at_young, ledger_process(old) as at_old:
        for served in (at_young, at_old):
            _have_signed(served.port)  # Or its first million leaves would count as pages.
        yield _first_page(at_young.port)
        for name, pattern in PAGES.items():
            path = pattern.format(fund=CODES[0])
            few, many = rates_in_turns(
                size.rounds * max(1, size.reads // TURN // 10),
                partial(cost, at_young, path),
                partial(cost, at_old, path),
            )
            yield Measured(many, few).cost(
                f"pages-{name}",
                f"processor time of page {pattern} at {size.many:,} events",
                unit="µs",
                against=f"the same at {DEMO_EVENTS:,} events, as the demo has",
                target=1 / 1.2,
            )


def _have_signed(port: int) -> None:
    """Wait until the log is level, which it is once there is a proof of the newest event."""
    position = msgspec.json.decode(ask(port, spell("GET", "/readyz"), status=200))["position"]
    ask(port, spell("GET", f"/v1/proofs/inclusion?position={position}"), status=200)


def _first_page(port: int) -> Figure:
    """Weigh the front page with all that it links to, compressed."""
    sent = ask(port, spell("GET", "/", headers=HTML), status=200)
    linked = re.findall(r'(?:href|src)="(/static/[^"]+)"', gzip.decompress(sent).decode())
    done("files linked to", expected=True, actual=len(linked) > 1)
    whole = len(sent)
    for path in linked:
        whole += len(ask(port, spell("GET", path, headers=HTML), status=200))
    return Measured(whole / KB, FIRST_PAGE_KB).cost(
        "pages-first", "first page, compressed", unit="kB", against=ASKED, target=1
    )


def _live(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure how soon many who look on have been told of an order, and what they weigh."""
    folder.mkdir()
    charity = Charity(folder)
    with ledger_process(folder) as served, ExitStack() as opened:
        crowd = _Crowd()
        opened.callback(crowd.leave)
        request = spell("GET", f"/sales/{charity.sale}/live?lang=en")
        for _ in range(size.reads // 2):
            crowd.come(served.port, request)
        crowd.hear(b"\nid: ")
        waited = []
        for _ in range(size.rounds):
            position = _order(served.port, charity)
            started = perf_counter()
            crowd.hear(f"\nid: {position}\n".encode())
            waited.append(perf_counter() - started)
        memory = peak_memory(served.pid) / MB
    work = f"{size.reads // 2} live pages on one process"
    yield Measured(median(waited), LIVE_S).cost(
        "pages-live", f"until an order is told to {work}", unit="s", against=ASKED, target=1
    )
    yield Measured(memory, SERVER_MB).cost(
        "pages-live-memory", f"memory of the server with {work}", unit="MB", against=ASKED, target=1
    )


def _order(port: int, charity: Charity) -> int:
    """Feed one order; return its position."""
    headers = {
        "Authorization": f"Bearer {charity.token}",
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": new_id().hex,
    }
    (line,) = order_lines(1)
    request = spell("POST", f"/v1/sales/{charity.sale}/orders", line, headers)
    taken = msgspec.json.decode(ask(port, request, status=200))
    done("orders accepted", expected=1, actual=taken["accepted"])
    return int(taken["position"])


class _Crowd:
    """Many who listen, each by a connection of their own."""

    def __init__(self) -> None:
        self._heard: dict[socket.socket, bytes] = {}

    def come(self, port: int, request: bytes) -> None:
        """Let one more listen."""
        listener = socket.create_connection((HOST, port))
        self._heard[listener] = b""
        listener.sendall(request)

    def leave(self) -> None:
        """Let everybody go."""
        for listener in self._heard:
            listener.close()

    def hear(self, words: bytes) -> None:
        """Wait until everybody has heard ``words``, and forget what was heard."""
        with DefaultSelector() as selector:
            for listener in self._heard:
                selector.register(listener, EVENT_READ)
            waiting = len(self._heard)
            while waiting:
                for key, _ in selector.select():
                    listener = cast("socket.socket", key.fileobj)
                    piece = listener.recv(RECEIVE_BYTES)
                    if not piece:
                        raise Unexpected(b"the server hung up")
                    self._heard[listener] += piece
                    if words in self._heard[listener]:
                        self._heard[listener] = b""
                        selector.unregister(listener)
                        waiting -= 1
