"""leifeng serve"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from rich.console import Console

from api.app import create_app, open_site
from api.cli.shared import DataFolder
from api.places import Places, policy_file
from ledger.errors import LedgerError
from projections.log.cosigning import Asked, policy_of

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(help="The port to listen at.", min=0, max=65535)]


LogName = Annotated[
    str | None,
    typer.Option(
        help="What the public log is called, when it is first served: a host of yours and a path."
    ),
]


Witnesses = Annotated[
    list[str],
    typer.Option(
        "--witness",
        metavar="NAME,VKEY,URL",
        help="Have this witness cosign what the log publishes. May be given more than once.",
    ),
]


def serve(
    data: DataFolder,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    witness: Witnesses = [],  # noqa: B006  # typer reads it and nobody writes it.
) -> None:
    """Serve the ledger over HTTP until stopped."""
    run(data, host, port, [Asked.parse(text) for text in witness])


def run(data: Path, host: str, port: int, witnesses: Sequence[Asked] = ()) -> None:
    """Serve the ledger kept in ``data``."""
    with open_site(data):  # So that what is wrong with the folder is said in one sentence.
        pass
    policy_file(data).write_bytes(policy_of(witnesses).encode())
    serve_app(create_app(data, witnesses), f"{Places.of(data)}", host, port, " (API: /docs)")


def serve_app(app: FastAPI, what: str, host: str, port: int, more: str = "") -> None:
    """Serve ``app``, saying ``what`` that is and where, until stopped."""
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        port = listening.getsockname()[1]
        Console(stderr=True).print(
            f"serving {what} at http://{host}:{port}{more}, Ctrl-C to stop",
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
