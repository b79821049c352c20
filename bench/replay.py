"""Replay of the whole history: how much of merely reading it is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from operator import add
from pathlib import Path

from api.app import all_views
from bench.books import Charity, live
from bench.figures import Figure, Measured, Size, a_second, rates_in_turns
from bench.raw import read_and_decode
from ledger.commands import Ledger
from ledger.movements import COLUMNS, movements
from ledger.names import FundCode, Position
from projections.follow import BATCH, Follower
from projections.views import open_views

AGAINST = "reading and decoding the same rows raw"


def replay(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure events a second from the first event to every view, and to the balances alone.

    The first is what ``leifeng replay`` and a rebuild do: the follower, over fresh views. The
    second folds the same history into integers, so that the difference is what the views'
    database costs. Beside both, a loop that reads and decodes the same rows and does nothing.
    """
    charity = Charity(folder)
    live(charity, size.history)
    with closing(Ledger(charity.path)) as ledger:
        events = ledger.store.last_position()

        def followed() -> float:
            views = open_views(None)
            rate = a_second(events, Follower(ledger, views, all_views()).catch_up)
            views.dispose()
            return rate

        every_view, balances, limit = rates_in_turns(
            size.rounds,
            followed,
            lambda: a_second(events, lambda: fold(ledger)),
            lambda: a_second(events, lambda: read_and_decode(charity.path)),
        )
    yield Measured(every_view, limit).rate(
        "replay-views",
        "whole-history replay to every view",
        unit="events/s",
        against=AGAINST,
        target=0.5,
    )
    yield Measured(balances, limit).rate(
        "replay-balances",
        "whole-history fold to fund balances",
        unit="events/s",
        against=AGAINST,
        target=0.5,
    )


def fold(ledger: Ledger) -> dict[FundCode, list[int]]:
    """Return every fund's figures, added up from the first event in plain integers."""
    figures: defaultdict[FundCode, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    after = Position(0)
    while batch := list(ledger.history(after, BATCH)):
        for _, fact in batch:
            for movement in movements(fact):
                moved = [getattr(movement, name) for name in COLUMNS]
                figures[movement.fund] = list(map(add, figures[movement.fund], moved))
        after = batch[-1][0]
    return figures
