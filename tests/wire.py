"""Bytes over a real connection, for what no client would send."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple

from tests.server import ANSWER_S, Server


class Answer(NamedTuple):
    """One answer, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self) -> str:
        """Return what kind of problem it is."""
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert self.headers["content-type"] == "application/problem+json"
        return str(document["type"]).removeprefix("/problems/")


@contextmanager
def connected_to(server: Server) -> Iterator[socket.socket]:
    """Open a connection."""
    _, _, port = server.url.rpartition(":")
    with closing(socket.create_connection(("127.0.0.1", int(port)), timeout=ANSWER_S)) as caller:
        yield caller


def told(server: Server, *pieces: bytes) -> list[Answer]:
    """Send ``pieces`` and no more, and return what is answered until the server hangs up."""
    with connected_to(server) as caller:
        with suppress(ConnectionError):  # It need not hear us out.
            for piece in pieces:
                caller.sendall(piece)
        return answers(until_closed(caller))


def until_closed(caller: socket.socket) -> bytes:
    """Return what comes until the server hangs up."""
    data = b""
    with suppress(ConnectionError):
        while piece := caller.recv(65_536):
            data += piece
    return data


def answers(data: bytes) -> list[Answer]:
    """Read answers that follow each other."""
    read = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        size = int(headers["content-length"])
        read.append(Answer(int(first.split()[1]), headers, rest[:size]))
        data = rest[size:]
    return read
