"""leifeng replay"""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from api.cli.shared import DataFolder, balances_json, existing_ledger, print_balances, progress
from api.places import Places
from ledger.names import Position
from projections.every_view import all_views
from projections.replay import SHOWN_MAX, Replayed
from projections.replay import replay as replayed
from projections.views import open_views

Until = Annotated[int | None, typer.Option(min=0, help="Stop after the event at this position.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def replay(data: DataFolder, until: Until = None, as_json: AsJson = False) -> None:  # noqa: FBT002  # A flag.
    """Recompute every balance from event 1 and compare it with what is served."""
    with existing_ledger(data) as ledger, progress("replaying") as told:
        found = replayed(
            ledger,
            open_views(Places.of(data).views),
            all_views(),
            until=None if until is None else Position(until),
            progress=told,
        )
    if as_json:
        typer.echo(msgspec.json.encode(_document(found)))
    else:
        _print(found)
    raise typer.Exit(1 if found.differences else 0)


def _document(found: Replayed) -> dict[str, object]:
    return {
        "position": found.position,
        "equal": not found.differences,
        "served": found.served,
        "tallies_compared": found.tallies_compared,
        "balances": balances_json(found.balances),
        "differences": found.differences,
    }


def _print(found: Replayed) -> None:
    console = print_balances(found.balances)
    behind = [name for name, reached in found.served.items() if reached < found.position]
    if behind:
        console.print(f"not read to the end, and compared where they are: {', '.join(behind)}")
    if not found.differences:
        console.print(
            f"{found.position:,} events replayed; every row served is what they add up to"
        )
        return
    console.print(f"{found.position:,} events replayed; {len(found.differences)} rows differ:")
    for each in found.differences[:SHOWN_MAX]:
        console.print(f"  {each}", soft_wrap=True, markup=False, highlight=False)
