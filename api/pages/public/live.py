"""Totals of sales as they change: one watcher a process, however many people look on.

While anybody listens, the watcher looks a few times a second how far the ledger is; if it went on,
it reads the sales that are listened to, all at one position, and wakes whoever waits. A listener is
given the newest total whenever it is ready for one, and never one that is out of date.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from fastapi.concurrency import run_in_threadpool
from msgspec import Struct

from api.kernel.site import Site
from ledger.kernel.errors import Overloaded
from ledger.kernel.names import Position
from projections.views.sales import RunningTotal, Sales, running_totals

LOG = logging.getLogger(__name__)

LOOK_S = 0.1
"""Seconds between two looks at the ledger."""

HEARTBEAT_S = 15.0
"""Seconds without news after which a listener is told that we are still here."""

LISTENERS_MAX = 2_000
"""Listeners that one process takes; each costs a connection and a few kilobytes."""


class Returned(Struct, frozen=True):
    """Goods that came back between two looks, and so made the net smaller.

    Attributes:
        amount: In fen.
        position: The event by which they had.

    """

    amount: int
    position: Position


class Shown(Struct, frozen=True):
    """A total, as good as an event of the ledger.

    Attributes:
        total: What the sale had added up to.
        position: The last event that is counted, if it was of this sale.
        at: When that was recorded.
        returned: Why the net went down when last it did, as far as this process has seen.

    """

    total: RunningTotal
    position: Position
    at: datetime
    returned: Returned | None = None


class _Channel:
    """One sale that is listened to."""

    def __init__(self) -> None:
        self.listeners = 0
        self.latest: Shown | None = None
        self.news = asyncio.Event()

    def tell(self, total: RunningTotal, position: Position, at: datetime) -> None:
        """Show a new total to whoever waits, if it is one."""
        before = self.latest
        if before is not None and before.total == total:
            self.latest = Shown(total, position, at, before.returned)  # Nobody need be woken.
            return
        returned = None if before is None else before.returned
        if before is not None and total.refunds > before.total.refunds:
            returned = Returned(total.refunds - before.total.refunds, position)
        self.latest = Shown(total, position, at, returned)
        self.wake()

    def wake(self) -> None:
        """Wake every listener."""
        news, self.news = self.news, asyncio.Event()
        news.set()


class Live:
    """What is listened to in this process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._channels: dict[str, _Channel] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._seen: Position | None = None
        self.closing = asyncio.Event()

    @property
    def listeners(self) -> int:
        """The number of listeners."""
        return sum(channel.listeners for channel in self._channels.values())

    def close(self) -> None:
        """Disconnect every listener, so that the server can stop."""
        self.closing.set()
        for channel in self._channels.values():
            channel.wake()

    def must_have_room(self) -> None:
        """Refuse one listener too many.

        Raises:
            Overloaded: So many listen already.

        """
        if self.listeners >= LISTENERS_MAX:
            raise Overloaded("{count:,} live pages are open", count=LISTENERS_MAX)

    async def totals(
        self, sale: str, *, gap: float, seen: int
    ) -> AsyncGenerator[Shown | None, None]:
        """Yield the total of ``sale`` now and after each change, or nothing for a heartbeat.

        Args:
            sale: The sale's id.
            gap: Seconds that lie at least between two of them.
            seen: The position of the total that the listener has already.

        """
        total: RunningTotal | None = None
        with self._listening(sale) as channel:
            while not self.closing.is_set():
                news, snapshot = channel.news, channel.latest
                if snapshot is not None and snapshot.total != total and snapshot.position != seen:
                    total, seen = snapshot.total, snapshot.position
                    yield snapshot
                    await self._wait(self.closing, gap)
                elif not await self._wait(news, HEARTBEAT_S):
                    yield None

    async def _wait(self, event: asyncio.Event, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
        return event.is_set()

    @contextmanager
    def _listening(self, sale: str) -> Iterator[_Channel]:
        channel = self._channels.setdefault(sale, _Channel())
        channel.listeners += 1
        self._seen = None  # There may be a sale to read that was not read before.
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.create_task(self._watch())
        try:
            yield channel
        finally:
            channel.listeners -= 1
            if not channel.listeners:
                self._channels.pop(sale, None)

    async def _watch(self) -> None:
        while self._channels and not self.closing.is_set():
            try:
                await self._look()
            except Exception:
                LOG.exception("the totals of sales cannot be read; trying again")
                self._seen = None
            await self._wait(self.closing, LOOK_S)

    async def _look(self) -> None:
        newest = await run_in_threadpool(self._site.ledger.store.last_position)
        if newest == self._seen:
            return
        self._seen = newest  # Before anything is read: who comes meanwhile asks for another look.
        totals, position, at = await run_in_threadpool(self._read, tuple(self._channels))
        for total in totals:
            if total.sale in self._channels:
                self._channels[total.sale].tell(total, position, at)

    def _read(self, sales: tuple[str, ...]) -> tuple[list[RunningTotal], Position, datetime]:
        with self._site.follower.reading(Sales.name) as (connection, position):
            totals = running_totals(connection, sales)
        ((_, fact),) = self._site.ledger.at([position])
        return totals, position, fact.recorded_at
