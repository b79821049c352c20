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
    log_name: LogName = None,
    witness: Witnesses = [],  # noqa: B006  # typer reads it and nobody writes it.
) -> None:
    """Serve the ledger over HTTP until stopped."""
    witnesses = [Asked.parse(text) for text in witness]
    run(data, host, port, log_name=log_name, witnesses=witnesses)


def run(
    data: Path,
    host: str,
    port: int,
    *,
    log_name: str | None = None,
    witnesses: Sequence[Asked] = (),
) -> None:
    """Serve the ledger kept in ``data``, whose public log is called ``log_name`` if it is new."""
    with open_site(data) as site:  # So that what is wrong with it is said in one sentence.
        site.log.begin(log_name)
        done = (*site.ledger.store.said, *site.directory.said)
    policy_file(data).write_bytes(policy_of(witnesses).encode())
    where = f"{Places.of(data)} at {{address}} (API: /docs)"
    serve_app(create_app(data, witnesses), (*done, f"serving {where}, Ctrl-C to stop"), host, port)


def serve_app(app: FastAPI, said: Sequence[str], host: str, port: int) -> None:
    """Serve ``app`` until stopped, once ``said``, which may name its ``{address}``, is said."""
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        address = f"http://{host}:{listening.getsockname()[1]}"
        for line in said:
            shown = line.replace("{address}", address)
            Console(stderr=True).print(shown, highlight=False, soft_wrap=True)
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
