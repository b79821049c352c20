"""Commands without HTTP: what deciding, judging and waiting leave of SQLite's own speed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.books import IN_FLIGHT, Charity, act_for, together
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.raw import Bare, events_in
from ledger.commands import Ledger
from ledger.commands.donations import pledge


def store(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure pledges a second through ``Ledger.record_async`` with 64 under way at once.

    Beside committing the very rows they became to a bare table, 64 in one executemany, which is
    the most that a group commit can gather of 64. Ours also keeps the tallies and the answers.
    """
    charity = Charity(folder)
    promise = charity.pledge()
    with (
        closing(Bare(folder / "bare.db", like=charity.path)) as bare,
        closing(Ledger(charity.path)) as ledger,
    ):

        def recorded() -> float:
            commands = (
                ledger.record_async(pledge, act_for(pledge), **promise)
                for _ in range(size.requests)
            )
            before = events_in(charity.path)
            rate = a_second(size.requests, lambda: together(commands))
            stored = events_in(charity.path) - before
            done("events stored", expected=size.requests, actual=stored)
            return rate

        def inserted() -> float:
            rows = bare.behind(size.requests)
            done("rows to insert", expected=size.requests, actual=len(rows))
            return a_second(len(rows), lambda: bare.insert(rows, batch=IN_FLIGHT))

        recorded()  # Warms up, and leaves the bare file a turn behind, whichever goes first.
        value, limit = rates_in_turns(size.rounds, recorded, inserted)
    yield Measured(value, limit).rate(
        "store",
        "commands without HTTP, 64 in flight",
        unit="commands/s",
        against="raw commits of the same rows, 64 each",
    )
