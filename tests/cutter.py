"""A wire to PostgreSQL that can be cut at the very moment of a commit, before it or after it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Condition, Event, Thread

import psycopg

COMMIT = b"COMMIT"
LOCK = b"pg_advisory_xact_lock"
SOCKET = ".s.PGSQL.5432"
CHUNK = 65_536


class Cut(Enum):
    """When the wire of whoever commits next is cut."""

    BEFORE = auto()
    """The server never hears of the commit."""
    AFTER = auto()
    """The server commits, and nobody is told."""
    MEANWHILE = auto()
    """The server hears of the commit only when somebody else has asked for the lock."""


class Wire:
    """Passes on what clients and the server say to each other, until it is told to cut."""

    def __init__(self, folder: Path, server: str) -> None:
        self._server = server
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / SOCKET))
        self._listening.listen()
        self._lock = Condition()
        self._next: Cut | None = None
        self._for_good = False
        self._asked_for_lock = Event()
        self._open: list[socket.socket] = []
        self.cuts = 0
        self._accepting = Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self, when: Cut, *, for_good: bool = False) -> None:
        """Cut the wire of the next commit; if ``for_good``, let nobody in after it."""
        with self._lock:
            self._asked_for_lock.clear()
            self._next = when
            self._for_good = for_good

    def wait_for(self, cuts: int, seconds: float) -> None:
        """Wait until so many were cut."""
        with self._lock:
            assert self._lock.wait_for(lambda: self.cuts >= cuts, seconds), "nobody commits"

    def close(self) -> None:
        """Cut every wire, and let nobody in any more."""
        self._refuse_all_but(None)

    def _refuse_all_but(self, kept: socket.socket | None) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._accepting.join()
        with self._lock:
            for each in self._open:
                if each is not kept:
                    _end(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            with self._lock:
                self._open += [client, server]
            answered = Event()
            _in_background(self._to_server, client, server, answered)
            _in_background(_to_client, server, client, answered)

    def _to_server(self, client: socket.socket, server: socket.socket, answered: Event) -> None:
        while data := _heard(client):
            cut = self._taken() if COMMIT in data else None
            if cut is None:
                _say(server, data)
                if LOCK in data:
                    self._asked_for_lock.set()
                continue
            if self._for_good:
                self._refuse_all_but(server)
            _end(client)
            if cut is Cut.MEANWHILE:
                self._asked_for_lock.wait()
            if cut is not Cut.BEFORE:
                answered.clear()
                _say(server, data)
                answered.wait()
            break
        _end(server)

    def _taken(self) -> Cut | None:
        with self._lock:
            cut, self._next = self._next, None
            self.cuts += cut is not None
            self._lock.notify_all()
            return cut


def _in_background(what: Callable[..., None], *arguments: object) -> None:
    Thread(target=what, args=arguments, daemon=True).start()


def _to_client(server: socket.socket, client: socket.socket, answered: Event) -> None:
    while data := _heard(server):
        answered.set()
        _say(client, data)
    answered.set()
    _end(client)


def _say(wire: socket.socket, data: bytes) -> None:
    with suppress(OSError):
        wire.sendall(data)


def _heard(source: socket.socket) -> bytes:
    try:
        return source.recv(CHUNK)
    except OSError:
        return b""


def _end(wire: socket.socket) -> None:
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()


@contextmanager
def wire_to(url: str) -> Iterator[tuple[Wire, str]]:
    """Lay a wire to the database at ``url``; return it and the URL to reach the database by."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    with TemporaryDirectory(prefix="wire-") as folder:
        wire = Wire(Path(folder), f"{parts['host']}/{SOCKET}")
        try:
            yield wire, f"postgresql://{parts['user']}:@/{parts['dbname']}?host={folder}"
        finally:
            wire.close()
