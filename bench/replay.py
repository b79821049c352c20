"""Replay of the whole history: how much of merely reading it is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import Engine

from bench.books import HOT, Charity, live
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.raw import decoders, events_in, read_and_decode
from ledger.books.tallies import AVAILABLE, of_fund
from ledger.commands import Ledger
from ledger.kernel.names import Position
from projections.kernel.follow import Follower
from projections.replay.fold import Books, fold
from projections.views.every import all_views
from projections.views.fund_balances import fund_balance
from projections.views.opening import open_views

AGAINST = "reading and decoding the same rows raw"


def replay(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure events a second from the first event to every view, and to the balances alone.

    The first is what a rebuild does: the follower, over views in a file of their own each turn. The
    second is the straight loop that ``leifeng replay`` recounts with, into integers, so that the
    difference is what the views' database costs. Beside both, a loop that reads and decodes the
    same rows and does nothing.
    """
    charity = Charity(folder)
    live(charity, size.history)
    fresh = (folder / f"views-{number}.db" for number in count())
    with closing(Ledger(charity.path)) as ledger:
        events = events_in(charity.path)
        decode = decoders()
        tally = of_fund(HOT, AVAILABLE)
        available = ledger.store.tallies([tally])[tally]

        def followed() -> float:
            views = open_views(next(fresh))
            follower = Follower(ledger, views, all_views())
            done("events in fresh views", expected={0}, actual=_reached(views))
            rate = a_second(events, follower.catch_up)
            done("events followed", expected={events}, actual=_reached(views))
            with views.connect() as connection:
                balance = fund_balance(connection, HOT, Position(events))
            in_views = None if balance is None else balance.available
            done("available in the views", expected=available, actual=in_views)
            views.dispose()
            return rate

        def straight() -> float:
            folded: list[Books] = []
            rate = a_second(events, lambda: folded.append(fold(ledger)))
            done("events folded", expected=events, actual=folded[0].position)
            done("available in the fold", expected=available, actual=folded[0].all_tallies()[tally])
            return rate

        def read() -> float:
            amounts: list[int] = []
            rate = a_second(events, lambda: amounts.append(read_and_decode(charity.path, decode)))
            done("events read", expected=events, actual=amounts[0])
            return rate

        every_view, balances, limit = rates_in_turns(size.rounds, followed, straight, read)
    yield Measured(every_view, limit).rate(
        "replay-views",
        "whole-history replay to every view",
        unit="events/s",
        against=AGAINST,
        target=0.5,
    )
    yield Measured(balances, limit).rate(
        "replay-balances",
        "whole-history fold to all balances, in integers",
        unit="events/s",
        against=AGAINST,
        target=0.5,
    )


def _reached(views: Engine) -> set[Position]:
    """Return how far the views are by their own rows; the follower only knows once it has run."""
    with views.connect() as connection:
        return {view.reached(connection) for view in all_views()}
