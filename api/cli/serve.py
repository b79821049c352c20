"""leifeng serve"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from api.app import Places, create_app, open_site
from api.cli.shared import DataFolder
from ledger.errors import LedgerError

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(help="The port to listen at.", min=0, max=65535)]


LogName = Annotated[
    str | None,
    typer.Option(
        help="What the public log is called, when it is first served: a host of yours and a path."
    ),
]


def serve(
    data: DataFolder, host: Host = "127.0.0.1", port: Port = 8000, log_name: LogName = None
) -> None:
    """Serve the ledger over HTTP until stopped."""
    run(data, host, port, log_name)


def run(data: Path, host: str, port: int, log_name: str | None = None) -> None:
    """Serve the ledger kept in ``data``, whose public log is called ``log_name`` if it is new."""
    with open_site(data) as site:  # What is wrong with the folder is said in one sentence.
        site.log.begin(log_name)
    config = uvicorn.Config(create_app(data), log_level="warning", access_log=False)
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        port = listening.getsockname()[1]
        Console(stderr=True).print(
            f"serving {Places.of(data)} at http://{host}:{port} (API: /docs), Ctrl-C to stop",
            highlight=False,
            soft_wrap=True,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket:
    try:
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)
    except OSError as error:
        raise CannotListen(host, port, error) from None


class CannotListen(LedgerError):
    """A server needs an address of its own."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"cannot listen at {host}:{port}: {error.strerror or error}")
