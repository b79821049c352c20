"""Two hundred connections that send what is right, repeated, wrong and forbidden, all at once.

``python -m tests.load --seconds 180 [--connections 200] [--store postgres]`` takes that long. Then
everything is held to the oracle, no answer was a breakdown, and memory did not grow with the load.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tests.faults import PLEDGED, Command, Crew, crew_of, retry
from tests.office import DAY
from tests.oracle import check
from tests.server import Server, serving
from tests.stores import STORES, postgres_server

SEED = 0
"""Of all that is drawn by chance; what meets what in the server is chance as well."""

GROWTH_MAX_KIB = 64 * 1024
"""Memory that a server may hold more of in the end than when it was warm: caches fill, and
the allocator keeps what one burst took. What grows with each request is far beyond it."""

BROKEN_BODIES = (
    b"",
    b"{",
    b"[" * 2_000,
    b'{"amount":1,"amount":2}',
    b"\xff\xfe{",
    b'{"amount":NaN}',
)
NO_HTTP = (
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
)
PATHS = ("/v1/%2e%2e/x", "//v1/funds", "/v1/funds?limit=1&limit=2", "/v1/funds/F%00")


class Answer(NamedTuple):
    """What came back."""

    status: int
    replayed: bool
    body: Any


class Line:
    """A connection that is kept, and opened again when the server closed it."""

    def __init__(self, server: Server) -> None:
        self._port = int(server.url.rpartition(":")[2])
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, message: bytes) -> Answer:
        """Send ``message`` and return its answer."""
        if self._writer is None or self._reader is None or self._reader.at_eof():
            await self.hang_up()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(message)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        body = await self._reader.readexactly(size)
        if "connection: close" in head:
            await self.hang_up()
        return Answer(int(head.split()[1]), "idempotency-replayed" in head, json.loads(body))

    async def begin(self, message: bytes) -> None:
        """Send ``message`` and go, without waiting for an answer."""
        await self.hang_up()
        _, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(message)
        writer.close()

    async def hang_up(self) -> None:
        """Close the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
            with suppress(ConnectionError):
                await self._writer.wait_closed()
        self._reader = self._writer = None


@dataclass
class Load:
    """Who sends, and what was answered to what."""

    server: Server
    crew: Crew
    chance: Random
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    _numbers: Any = field(default_factory=count)

    async def run(self, connections: int, goes_on: Callable[[int], bool]) -> None:
        """Send from so many connections for as long as it ``goes_on``."""
        numbers = count()
        await asyncio.gather(
            *(self._send_on(Line(self.server), numbers, goes_on) for _ in range(connections))
        )

    async def _send_on(self, line: Line, numbers: Any, goes_on: Callable[[int], bool]) -> None:
        kinds = (
            (self.right, 8),
            (self.repeated, 4),
            (self.reused, 2),
            (self.unreadable, 2),
            (self.no_http, 1),
            (self.ambiguous, 1),
            (self.forbidden, 2),
            (self.gone, 1),
            (self.reading, 2),
        )
        steps, weights = zip(*kinds, strict=True)
        while goes_on(next(numbers)):
            step: Callable[[Line], Awaitable[None]] = self.chance.choices(steps, weights)[0]
            await step(line)
        await line.hang_up()

    # What each of them sends.

    def _pledge(self) -> Command:
        body = {"donor": self.crew.donor, "fund": self.crew.fund, "currency": "CNY"}
        body |= {"amount": 1 + next(self._numbers) % 1_000, "pledged_on": DAY}
        return self.crew.command("lin", "donations", body, PLEDGED)

    async def right(self, line: Line) -> None:
        await self._send(line, "right", self._pledge())

    async def repeated(self, line: Line) -> None:
        """Send again what was answered, and what is being answered just now."""
        if self.crew.commands:
            await self._send(line, "repeated", self.chance.choice(self.crew.commands))

    async def _send(self, line: Line, kind: str, command: Command) -> None:
        before = command.receipt
        answer = await line.ask(self._written(command.key, command.body))
        self._note(kind, answer, {201, 409, 503})
        if answer.status == 201:
            assert before is None or answer.body == before
            command.receipt = answer.body

    async def reused(self, line: Line) -> None:
        """Send something else under a key that is taken."""
        known = [each for each in self.crew.commands[-50:] if each.receipt is not None]
        if known:
            taken = self.chance.choice(known)
            other = json.loads(taken.body) | {"note": "another"}
            message = self._written(taken.key, json.dumps(other).encode())
            self._note("reused", await line.ask(message), {422})

    async def unreadable(self, line: Line) -> None:
        message = self._written("unreadable", self.chance.choice(BROKEN_BODIES))
        self._note("unreadable", await line.ask(message), {422})

    async def no_http(self, line: Line) -> None:
        await line.hang_up()
        self._note("no HTTP", await line.ask(self.chance.choice(NO_HTTP)), {400, 431})

    async def ambiguous(self, line: Line) -> None:
        message = f"GET {self.chance.choice(PATHS)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        self._note("ambiguous", await line.ask(message), {422})

    async def forbidden(self, line: Line) -> None:
        token = self.chance.choice([None, "lf_unknown", self.crew.tokens["wang"]])
        message = self._written("forbidden", b"{}", token=token)
        self._note("forbidden", await line.ask(message), {401, 403})

    async def gone(self, line: Line) -> None:
        """Begin a request, and hang up before the answer or amid the body."""
        command = self._pledge()
        message = self._written(command.key, command.body)
        await line.begin(message[: self.chance.randint(1, len(message))])

    async def reading(self, line: Line) -> None:
        path = f"/v1/funds/{self.crew.fund}/balance"
        answer = await line.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self._note("reading", answer, {200, 503})

    def _written(self, key: str, body: bytes, token: str | None = "") -> bytes:
        token = self.crew.tokens["lin"] if token == "" else token
        bearer = "" if token is None else f"Authorization: Bearer {token}\r\n"
        head = f"POST /v1/donations HTTP/1.1\r\nHost: x\r\n{bearer}Idempotency-Key: {key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def _note(self, kind: str, answer: Answer, expected: set[int]) -> None:
        assert answer.status in expected, f"{kind}: {answer}"
        if answer.status == 503:
            assert answer.body["type"] == "/problems/overloaded", answer
        self.answered[kind, answer.status] += 1


