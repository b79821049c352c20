"""Parts shared by several commands: the folder, progress, tables of balances."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from api.places import Places
from ledger.commands import Ledger
from ledger.kernel.errors import LedgerError
from ledger.kernel.money import yuan
from projections.kernel.follow import Progress as Report
from projections.views.fund_balances import FundBalance

DataFolder = Annotated[
    Path, typer.Option("--data", help="The folder that the ledger is kept in.", file_okay=False)
]

WIDE = 1_000
"""Characters that no table of ours needs."""

COLUMNS = ("received", "paid", "balance", "reserved", "available", "acknowledged", "pledged")


class NoLedgerHere(LedgerError):
    """A command about a ledger needs one."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"there is no ledger in {data}")


@contextmanager
def existing_ledger(data: Path, *, writes: bool = False) -> Iterator[Ledger]:
    """Open the ledger kept in ``data``, for reading unless said otherwise; refuse if none is."""
    where = Places.of(data).ledger
    if isinstance(where, Path) and not where.is_file():
        raise NoLedgerHere(data)
    ledger = Ledger(where, writes=writes)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """Show on a terminal how far long work is, and nothing when the output is piped."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda reached, goal: bar.update(task, completed=reached, total=goal)


@contextmanager
def in_lines() -> Iterator[Report]:
    """Say to a program how far long work is: one JSON object a line, on the standard output."""
    yield lambda reached, goal: typer.echo(msgspec.json.encode({"reached": reached, "goal": goal}))


def print_balances(balances: Iterable[FundBalance]) -> Console:
    """Print what each fund has, in yuan; return the console it was printed on."""
    table = Table("fund", *COLUMNS, box=SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in balances:
        table.add_row(each.fund, *(yuan(getattr(each, name)) for name in COLUMNS))
    return print_whole(table)


def print_whole(table: Table) -> Console:
    """Print a table as wide as it needs to be: a cut figure would be a wrong one."""
    needed = Console(width=WIDE).measure(table).maximum
    console = Console(highlight=False, width=max(needed, Console().width))
    console.print(table)
    return console


def balances_json(balances: Iterable[FundBalance]) -> list[dict[str, Any]]:
    """Return what each fund has, in fen."""
    return [
        {"fund": each.fund, "currency": each.currency, "position": each.position}
        | {name: getattr(each, name) for name in COLUMNS}
        for each in balances
    ]
