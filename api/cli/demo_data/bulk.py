"""A ledger that keeps what it decided in memory, so that a thousand decisions are one transaction.

For one caller that writes a whole history into an empty ledger: each command decides as ever, over
the aggregates as they were left by the one before, and nothing is read back.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import UUID

from ledger.books.tallies import AVAILABLE, of_fund
from ledger.commands import Ledger
from ledger.commands.command import Command, Decision
from ledger.kernel.aggregate import Act, Aggregate
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import FundCode
from ledger.store.commits import Commit

TRANSACTION_EVENTS = 1_000

A = TypeVar("A", bound=Aggregate)
P = ParamSpec("P")


class NotEmpty(LedgerError):
    """What is made up never mixes with what happened."""

    def __init__(self, where: Path | str) -> None:
        super().__init__(f"{where} holds a ledger already; name another place")


class Bulk(Ledger):
    """A ledger that is written by the thousand.

    Attributes:
        decided: How many events were decided so far.

    """

    def __init__(self, where: Path | str) -> None:
        """Open the ledger at ``where``, which must be empty."""
        super().__init__(where)
        self.decided = 0
        self._known: dict[UUID, Aggregate] = {}
        self._available: Counter[str] = Counter()
        self._waiting: list[Commit] = []
        self._stored = 0
        if self.store.last_position():
            self.close()
            raise NotEmpty(where)

    def find(self, kind: type[A], stream: UUID) -> A | None:
        """Return what was decided of ``stream``, unless it was forgotten."""
        aggregate = self._known.get(stream)
        return aggregate if isinstance(aggregate, kind) else None

    def forget(self, stream: UUID) -> None:
        """Keep ``stream`` in memory no longer, as nothing more will happen to it."""
        self._known.pop(stream, None)

    @property
    def remembered(self) -> int:
        """How many streams are kept in memory."""
        return len(self._known)

    def available(self, fund: FundCode) -> int:
        """Return what ``fund`` has available, after all that was decided."""
        return self._available[of_fund(fund, AVAILABLE).subject]

    def now(
        self,
        command: Command[P],
        act: Act,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> UUID:
        """Decide, and have it stored before long; return what it was about."""
        return self.take(self.decide(command, act, *args, **kwargs), act)

    def take(self, decision: Decision, act: Act) -> UUID:
        """Have a decision stored before long; return what it was about."""
        commit = self._commit(decision, act)
        self._known[decision.about.id] = decision.about
        for tally, change in commit.changes.items():
            if tally.name == AVAILABLE:
                self._available[tally.subject] += change
        self._waiting.append(commit)
        self.decided += len(commit.events)
        if self.decided - self._stored >= TRANSACTION_EVENTS:
            self.flush()
        return decision.about.id

    def flush(self) -> None:
        """Store what waits. A refusal ends the run: what follows was decided on top of it."""
        waiting, self._waiting = self._waiting, []
        for outcome in self.store.write(waiting) if waiting else ():
            if isinstance(outcome, LedgerError):
                raise outcome
        self._stored = self.decided
