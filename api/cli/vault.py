"""leifeng vault rotate"""

from __future__ import annotations

from contextlib import closing

import typer

from api.cli.shared import DataFolder, existing_ledger, progress
from api.places import Places
from ledger.people.identity import Identity
from ledger.people.rotation import rotate

app = typer.Typer(help="The vault of people's details.", no_args_is_help=True)


@app.callback()
def vault() -> None:
    """Keep the vault of people's details."""


@app.command("rotate")
def rotate_key(data: DataFolder) -> None:
    """Change the key that wraps everybody's data keys. If it is interrupted, run it again.

    Events and sealed details are not touched, and the ledger may be served meanwhile.
    """
    with existing_ledger(data):
        places = Places.of(data)
    with (
        closing(Identity(places.people, places.vault_key)) as identity,
        progress("wrapping data keys") as report,
    ):
        rotated = rotate(identity.database, identity.vault, identity.keys, report)  # type: ignore[arg-type]  # Keys count like positions.
    typer.echo(
        f"{rotated.wrapped:,} data keys are wrapped by vault key {rotated.new},"
        f" in {places.vault_key}\n"
        f"vault key {rotated.old} is no longer there; backups made before this open only with it"
    )
