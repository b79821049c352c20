"""A client that costs little: sockets kept alive, requests spelled beforehand, nothing pipelined.

A comfortable client costs more than the server it asks, and on shared cores it would be the client
that is measured.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from selectors import EVENT_READ, DefaultSelector
from time import perf_counter

HOST = "127.0.0.1"
RECEIVE_BYTES = 64 * 1024
_US = 1_000_000


class Unexpected(RuntimeError):
    """The server answered something else than the measurement is of."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer.decode(errors="replace"))


def spell(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> bytes:
    """Return a request as it goes over the wire."""
    said = {"Host": HOST} | dict(headers or {})
    if body:
        said |= {"Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    """One socket kept alive, with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        self.answer = b""
        self.asked_at = perf_counter()
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Take in what has arrived; say whether the answer is whole."""
        piece = self.socket.recv(RECEIVE_BYTES)
        if not piece:
            raise Unexpected(b"the server hung up")
        self.answer += piece
        head = self.answer.find(b"\r\n\r\n")
        if head < 0:
            return False
        at = self.answer.find(b"content-length: ", 0, head)
        length = int(self.answer[at + 16 : self.answer.find(b"\r\n", at)])
        return len(self.answer) >= head + 4 + length


def drive(port: int, requests: Iterable[bytes], *, connections: int, status: int) -> list[float]:
    """Send all ``requests``, one at a time on each connection; return their latencies in µs."""
    waiting = iter(requests)
    expected = b"HTTP/1.1 %d " % status
    latencies: list[float] = []
    with DefaultSelector() as selector:
        busy = 0
        opened = [_Connection(port) for _ in range(connections)]
        try:
            for connection in opened:
                selector.register(connection.socket, EVENT_READ, connection)
                busy += _next(connection, waiting)
            while busy:
                for key, _ in selector.select():
                    connection = key.data
                    if not connection.answered():
                        continue
                    latencies.append((perf_counter() - connection.asked_at) * _US)
                    if not connection.answer.startswith(expected):
                        raise Unexpected(connection.answer)
                    busy -= not _next(connection, waiting)
        finally:
            for connection in opened:
                connection.socket.close()
    return latencies


def _next(connection: _Connection, waiting: Iterator[bytes]) -> bool:
    """Send the next request, if there is one."""
    request = next(waiting, None)
    if request is None:
        return False
    connection.ask(request)
    return True


def ask(port: int, request: bytes, *, status: int) -> bytes:
    """Send one request; return the body of its answer."""
    connection = _Connection(port)
    try:
        connection.ask(request)
        while not connection.answered():
            pass
    finally:
        connection.socket.close()
    if not connection.answer.startswith(b"HTTP/1.1 %d " % status):
        raise Unexpected(connection.answer)
    return connection.answer.partition(b"\r\n\r\n")[2]
