"""What must be true of a ledger whatever happened to it.

Every acknowledged command is there exactly once, every other one whole or not at all; positions
have no gaps; the books balance; balances and tallies are what a replay from event 1 comes to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct, structs

from ledger.books.postings import postings
from ledger.commands import Ledger
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from ledger.store.commits import Answer
from projections.kernel.follow import Follower
from projections.replay.fold import fold
from projections.replay.replay import replay
from projections.views.every import all_views
from projections.views.opening import open_views

Where = Path | str

Recorded = Mapping[UUID, Sequence[tuple[Position, Fact]]]
"""The events of each command, with their positions."""

ALL = 10**9
"""More events than there are."""


class SentCommand(Struct, frozen=True):
    """A command that somebody sent, and what became of it as far as they know.

    Attributes:
        command: Its id, which follows from who asked and under which key.
        topics: What it records, if it is carried out: whole, this is all of it.
        receipt: What was acknowledged; nothing if no answer came.
        in_pieces: It is a feed, which is stored before it is answered.

    """

    command: UUID
    topics: tuple[str, ...]
    receipt: Mapping[str, Any] | None = None
    in_pieces: bool = False


def check(ledger: Where, views: Where, commands: Sequence[SentCommand] = ()) -> Position:
    """Hold the ledger at these places to all of the above; return its last position."""
    last = check_history(ledger, commands)
    check_views(ledger, views)
    return last


def check_history(where: Where, commands: Sequence[SentCommand] = ()) -> Position:
    """Hold the history to what was asked, and every entry to its own balance."""
    with closing(Ledger(where, writes=False)) as ledger:
        history = list(ledger.history(0, ALL))
        answers = dict(ledger.store.all_answers())
    positions = [position for position, _ in history]
    assert positions == list(range(1, len(history) + 1)), "positions have gaps"
    recorded: defaultdict[UUID, list[tuple[Position, Fact]]] = defaultdict(list)
    for position, fact in history:
        recorded[fact.command].append((position, fact))
        assert sum(amount for _, _, amount in postings(fact)) == 0, f"{fact} does not balance"
    for each in commands:
        _once_or_not_at_all(each, recorded, answers)
    return Position(len(history))


def _once_or_not_at_all(
    each: SentCommand, recorded: Recorded, answers: Mapping[UUID, Answer]
) -> None:
    events = recorded.get(each.command, ())
    answer = answers.get(each.command)
    topics = tuple(fact.TOPIC for _, fact in events)
    assert topics in {(), each.topics}, f"half of {each} was written: {topics}"
    if answer is None:
        assert not topics or each.in_pieces, f"{each} was written without its answer"
    else:
        assert topics == each.topics, f"{each} was answered and is not there"
        last, position = events[-1][0], answer.receipt.position
        assert position == last or (each.in_pieces and position > last)
    if each.receipt is not None:
        assert answer is not None, f"{each} was acknowledged and is lost"
        kept = structs.asdict(answer.receipt) | (answer.receipt.summary or {})
        acknowledged = {name: each.receipt[name] for name in kept.keys() & each.receipt.keys()}
        assert acknowledged == {name: kept[name] for name in acknowledged}
        assert "position" in acknowledged


def check_views(where: Where, views: Where) -> None:
    """Hold the views that are served, and the tallies, to a replay from event 1."""
    engine = open_views(views)
    try:
        with closing(Ledger(where, writes=False)) as ledger:
            Follower(ledger, engine, all_views()).catch_up()
            replayed = replay(ledger, engine, all_views())
            books = fold(ledger)
    finally:
        engine.dispose()
    assert replayed.differences == []
    assert replayed.position == books.position
    balances = {each.fund: structs.asdict(each) for each in replayed.balances}
    assert balances.keys() == books.funds.keys()
    for fund, figures in books.balances().items():
        assert structs.asdict(figures).items() <= balances[fund].items()
    for fund in books.funds:
        sides = [sums for (_, of, _), sums in books.accounts.items() if of == fund]
        assert sum(debit for debit, _ in sides) == sum(credit for _, credit in sides)
