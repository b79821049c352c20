"""A client that costs little: sockets kept alive, requests spelled beforehand, nothing pipelined.

A comfortable client costs more than the server it asks, and on shared cores it would be the client
that is measured.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from selectors import EVENT_READ, DefaultSelector
from time import perf_counter
from typing import NamedTuple

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
    head = {"Host": HOST} | dict(headers or {})
    if body:
        head |= {"Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection:
    """One socket kept alive, with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.asked_at = 0.0

    def ask(self, request: bytes, *, due: float | None = None) -> None:
        """Send ``request``, which is waited for since it was ``due``, or from now on."""
        self.answer = b""
        self.asked_at = perf_counter() if due is None else due
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


def drive(
    ports: Sequence[int],
    requests: Sequence[bytes],
    *,
    connections: int,
    status: int,
    rate: float | None = None,
) -> list[float]:
    """Send all ``requests``, one at a time on each connection; return their latencies in µs.

    Args:
        ports: Of the servers; connections are spread evenly over them.
        requests: Spelled beforehand.
        connections: To all servers together.
        status: What every answer has to be.
        rate: Requests a second, whatever is answered meanwhile. Waiting for a free connection
            then counts, so a server that stands still for a moment is not asked less. Without
            it, each connection asks again as soon as it is answered.

    """
    expected = b"HTTP/1.1 %d " % status
    latencies: list[float] = []
    with _connected(ports, connections) as (selector, free):
        timetable = _timetable(requests, rate)
        upcoming = next(timetable, None)
        while upcoming is not None or len(free) < connections:
            upcoming = _send_what_is_due(upcoming, timetable, free)
            for key, _ in selector.select(_until(upcoming, free)):
                connection = key.data
                if not connection.answered():
                    continue
                latencies.append((perf_counter() - connection.asked_at) * _US)
                if not connection.answer.startswith(expected):
                    raise Unexpected(connection.answer)
                free.append(connection)
    return latencies


@contextmanager
def _connected(
    ports: Sequence[int], connections: int
) -> Iterator[tuple[DefaultSelector, list[_Connection]]]:
    with ExitStack() as stack:
        selector = stack.enter_context(DefaultSelector())
        opened = [_Connection(port) for port in islice(cycle(ports), connections)]
        for connection in opened:
            stack.callback(connection.socket.close)
            selector.register(connection.socket, EVENT_READ, connection)
        yield selector, opened


class _Upcoming(NamedTuple):
    """A request to be sent as soon as a connection is free, but not before it is due."""

    request: bytes
    due: float | None


def _timetable(requests: Sequence[bytes], rate: float | None) -> Iterator[_Upcoming]:
    begun = perf_counter()
    for number, request in enumerate(requests):
        yield _Upcoming(request, None if rate is None else begun + number / rate)


def _send_what_is_due(
    upcoming: _Upcoming | None, timetable: Iterator[_Upcoming], free: list[_Connection]
) -> _Upcoming | None:
    """Send what can be sent now; return what is to be sent next."""
    while upcoming is not None and free and not _until(upcoming, free):
        free.pop().ask(upcoming.request, due=upcoming.due)
        upcoming = next(timetable, None)
    return upcoming


def _until(upcoming: _Upcoming | None, free: list[_Connection]) -> float | None:
    """Return the seconds until the next request is due; nothing if an answer has to come first."""
    if upcoming is None or not free:
        return None
    return 0 if upcoming.due is None else max(0, upcoming.due - perf_counter())


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
