"""A connection that is spoken to, without a network, so that ten thousand fit into a second."""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractEventLoop, Transport
from collections.abc import Iterator
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from api.gate.connection import limited
from api.gate.gate import Gate
from api.gate.limits import Limits

TURNS = 40
"""Turns of the event loop in which everything that can happen has happened."""


class Heard(Transport):
    """Keeps what is said to it."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""
        self.closing = False

    def write(self, data: Any) -> None:
        if not self.closing:
            self.said += bytes(data)

    def close(self) -> None:
        self.closing = True

    abort = close

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Need not be told: nothing more is said than there is."""

    resume_reading = pause_reading


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with how long the body was, as an application that reads all of it."""
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # As the server is run.
LOOP: AbstractEventLoop = asyncio.new_event_loop()
CONFIG = Config(
    Gate(echo, Limits(requests_per_address=2**40)), proxy_headers=False, log_config=None
)
CONNECTION: Any = limited(Limits())


def speak(data: bytes) -> None:
    """Say anything in pieces; what comes back is whole answers, and no more than were asked for."""
    LOOP.run_until_complete(_speak(data))


async def _speak(data: bytes) -> None:
    step, said = (data[0] + 1, data[1:]) if data else (1, b"")
    state, heard = ServerState(), Heard()
    connection = CONNECTION(config=CONFIG, server_state=state, app_state={}, _loop=LOOP)
    connection.connection_made(heard)
    for at in range(0, len(said), step):
        if heard.closing:
            break
        connection.data_received(said[at : at + step])
        await asyncio.sleep(0)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    assert not state.tasks, "somebody still works for a connection that is gone"
    statuses = list(_statuses(heard.said))
    assert len(statuses) <= said.count(b" HTTP/1.") + said.count(b"\n") + 1
    assert all(400 <= each < 500 for each in statuses if each != 200), statuses


def _statuses(said: bytes) -> Iterator[int]:
    while said:
        head, end, rest = said.partition(b"\r\n\r\n")
        assert end, f"half an answer: {said!r}"
        first, *headers = head.split(b"\r\n")
        version, status, _ = first.split(b" ", 2)
        assert version == b"HTTP/1.1"
        if status == b"100":
            said = rest
            continue
        yield int(status)
        sizes = [each for each in headers if each.lower().startswith(b"content-length:")]
        assert len(sizes) == 1, head
        size = int(sizes[0].partition(b":")[2])
        if not rest or rest.startswith(b"HTTP/1.1 "):  # An answer to HEAD.
            size = 0
        assert len(rest) >= size, "half a body"
        said = rest[size:]
