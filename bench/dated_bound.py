"""A bound that holds on every day: what it costs a hot fund, beside the same bound held now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

from eventsourcing.persistence import StoredEvent

from bench.books import IN_FLIGHT, SAID, Charity, act_for
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from ledger.commands import Ledger
from ledger.commands.donations import pledge
from ledger.kernel.errors import Conflict
from ledger.kernel.ids import new_id
from ledger.kernel.tallies import Bound, Bounds, Tally, TallyOn
from ledger.store import open_store
from ledger.store.commits import Commit, Receipt
from ledger.store.recorder import Store

HOT = Tally("till hot", "cash")
BOUNDS = Bounds({("till", "cash"): Bound(0, lambda _: Conflict("nothing is left"))})

FIRST_DAY = date(2024, 1, 1)
DAYS = 1_000
"""Days on which the fund has an entry already."""

LATE_DAYS = 30
"""How late some commands are recorded: days with entries that each of them changes as well."""

PLENTY = 10**12


def dated_bound(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure commands a second, 64 in a transaction, that each take from one fund.

    Under a bound of each day they take on the newest day, or on any of the last thirty, and the
    number of now is kept as well. Beside them, the same commands under a bound of now alone.
    """
    event = _event(Charity(folder), folder)
    with closing(open_store(folder / "bounds.db", bounds=BOUNDS)) as store:
        filled = {TallyOn(HOT, FIRST_DAY + timedelta(day)): PLENTY for day in range(DAYS)}
        _write(store, [Commit(uuid4(), "it", 1, (), {HOT: PLENTY * DAYS}, filled)])

        def rate(late: int | None) -> Callable[[], float]:
            return lambda: _rate(store, event, late, size.requests)

        rates = rates_in_turns(size.rounds, rate(None), rate(1), rate(LATE_DAYS))
    now, newest, late = rates
    for name, work, value in (
        ("dated-bound", "taking from a hot fund, bounded on every day", newest),
        ("dated-bound-late", f"the same, on any of the last {LATE_DAYS} days", late),
    ):
        yield Measured(value, now).rate(
            name, work, unit="commands/s", against="the same, bounded now alone"
        )


def _rate(store: Store, event: StoredEvent, late: int | None, amount: int) -> float:
    commits = [_taking(event, None if late is None else number % late) for number in range(amount)]
    before = store.last_position()

    def work() -> None:
        for start in range(0, amount, IN_FLIGHT):
            _write(store, commits[start : start + IN_FLIGHT])

    rate = a_second(amount, work)
    done("events stored", expected=amount, actual=store.last_position() - before)
    return rate


def _taking(event: StoredEvent, days_ago: int | None) -> Commit:
    """Return a command of one event that takes from the fund, now or on a day."""
    stored = StoredEvent(new_id(), 1, event.topic, event.state)
    day = FIRST_DAY + timedelta(DAYS - 1 - (days_ago or 0))
    by_day = {} if days_ago is None else {TallyOn(HOT, day): -1}
    return Commit(uuid4(), "it", 1, [stored], {HOT: -1}, by_day, fingerprint=SAID)


def _write(store: Store, commits: Sequence[Commit]) -> None:
    outcomes = store.write(commits)
    stored = sum(isinstance(each, Receipt) for each in outcomes)
    done("commands stored", expected=len(commits), actual=stored)


def _event(charity: Charity, folder: Path) -> StoredEvent:
    """Return a promise as it is stored."""
    with closing(Ledger(folder / "ledger.db")) as ledger:
        ledger.record(pledge, act_for(pledge), **charity.pledge())
        (newest,) = ledger.store.at([ledger.store.last_position()])
    return newest
