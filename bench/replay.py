"""Replay of the whole history: how much of merely reading it is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from operator import add
from pathlib import Path

from sqlalchemy import Engine

from api.app import all_views
from bench.books import HOT, Charity, live
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.raw import events_in, read_and_decode
from ledger.commands import Ledger
from ledger.movements import COLUMNS, Movement, movements
from ledger.names import FundCode, Position
from ledger.tallies import AVAILABLE, of_fund
from projections.follow import BATCH, Follower
from projections.fund_balances import fund_balance
from projections.views import open_views

AGAINST = "reading and decoding the same rows raw"


def replay(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure events a second from the first event to every view, and to the balances alone.

    The first is what a rebuild does: the follower, over views in a file of their own each turn. The
    second folds the same history into integers, so that the difference is what the views'
    database costs. Beside both, a loop that reads and decodes the same rows and does nothing.
    """
    charity = Charity(folder)
    live(charity, size.history)
    fresh = (folder / f"views-{number}.db" for number in count())
    with closing(Ledger(charity.path)) as ledger:
        events = events_in(charity.path)
        tally = of_fund(HOT, AVAILABLE)
        available = ledger.store.tallies([tally])[tally]

        def followed() -> float:
            views = open_views(next(fresh))
            follower = Follower(ledger, views, all_views())
            done("events in fresh views", expected={0}, found=_reached(views))
            rate = a_second(events, follower.catch_up)
            done("events followed", expected={events}, found=_reached(views))
            with views.connect() as connection:
                balance = fund_balance(connection, HOT, Position(events))
            shown = None if balance is None else balance.available
            done("available in the views", expected=available, found=shown)
            views.dispose()
            return rate

        def folded() -> float:
            figures: list[dict[FundCode, Movement]] = []
            rate = a_second(events, lambda: figures.append(fold(ledger)))
            done("available in the fold", expected=available, found=figures[0][HOT].available)
            return rate

        def read() -> float:
            amounts: list[int] = []
            rate = a_second(events, lambda: amounts.append(read_and_decode(charity.path)))
            done("events read", expected=events, found=amounts[0])
            return rate

        every_view, balances, limit = rates_in_turns(size.rounds, followed, folded, read)
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


def _reached(views: Engine) -> set[Position]:
    """Return how far the views are by their own rows; the follower only knows once it has run."""
    with views.connect() as connection:
        return {view.reached(connection) for view in all_views()}


def fold(ledger: Ledger) -> dict[FundCode, Movement]:
    """Return every fund's figures, added up from the first event in plain integers."""
    figures: defaultdict[FundCode, list[int]] = defaultdict(lambda: [0] * len(COLUMNS))
    after = Position(0)
    while batch := list(ledger.history(after, BATCH)):
        for _, fact in batch:
            for movement in movements(fact):
                moved = [getattr(movement, name) for name in COLUMNS]
                figures[movement.fund] = list(map(add, figures[movement.fund], moved))
        after = batch[-1][0]
    return {fund: Movement(fund, *total) for fund, total in figures.items()}
