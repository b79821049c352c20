"""leifeng serve"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from rich.console import Console

from api.app import Places, create_app, open_site
from api.cli.shared import DataFolder
from ledger.errors import LedgerError

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(help="The port to listen at.", min=0, max=65535)]


def serve(data: DataFolder, host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the ledger over HTTP until stopped."""
    run(data, host, port)


def run(data: Path, host: str, port: int) -> None:
    """Serve the ledger kept in ``data``."""
    with open_site(data):  # So that what is wrong with the folder is said in one sentence.
        pass
    app = create_app(data)
    config = uvicorn.Config(app, log_level="warning", access_log=False)
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        port = listening.getsockname()[1]
        Console(stderr=True).print(
            f"serving {Places.of(data)} at http://{host}:{port} (API: /docs), Ctrl-C to stop",
            highlight=False,
            soft_wrap=True,
        )
        _Server(config, app).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Stops: those who look on are let go first, or it would wait for them for ever."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Take no more requests, finish those under way, and go."""
        self._app.state.live.close()
        await super().shutdown(sockets)


def _listening(host: str, port: int) -> socket:
    try:
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)
    except OSError as error:
        raise CannotListen(host, port, error) from None


class CannotListen(LedgerError):
    """A server needs an address of its own."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"cannot listen at {host}:{port}: {error.strerror or error}")
