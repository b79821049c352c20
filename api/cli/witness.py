"""leifeng witness"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli.audit_bundle import verifier
from api.cli.serve import Host, Port, serve_app
from api.gate.limits import Limits
from api.routes.witness import create_witness
from ledger.kernel.ids import random_bytes
from ledger.transparency.cosignature import Cosigner
from projections.log.witness import Witness, cosigner_at

app = typer.Typer(
    help="A witness for the logs of others: what it cosigns was only ever added to.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Option("--data", help="The witness's folder.", file_okay=False)]
Name = Annotated[
    str | None,
    typer.Option(help="Of a new key; a host of yours and a path, such as b.example/witness."),
]
Logs = Annotated[list[str], typer.Option("--log", help="The key of a log that is witnessed.")]


@app.command("key")
def key(data: Folder, name: Name = None) -> None:
    """Print the witness's verifier key, making the key if there is none yet."""
    typer.echo(_cosigner(data, name).verifier)


@app.command("serve")
def serve(
    data: Folder, log: Logs, name: Name = None, host: Host = "127.0.0.1", port: Port = 8100
) -> None:
    """Cosign what the logs named submit, until stopped."""
    logs = [verifier("--log", text) for text in log]
    cosigner = _cosigner(data, name)
    now = lambda: datetime.now(UTC)  # noqa: E731  # The door's clock.
    with closing(Witness(data / "witness.db", cosigner, logs, now)) as witness:
        notice = f"serving {cosigner.verifier} at {{address}}, Ctrl-C to stop"
        serve_app(create_witness(witness), [notice], host, port, Limits.of(os.environ))


def _cosigner(data: Path, name: str | None) -> Cosigner:
    data.mkdir(parents=True, exist_ok=True)
    called = name or f"leifeng.example/witness-{random_bytes(8).hex()}"
    return cosigner_at(data / "keys" / "witness.key", called)
