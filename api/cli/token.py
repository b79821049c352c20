"""leifeng token create, list, revoke, rotate"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from api.cli.identity import now, open_identity
from api.cli.shared import DataFolder, print_whole
from ledger.kernel.names import DonorId, SaleId
from ledger.kernel.roles import Role
from ledger.people.tokens import OVERLAP, Scope, Token

app = typer.Typer(help="Tokens that let people in.", no_args_is_help=True)

Person = Annotated[str, typer.Option(help="Whose it is; the same name is the same person.")]
TokenId = Annotated[str, typer.Argument(help="What leifeng token list calls it.")]

HOUR = timedelta(hours=1)


@app.callback()
def token() -> None:
    """Tokens that let people in."""


@app.command()
def create(
    data: DataFolder,
    person: Person,
    role: Annotated[list[Role], typer.Option(help="What they may act as; may be repeated.")],
    donor: Annotated[UUID | None, typer.Option(help="Whose pledges the role donor means.")] = None,
    sale: Annotated[UUID | None, typer.Option(help="Which sale the role partner means.")] = None,
    name: Annotated[str | None, typer.Option(help="What it is called in lists.")] = None,
    days: Annotated[int | None, typer.Option(help="Days after which it ends.", min=1)] = None,
) -> None:
    """Print a bearer token. It is shown this once; only its hash is kept.

    Whoever is new, or has not got the role, is given it; that stands in the history.
    """
    if not person.strip():
        raise typer.BadParameter("must name somebody", param_hint="--person")
    if Role.PARTNER in role and sale is None:
        raise typer.BadParameter("a partner's token needs --sale", param_hint="--role")
    scope = Scope(
        roles=tuple(role),
        name=name,
        donor=None if donor is None else DonorId(donor),
        sale=None if sale is None else SaleId(sale),
        expires_at=None if days is None else now() + timedelta(days=days),
    )
    with open_identity(data, makes=True) as identity:
        made = identity.create_scoped(person.strip(), scope, at=now())
    typer.echo(made)


@app.command("list")
def list_(data: DataFolder, person: Person) -> None:
    """Show somebody's tokens, without what opens a door."""
    with open_identity(data) as identity:
        tokens = identity.tokens.of(identity.users.known(person.strip()))
    table = Table("id", "name", "roles", "made", "ends", "last used", "", box=SIMPLE_HEAD)
    for each in tokens:
        table.add_row(*_row(each))
    print_whole(table)


def _row(each: Token) -> tuple[str, ...]:
    return (
        each.id,
        each.scope.name or "",
        ", ".join(each.scope.roles),
        _day(each.created_at),
        _day(each.scope.expires_at),
        "" if each.used_on is None else each.used_on.isoformat(),
        "" if each.revoked_at is None else "revoked",
    )


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"


@app.command()
def revoke(data: DataFolder, person: Person, token_id: TokenId) -> None:
    """Take a token back; it opens nothing from the next request on."""
    with open_identity(data) as identity:
        identity.tokens.revoke(identity.users.known(person.strip()), token_id, at=now())
    typer.echo(f"{token_id} opens nothing any more")


@app.command()
def rotate(
    data: DataFolder,
    person: Person,
    token_id: TokenId,
    overlap: Annotated[
        int, typer.Option(help="Hours that the old one still works beside it.", min=0)
    ] = OVERLAP // HOUR,
) -> None:
    """Print a new token for the same; the old one works a while longer, and then ends."""
    with open_identity(data) as identity:
        whose = identity.users.known(person.strip())
        made = identity.tokens.rotate(whose, token_id, at=now(), overlap=overlap * HOUR)
    typer.echo(made)
