"""leifeng serve"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from api.app import create_app, open_site
from api.cli.shared import DataFolder
from api.gate.connection import limited
from api.gate.limits import Limits
from api.places import Places
from ledger.errors import LedgerError

if sys.platform != "win32":
    import resource

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(help="The port to listen at.", min=0, max=65535)]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        help="NAME=NUMBER, repeatable: how much a client may ask for; see api/gate/limits.py.",
    ),
]
HostName = Annotated[
    list[str] | None,
    typer.Option("--host-name", help="Answer to this name only; repeatable. Any if none is given."),
]

FILES = 256
"""What a server opens besides its connections, generously."""

STOP_S = 30
"""Seconds that requests have to end in when the server is stopped."""


def serve(
    data: DataFolder,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    limit: Limit = None,
    host_name: HostName = None,
) -> None:
    """Serve the ledger over HTTP until stopped."""
    run(data, host, port, limit or (), host_name or ())


def run(
    data: Path, host: str, port: int, said: Iterable[str] = (), hosts: Iterable[str] = ()
) -> None:
    """Serve the ledger kept in ``data``, within the limits of the environment and those said."""
    limits = Limits.of(os.environ, said)
    _make_room(limits.connections + FILES)
    with open_site(data):  # So that what is wrong with the folder is said in one sentence.
        pass
    config = uvicorn.Config(
        create_app(data, limits, hosts),
        http=limited(limits),
        log_level="error",  # Anybody can send what uvicorn warns of; no log fills with that.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
    )
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        port = listening.getsockname()[1]
        Console(stderr=True).print(
            f"serving {Places.of(data)} at http://{host}:{port} (API: /docs), Ctrl-C to stop",
            highlight=False,
            soft_wrap=True,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _make_room(files: int) -> None:
    """Let the process open so many files, as far as the system allows it."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < files:
            most = files if hard == resource.RLIM_INFINITY else min(files, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listening(host: str, port: int) -> socket:
    try:
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)
    except OSError as error:
        raise CannotListen(host, port, error) from None


class CannotListen(LedgerError):
    """A server needs an address of its own."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"cannot listen at {host}:{port}: {error.strerror or error}")
