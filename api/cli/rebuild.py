"""leifeng rebuild"""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.shared import DataFolder, existing_ledger, progress
from api.places import Places
from projections.replay.rebuild import rebuild as made_anew
from projections.views.every import all_views

Views = Annotated[
    list[str] | None,
    typer.Argument(help="Which views; all if none is named.", show_default=False),
]


def rebuild(data: DataFolder, names: Views = None) -> None:
    """Make views anew from event 1, beside those that are read, and put them in their place."""
    known = {view.name: view for view in all_views()}
    chosen = names or list(known)
    for name in chosen:
        if name not in known:
            raise typer.BadParameter(f"no view is called {name}; there are {', '.join(known)}")
    with existing_ledger(data) as ledger, progress("rebuilding") as report:
        views = [known[name] for name in chosen]
        position = made_anew(ledger, Places.of(data).views, views, progress=report)
    typer.echo(f"{', '.join(chosen)}: made anew from {position:,} events")
