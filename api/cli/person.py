"""leifeng person add, roles, list, disable, invite"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from api.cli.roll import now, register
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
    with register(data, makes=True) as directory:
        added = directory.roll.enrol(_somebody(name), role or (), now())
    typer.echo(added)


@app.command()
def roles(
    data: DataFolder,
    name: Name,
    grant: Annotated[list[Role] | None, typer.Option(help="A role to give.")] = None,
    withdraw: Annotated[list[Role] | None, typer.Option(help="A role to take.")] = None,
) -> None:
    """Give and take roles, from the next request on; print those that somebody has."""
    with register(data) as directory:
        whose = directory.roll.known(_somebody(name))
        if withdraw:
            directory.roll.withdraw(name.strip(), withdraw, now())
        if grant:
            directory.roll.enrol(name.strip(), grant, now())
        found = directory.roll.one(whose)
        typer.echo(", ".join(() if found is None else found.roles))


@app.command("list")
def list_(data: DataFolder) -> None:
    """Show who is, or was, let in."""
    with register(data) as directory:
        people = directory.roll.everybody()
    table = Table("id", "name", "roles", "disabled", box=SIMPLE_HEAD)
    for each in people:
        since = "" if each.disabled_at is None else f"{each.disabled_at:%Y-%m-%d}"
        table.add_row(each.person, each.name or "(erased)", ", ".join(each.roles), since)
    print_whole(table)


@app.command()
def disable(data: DataFolder, name: Name) -> None:
    """Shut somebody out for good: their tokens and sessions open nothing any more."""
    with register(data) as directory:
        directory.roll.disable(_somebody(name), now())
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
    with register(data) as directory:
        whose = directory.roll.known(_somebody(name))
        if forget_second_factor:
            directory.second_factors.remove(whose)
        code = directory.passwords.invite(whose, now())
    typer.echo(f"/invitation/{code}")
