"""leifeng generate"""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from api.cli.demo_data.bulk import Bulk
from api.cli.demo_data.years import Years
from api.cli.shared import DataFolder, progress
from api.places import Places
from projections.kernel.follow import Follower
from projections.views.every import all_views
from projections.views.opening import open_views


def generate(
    data: DataFolder,
    events: Annotated[int, typer.Option(min=1, help="How many events, to within a few.")],
    seed: Annotated[int, typer.Option(help="One seed is one history.")] = 1,
) -> None:
    """Make up a charity's years, to try things on at their real size. Illustrative data."""
    data.mkdir(parents=True, exist_ok=True)
    places = Places.of(data)
    with closing(Bulk(places.ledger)) as ledger:
        with progress("making up") as report:
            Years(ledger, events=events, seed=seed).live(report)
        views = open_views(places.views)
        with progress("following") as report:
            reached = Follower(ledger, views, all_views()).catch_up(progress=report)
        views.dispose()
    typer.echo(f"演示数据 / ILLUSTRATIVE: {reached:,} events made up from seed {seed}")
