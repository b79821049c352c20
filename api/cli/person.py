"""leifeng person add, roles, list, disable, invite"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from api.cli.identity import now, open_identity
from api.cli.shared import DataFolder, print_whole
from ledger.kernel.roles import Role

app = typer.Typer(help="People who come in, and their roles.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="What they are called; one name is one person.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="May be repeated.")]


@app.callback()
def person() -> None:
    """People who come in, and their roles."""


def _somebody(name: str) -> str:
    if not name.strip():
        raise typer.BadParameter("must name somebody", param_hint="NAME")
    return name.strip()


@app.command()
def add(data: DataFolder, name: Name, role: Roles = None) -> None:
    """Add somebody, and give them roles; print their id."""
    with open_identity(data, makes=True) as identity:
        added = identity.users.enrol(_somebody(name), role or (), now())
    typer.echo(added)


@app.command()
def roles(
    data: DataFolder,
    name: Name,
    grant: Annotated[list[Role] | None, typer.Option(help="A role to give.")] = None,
    withdraw: Annotated[list[Role] | None, typer.Option(help="A role to take.")] = None,
) -> None:
    """Give and take roles, from the next request on; print those that somebody has."""
    with open_identity(data) as identity:
        whose = identity.users.known(_somebody(name))
        if withdraw:
            identity.users.withdraw(name.strip(), withdraw, now())
        if grant:
            identity.users.enrol(name.strip(), grant, now())
        user = identity.users.one(whose)
        typer.echo(", ".join(() if user is None else user.roles))


@app.command("list")
def list_(data: DataFolder) -> None:
    """Show who is, or was, let in."""
    with open_identity(data) as identity:
        people = identity.users.everybody()
    table = Table("id", "name", "roles", "disabled", box=SIMPLE_HEAD)
    for each in people:
        since = "" if each.disabled_at is None else f"{each.disabled_at:%Y-%m-%d}"
        table.add_row(each.person, each.name or "(erased)", ", ".join(each.roles), since)
    print_whole(table)


@app.command()
def disable(data: DataFolder, name: Name) -> None:
    """Shut somebody out for good: their tokens and sessions open nothing any more."""
    with open_identity(data) as identity:
        identity.users.disable(_somebody(name), now())
    typer.echo(f"{name.strip()} does not come in any more")


@app.command()
def invite(
    data: DataFolder,
    name: Name,
    *,
    forget_second_factor: Annotated[
        bool, typer.Option(help="They lost their second factor, and its recovery codes.")
    ] = False,
) -> None:
    """Print where somebody chooses a password. It is shown this once, and good for seven days."""
    with open_identity(data) as identity:
        whose = identity.users.known(_somebody(name))
        if forget_second_factor:
            identity.second_factors.remove(whose)
        code = identity.passwords.invite(whose, now())
    typer.echo(f"/invitation/{code}")
