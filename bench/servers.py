"""Servers in processes of their own: ours, and the one that does nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from bench.load import HOST

START_S = 30.0
"""A server that is not there by then will not come."""


class DidNotStart(RuntimeError):
    """A server that was to be measured is not there."""


@contextmanager
def ledger_server(data: Path) -> Iterator[int]:
    """Serve the ledger kept in ``data``, as ``leifeng serve`` does; yield the port."""
    start = "from api.cli import main; main()"
    with _served(["-c", start, "serve", "--data", str(data), "--host", HOST]) as port:
        yield port


@contextmanager
def noop_server() -> Iterator[int]:
    """Serve the endpoints that do nothing; yield the port."""
    with _served(["-m", "bench.noop"]) as port:
        yield port


@contextmanager
def _served(arguments: Sequence[str]) -> Iterator[int]:
    port = _free_port()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with (
        TemporaryFile() as said,
        subprocess.Popen(
            [sys.executable, *arguments, "--port", str(port)], env=environment, stderr=said
        ) as process,
    ):
        try:
            if not _came(process, port):
                said.seek(0)
                raise DidNotStart(said.read().decode())
            yield port
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        port: int = found.getsockname()[1]
    return port


def _came(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return True
    return False
