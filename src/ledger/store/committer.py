"""The one thread that stores: it takes whatever is waiting and keeps it in one transaction.

There is no lingering: an idle ledger stores a single command at once, a busy one fills its
batches by being busy. What an event loop has to do in the same turn comes in the same batch: a
thread that stored the first of it would only take the interpreter from the others. Each caller
waits for their own outcome alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Condition, Thread
from typing import NamedTuple, TypeAlias

from ledger.kernel.errors import LedgerError, Overloaded
from ledger.store.commits import Commit, Outcome, StoreFailed
from ledger.store.recorder import Store

BATCH_EVENTS_MAX = 2_000
"""Events in one transaction. Larger ones gain nothing and make everybody wait."""

LOG = logging.getLogger(__name__)

QUEUE_MAX = 4_096
"""Commands that may wait. At the slowest disk seen that is a few seconds of work."""

_AsyncOutcome: TypeAlias = "asyncio.Future[Outcome]"


class _Ticket(NamedTuple):
    commit: Commit
    future: Future[Outcome] | _AsyncOutcome
    loop: asyncio.AbstractEventLoop | None


class Committer:
    """Stores what many callers decided, in the order in which they came."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.on_stored: Callable[[], None] = lambda: None
        self._queue: deque[_Ticket] = deque()
        self._storing = 0
        self._changed = Condition()
        self._closing = False
        self._thread = Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def commit(self, commit: Commit) -> Outcome:
        """Store ``commit``, waiting for it."""
        return self.submit(commit).result()

    def submit(self, commit: Commit) -> Future[Outcome]:
        """Have ``commit`` stored while the caller goes on with something else."""
        future: Future[Outcome] = Future()
        self._enqueue(_Ticket(commit, future, None))
        self._wake()
        return future

    async def commit_async(self, commit: Commit) -> Outcome:
        """Store ``commit``, letting others run meanwhile.

        What is queued is stored even if the caller gives up: a half-known outcome would be worse.
        """
        loop = asyncio.get_running_loop()
        future: _AsyncOutcome = loop.create_future()
        self._enqueue(_Ticket(commit, future, loop))
        loop.call_soon(self._wake)
        return await future

    def close(self) -> None:
        """Store what is waiting, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many commands wait to be stored."""
        return len(self._queue)

    @property
    def storing(self) -> int:
        """How many commands are being stored at this moment."""
        return self._storing

    def _enqueue(self, ticket: _Ticket) -> None:
        with self._changed:
            if self._closing or len(self._queue) >= QUEUE_MAX:
                raise Overloaded("too many requests are waiting to be stored")
            self._queue.append(ticket)

    def _wake(self) -> None:
        """Wake the committer thread, unless it is already awake."""
        if self._queue:
            with self._changed:
                self._changed.notify()

    def _run(self) -> None:
        while batch := self._next_batch():
            try:
                outcomes = self._store.write([ticket.commit for ticket in batch])
            except Exception as error:  # noqa: BLE001  # Told to every caller; the thread lives on.
                _fail(batch, error)
            else:
                _tell(batch, outcomes)
                self._pass_on()
            self._storing = 0

    def _pass_on(self) -> None:
        """Notify the listener; its errors do not stop the next batch."""
        try:
            self.on_stored()
        except Exception:
            LOG.exception("the listener for stored events failed")

    def _next_batch(self) -> list[_Ticket]:
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            batch: list[_Ticket] = []
            room = BATCH_EVENTS_MAX
            while self._queue and (not batch or len(self._queue[0].commit.events) <= room):
                ticket = self._queue.popleft()
                room -= len(ticket.commit.events)
                batch.append(ticket)
            self._storing = len(batch)
            return batch


def _tell(batch: list[_Ticket], outcomes: list[Outcome]) -> None:
    """Give each caller its outcome, waking each event loop once."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[tuple[_AsyncOutcome, Outcome]]]
    by_loop = defaultdict(list)
    for ticket, outcome in zip(batch, outcomes, strict=True):
        if isinstance(ticket.future, Future):
            ticket.future.set_result(outcome)
        elif ticket.loop is not None:
            by_loop[ticket.loop].append((ticket.future, outcome))
    for loop, settled in by_loop.items():
        with suppress(RuntimeError):  # The loop was closed; nobody waits there any more.
            loop.call_soon_threadsafe(_settle, settled)


def _settle(outcomes: list[tuple[_AsyncOutcome, Outcome]]) -> None:
    for future, outcome in outcomes:
        if not future.done():
            future.set_result(outcome)


def _fail(batch: list[_Ticket], error: Exception) -> None:
    LOG.error("a batch of %d could not be stored", len(batch), exc_info=error)
    cause = error if isinstance(error, LedgerError) else StoreFailed(error)
    _tell(batch, [cause] * len(batch))
