"""leifeng serve"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from api.app import create_app
from api.cli.shared import DataFolder

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(help="The port to listen at.", min=0, max=65535)]


def serve(data: DataFolder, host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve the ledger over HTTP until stopped."""
    run(data, host, port)


def run(data: Path, host: str, port: int) -> None:
    """Serve the ledger kept in ``data``."""
    Console(stderr=True).print(
        f"serving {data} at http://{host}:{port} (API: /docs), Ctrl-C to stop", highlight=False
    )
    uvicorn.run(create_app(data), host=host, port=port, log_level="warning", access_log=False)
