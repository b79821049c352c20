"""The write side: loads aggregates, lets commands decide, and has decisions stored.

A decision is only a decision: if somebody else was faster, it is made anew on what they left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, cast

from eventsourcing.persistence import StoredEvent
from msgspec.structs import replace

from ledger.books.accounts import REGIME_START
from ledger.books.postings import postings
from ledger.books.tallies import changes, changes_by_day
from ledger.commands.command import DONOR, Command, Decision, check_owner
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act, Fact
from ledger.kernel.errors import Invalid, LedgerError, NotFound, Refused
from ledger.kernel.roles import RoleForbidden
from ledger.kernel.sentences import FieldName, Several
from ledger.store.commits import Commit, Outcome, OutcomeUnknown, Receipt
from ledger.store.committer import Committer
from ledger.store.recorder import WouldWait

TRIES = 5
"""Times that a command is decided anew when others keep being faster."""

P = ParamSpec("P")


class IdempotencyMismatch(Refused):
    """A key stands for one request; another request needs another key."""

    says = "the key was used for a request that differs in {fields}"

    def __init__(self, fields: Sequence[str]) -> None:
        self.fields = tuple(fields)
        super().__init__(fields=Several(map(FieldName, fields)))


class BeforeTheRegime(Invalid):
    """The books open with the accounting regime that they follow."""

    def __init__(self, on: date) -> None:
        super().__init__(
            "on", "{on} is before {start}, when the books open", on=on, start=REGIME_START
        )


class Ledger(Records):
    """The write side: has commands decided, and stores what they come to."""

    def __init__(self, where: Path | str, *, writes: bool = True) -> None:
        """Open the ledger that is kept at ``where``, as ``Records`` does."""
        super().__init__(where, writes=writes)
        self.committer = Committer(self.store)

    def close(self) -> None:
        """Store what is waiting, then let go of the database."""
        self.committer.close()
        super().close()

    def record(
        self,
        command: Command[P],
        act: Act,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Receipt:
        """Carry out ``command`` and wait until it is stored."""
        attempts = self._attempts(act, lambda: self.decide(command, act, *args, **kwargs))
        step = _advance(attempts, None)
        while not isinstance(step, Receipt):
            step = _advance(attempts, self.committer.commit(step))
        return step

    def decide(self, command: Command[P], act: Act, *args: P.args, **kwargs: P.kwargs) -> Decision:
        """Return what ``command`` comes to now; record nothing. Refuse a role that may not."""
        if act.role not in command.by:
            raise RoleForbidden(command.by)
        if command.owner is not None and act.role == DONOR:
            donor = command.owner(*args, **kwargs)
            check_owner(act, donor, NotFound("donor", donor))
        return command.decide(self, act, *args, **kwargs)

    def rehearse(self, command: Command[P], act: Act, *args: P.args, **kwargs: P.kwargs) -> Commit:
        """Return what ``command`` would store at this moment; raise the refusal that it would meet.

        What holds now need not hold when it is carried out, which decides anew. Where a rival was
        faster, such as one who restricted a donor that is remembered here, it is decided anew, too.
        """
        for tries_left in reversed(range(TRIES)):
            commit = self._commit(self.decide(command, act, *args, **kwargs), act)
            outcome = self.store.judged(commit)
            if not isinstance(outcome, LedgerError):
                return commit
            if not outcome.rival or not tries_left:
                raise outcome
        raise AssertionError("the last try either returns or raises")

    def refusal_of(
        self, command: Command[P], act: Act, *args: P.args, **kwargs: P.kwargs
    ) -> LedgerError | None:
        """Return why ``command`` would be refused at this moment, if it would."""
        try:
            self.rehearse(command, act, *args, **kwargs)
        except LedgerError as error:
            return error
        return None

    async def record_async(
        self,
        command: Command[P],
        act: Act,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Receipt:
        """Carry out ``command``, letting others run until it is stored."""
        decide = partial(self.decide, command, act, *args, **kwargs)
        attempts = self._attempts(act, decide)
        try:
            step = self.store.at_once(partial(_advance, attempts, None))
        except WouldWait:
            attempts = self._attempts(act, decide)
            step = await asyncio.to_thread(_advance, attempts, None)
        while not isinstance(step, Receipt):
            outcome = await self.committer.commit_async(step)
            if self.store.is_local or isinstance(outcome, Receipt):
                step = _advance(attempts, outcome)
            else:
                step = await asyncio.to_thread(_advance, attempts, outcome)
        return step

    def _attempts(self, act: Act, decide: Callable[[], Decision]) -> _Attempts:
        """Yield what is to be stored, take what became of it, return the receipt.

        Whether the request was made before is known where it is stored, so nothing is asked
        beforehand; only if something stands in the way may that be what its own twin did.
        """
        for tries_left in reversed(range(TRIES)):
            try:
                decision = decide()
                outcome = yield self._commit(decision, act)
                receipt = self._receipt(act, cast("Outcome", outcome))
                return replace(receipt, repeated=True) if decision.repeats else receipt
            except OutcomeUnknown:
                raise  # What is stored may be our own, and is not to be taken for a twin's.
            except LedgerError as error:
                repeated = self.repeated(act)
                if repeated is not None:
                    return repeated
                if not error.rival or not tries_left:
                    raise
        raise AssertionError("the last try either returns or raises")

    def repeated(self, act: Act) -> Receipt | None:
        """Return the receipt of the first time, if ``act`` is a request made again."""
        if act.fingerprint is None:
            return None
        earlier = self.store.answer(act.command)
        return None if earlier is None else self._receipt(act, earlier)

    def _receipt(self, act: Act, outcome: Outcome) -> Receipt:
        if isinstance(outcome, LedgerError):
            raise outcome
        if isinstance(outcome, Receipt):
            return outcome
        request, answered = act.fingerprint or {}, outcome.fingerprint
        differing = sorted(
            name for name in request | answered if request.get(name) != answered.get(name)
        )
        if differing:
            raise IdempotencyMismatch(differing)
        return replace(outcome.receipt, repeated=True)

    def _commit(self, decision: Decision, act: Act) -> Commit:
        if decision.repeat_of is not None:
            return self._commit_repeat(decision, decision.repeat_of, act)
        facts = decision.about.collect_events()
        return Commit(
            command=act.command,
            about=decision.about.public_name,
            version=decision.about.version,
            events=self.written(facts),
            changes=changes(facts),
            by_day=changes_by_day(facts),
            expects=decision.expects,
            fingerprint=act.fingerprint,
        )

    def _commit_repeat(self, decision: Decision, version: int, act: Act) -> Commit:
        """Answer as the first record of it was answered, and keep that under this request too."""
        return Commit(
            command=act.command,
            about=decision.about.public_name,
            version=version,
            events=(),
            changes={},
            fingerprint=act.fingerprint,
            position=self.store.position_of(decision.about.id, version),
        )

    def remember(self, act: Act, summary: Any, *, about: str) -> Receipt:
        """Keep ``summary`` as the answer to ``act``, whose events are already stored."""
        commit = Commit(
            command=act.command,
            about=about,
            version=0,
            events=(),
            changes={},
            fingerprint=act.fingerprint,
            summary=summary,
        )
        return self._receipt(act, self.committer.commit(commit))

    def written(self, facts: Sequence[Fact]) -> list[StoredEvent]:
        """Return ``facts`` as they will be stored; refuse entries for which we keep no books."""
        for fact in facts:
            if fact.on < REGIME_START and postings(fact):
                raise BeforeTheRegime(fact.on)
        return [self.form.to_stored_event(fact) for fact in facts]


_Attempts = Generator[Commit, Outcome | None, Receipt]


def _advance(attempts: _Attempts, outcome: Outcome | None) -> Commit | Receipt:
    """Take one step: the next commit to be stored, or the receipt at the end.

    A generator ends by an exception that no future can carry, so it is turned into a value here.
    """
    try:
        return attempts.send(outcome)
    except StopIteration as done:
        return cast("Receipt", done.value)
