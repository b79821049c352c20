"""leifeng token create"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from api.cli.shared import DataFolder
from api.places import Places
from ledger.names import DonorId, SaleId
from ledger.people.directory import Directory
from ledger.people.roles import Role

app = typer.Typer(help="Tokens that let people in.", no_args_is_help=True)


@app.callback()
def token() -> None:
    """Tokens that let people in."""


@app.command()
def create(
    data: DataFolder,
    person: Annotated[str, typer.Option(help="Whose it is; the same name is the same person.")],
    role: Annotated[list[Role], typer.Option(help="What they may act as; may be repeated.")],
    donor: Annotated[UUID | None, typer.Option(help="Whose pledges the role donor means.")] = None,
    sale: Annotated[UUID | None, typer.Option(help="Which sale the role partner means.")] = None,
) -> None:
    """Print a bearer token. It is shown this once; only its hash is kept."""
    if not person.strip():
        raise typer.BadParameter("must name somebody", param_hint="--person")
    if Role.PARTNER in role and sale is None:
        raise typer.BadParameter("a partner's token needs --sale", param_hint="--role")
    data.mkdir(parents=True, exist_ok=True)
    places = Places.of(data)
    directory = Directory(places.people, places.vault_key)
    try:
        made = directory.create_token(
            person.strip(),
            role,
            at=datetime.now(UTC),
            donor=None if donor is None else DonorId(donor),
            sale=None if sale is None else SaleId(sale),
        )
    finally:
        directory.close()
    typer.echo(made)