def load(
    data: Path,
    database: str | None = None,
    *,
    connections: int,
    goes_on: Callable[[float, int], bool],
    report: Callable[[str], object] = lambda _: None,
) -> Load:
    """Put a server under load until it no longer ``goes_on``, and hold it to everything.

    Args:
        data: The folder of a new ledger.
        database: The URL of a PostgreSQL database to keep it in, and not in files.
        connections: Open at once.
        goes_on: Says of the seconds since it began, and of the requests so far, if there is more.
        report: Is told how it goes.

    """
    with serving(data, database) as server:
        crew = crew_of(server)
        work = Load(server, crew, Random(SEED))
        warm = connections * 10
        asyncio.run(work.run(connections, lambda number: number < warm))
        before = server.memory_kib("VmRSS")
        asyncio.run(_timed(work, connections, goes_on))
        after = server.memory_kib("VmRSS")
        report(f"memory: {before:,} KiB when warm, {after:,} KiB in the end")
        report(f"sent again: {retry(crew, server)}")
        assert server.public.get("/healthz").status_code == 200
    report(
        ", ".join(f"{kind} {status}: {n:,}" for (kind, status), n in sorted(work.answered.items()))
    )
    assert crew.unanswered() == []
    assert after - before < GROWTH_MAX_KIB, f"{before} KiB grew to {after} KiB"
    last = check(database or data / "ledger.db", database or data / "views.db", crew.sent())
    report(f"{last:,} events: whatever was acknowledged is there, once")
    return work


async def _timed(work: Load, connections: int, goes_on: Callable[[float, int], bool]) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    await work.run(connections, lambda number: goes_on(clock() - began, number))


def main() -> None:
    """Do it at length, and say how it goes."""
    parser = ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--store", choices=STORES, default=STORES[0])
    options = parser.parse_args()
    with ExitStack() as stack:
        data = Path(stack.enter_context(TemporaryDirectory(prefix="leifeng-load-"))) / "data"
        data.mkdir()
        url = None
        if options.store == "postgres":
            url = stack.enter_context(stack.enter_context(postgres_server()).database())
        load(
            data,
            url,
            connections=options.connections,
            goes_on=lambda seconds, _: seconds < options.seconds,
            report=lambda line: sys.stdout.write(f"{line}\n"),
        )


if __name__ == "__main__":
    main()
