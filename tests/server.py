"""The real server in a process of its own over a real folder, and people who speak with it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from api.places import VAULT_KEY
from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from ledger.people.identity import Identity, key_beside
from tests.processes import Forked, environment, started
from tests.stores import connected

START_S = 120.0
"""Seconds in which a server comes up even on a busy machine."""

STOP_S = 60.0
"""Seconds in which it finishes what it was asked, and goes."""

ANSWER_S = 60.0
"""Seconds in which any request is answered."""

IDLE = httpx2.Limits(keepalive_expiry=2.0)
"""A connection is used again sooner than the server closes it, which it does after five seconds."""

TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The certificates that clients trust: none, since they speak plain HTTP to the servers here.

A client that is given none of its own reads all of the machine's, which takes it 25 ms.
"""

_numbers = count(1)

Running = Forked | subprocess.Popen[bytes]


class Person:
    """Somebody who speaks with the server, with a token or without.

    A request that moves something names itself by a fresh key unless the test says by which.
    """

    def __init__(self, server: Server, token: str | None) -> None:
        self.token = token
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self.http = httpx2.Client(
            base_url=server.url, headers=headers, timeout=ANSWER_S, limits=IDLE, verify=TLS
        )

    def get(self, path: str, **query: Any) -> httpx2.Response:
        """Ask; a trailing underscore spares ``from_`` from being a keyword."""
        return self.http.get(
            path, params={name.rstrip("_"): value for name, value in query.items()}
        )

    def read(self, path: str, **query: Any) -> Any:
        """Ask, and return what was shown."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx2.Response:
        """Ask for something to be done."""
        name = f"key-{next(_numbers)}" if key is None else key
        return self.http.post(path, json=body, headers={"Idempotency-Key": name})

    def did(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Have something done, and return the receipt."""
        answer = self.post(path, body, key=key)
        assert answer.is_success, answer.text
        return answer.json()

    def feed(self, path: str, body: Any, *, key: str | None = None) -> httpx2.Response:
        """Send lines of a feed."""
        name = f"key-{next(_numbers)}" if key is None else key
        headers = {"Idempotency-Key": name, "Content-Type": "application/x-ndjson"}
        return self.http.post(path, content=body, headers=headers)

    def pages(self, path: str, **query: Any) -> Iterator[list[Any]]:
        """Read a list to its end, a page at a time, saying nothing but the cursor."""
        page = self.read(path, **query)
        yield page["items"]
        while page["next"] is not None:
            page = self.read(path, cursor=page["next"])
            yield page["items"]

    def all(self, path: str, **query: Any) -> list[Any]:
        """Read a list to its end."""
        return [item for page in self.pages(path, **query) for item in page]


class Server:
    """A server that runs."""

    def __init__(  # noqa: PLR0913, PLR0917  # A server has this many parts.
        self,
        data: Path,
        port: int,
        process: Running,
        log: Path,
        database: str | None = None,
        key: Path | None = None,
    ) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{port}"
        self.process = process
        self.log = log
        self.people = database or data / "people.db"
        self.identity = Identity(self.people, key or key_beside(data))
        self.in_common = False
        self._people: list[Person] = []
        self.public = self._somebody(None)

    def close(self) -> None:
        """Let go of everything that was opened to speak with it."""
        for person in self._people:
            person.http.close()
        self.identity.close()

    def person(
        self, name: str, *roles: Role, donor: UUID | str | None = None, sale: str | None = None
    ) -> Person:
        """Return somebody of this name with a new token, of whom the history knows."""
        somebody = self.newcomer(name, *roles, donor=donor, sale=sale)
        self.wait_until_told()
        return somebody

    def newcomer(
        self, name: str, *roles: Role, donor: UUID | str | None = None, sale: str | None = None
    ) -> Person:
        """Return somebody of this name with a new token, of whom the history is still to hear."""
        token = self.identity.create_token(
            name,
            roles,
            at=datetime.now(UTC),
            donor=None if donor is None else UUID(str(donor)),  # type: ignore[arg-type]  # A name.
            sale=None if sale is None else UUID(sale),  # type: ignore[arg-type]  # Same.
        )
        return self._somebody(token)

    def wait_until_told(self) -> None:
        """Wait until the history knows what was changed, so that it stands still."""
        deadline = time.monotonic() + START_S
        while self.identity.users.pending():
            assert time.monotonic() < deadline, "nobody tells the history"
            time.sleep(0.01)

    def bearer(self, token: str) -> Person:
        """Return whoever holds ``token``."""
        return self._somebody(token)

    def _somebody(self, token: str | None) -> Person:
        person = Person(self, token)
        self._people.append(person)
        return person

    def people_kept(self, name: str) -> int:
        """Return how often somebody of this name is kept in the register."""
        with connected(self.people) as register:
            parties = register.execute("SELECT party FROM sealed WHERE field = 'name'").fetchall()
        kept = (self.identity.vault.details(PartyId(party)) for (party,) in parties)
        return sum(each is not None and each["name"] == name for each in kept)

    def position(self) -> int:
        """Return how many events are stored."""
        position: int = self.public.get("/readyz").json()["position"]
        return position

    def have_signed(self) -> None:
        """Have all that is stored be signed at once: who asks for a proof does not wait for it."""
        self.public.read("/v1/proofs/inclusion", position=self.position())

    def memory_kib(self, what: str) -> int:
        """Return what the system says of the server's memory, such as its ``VmHWM``."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = (each for each in status.splitlines() if each.startswith(f"{what}:"))
        return int(line.split()[1])


@contextmanager
def serving(
    data: Path,
    database: str | None = None,
    *options: str,
    undisturbed: bool = True,
    ready: int = 200,
    around: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Serve the folder ``data``, and see in the end that nothing broke inside.

    Args:
        data: Where the ledger is kept, and its log beside it.
        database: The URL of a PostgreSQL database to keep it in, and not in files.
        options: Of the command.
        undisturbed: The test does nothing from which the server has to recover.
        ready: What it will say of its readiness, and is waited for.
        around: What else it finds around it.

    """
    log = data.parent / f"{data.name}.log"
    variables = environment(database) | dict(around or {})
    process, port = _started(data, log, variables, options, ready)
    key = (around or {}).get(VAULT_KEY)
    server = Server(data, port, process, log, database, Path(key) if key else None)
    try:
        with closing(server):
            yield server
    finally:
        process.terminate()
        process.wait(STOP_S)

    broken = log.read_text(encoding="utf-8")
    assert not undisturbed or "Traceback" not in broken, broken


def _started(
    data: Path, log: Path, around: dict[str, str], options: Sequence[str], ready: int
) -> tuple[Running, int]:
    """Start on a free port; somebody else may take it first, so try again."""
    deadline = time.monotonic() + START_S
    while True:
        port = free_port()
        words = ["serve", "--data", str(data), "--port", str(port), *options]
        process = started(words, around, log, log)
        if _is_ready(process, port, deadline, ready):
            return process, port
        process.kill()
        process.wait(STOP_S)
        assert time.monotonic() < deadline, f"no server within {START_S} s: see {log}"


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _is_ready(process: Running, port: int, deadline: float, ready: int) -> bool:
    """Ask until the server says that it is ready, or has gone, or time is up."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", verify=TLS) as http:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if http.get("/readyz").status_code == ready:
                    return True
            except httpx2.TransportError:
                time.sleep(0.02)  # It is only just starting; asking faster would slow it.
    return False
