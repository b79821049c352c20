"""Keeps the log level with the ledger in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from ledger.kernel.errors import LedgerError
from projections.log.log import KeyElsewhere, Log

LOG = logging.getLogger(__name__)

DUE_EVENTS = 256
"""So many events that are not in the log yet are not left waiting."""

DUE_S = 3.5
"""Nor is one longer than this after it was seen, which makes five seconds with the pauses."""

LOOK_S = 1.0
"""Seconds until somebody looks again whether another process wrote something."""

ROUND_S = 0.2
"""Seconds between two looks while something waits."""

REST_S = 1.0
"""Seconds between two checkpoints under load. Each is two files on the disk, whatever it covers,
and whoever records would wait for that; whoever needs one sooner has it made.
"""


def is_due(waiting: int, waited_s: float) -> bool:
    """Say whether what waits is to be published now.

    >>> is_due(1, 3.4), is_due(1, 3.5), is_due(256, 0.0), is_due(0, 9.0)
    (False, True, True, False)

    """
    return waiting >= DUE_EVENTS or (waiting > 0 and waited_s >= DUE_S)


class Keeper:
    """A thread that publishes what is due.

    Attributes:
        refusal: Why nothing can be signed at the moment, if so.

    """

    def __init__(
        self, log: Log, last_position: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        """Keep ``log`` level.

        Args:
            log: To be kept.
            last_position: Says how many events there are.
            monotonic: Reads a clock that nobody sets, in seconds.

        """
        self.refusal: Exception | None = None
        self._log = log
        self._last_position = last_position
        self._monotonic = monotonic
        self._news = Event()
        self._closed = Event()
        self._thread: Thread | None = None
        self._begun = False
        self._waiting_since: float | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Another server has the key, and keeps the log."""
        return isinstance(self.refusal, KeyElsewhere)

    @property
    def lag(self) -> int:
        """How many events are not in the log yet."""
        return max(0, self._last_position() - self._log.size)

    def notice(self) -> None:
        """Say that something was recorded."""
        self._news.set()

    def start(self) -> None:
        """Begin, with what was missed while nobody did."""
        self._thread = Thread(target=self._keep, name="log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._closed.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()

    def _keep(self) -> None:
        while not self._closed.is_set():
            try:
                published = self.look()
            except Exception as error:  # noqa: BLE001  # Whatever it is, it is told below.
                self._refuse(error)
                self._closed.wait(DUE_S)
            else:
                self.refusal = None
                self._pause(REST_S if published else ROUND_S)

    def look(self) -> bool:
        """Publish what is due by now; say whether anything was.

        After any refusal that is all that waits, so that nothing is forgotten of what was wrong.
        """
        if not self._begun:
            self._log.begin()
            self._log.check()
            self._log.publish()
            self._begun = True
            return True
        if not self._is_due():
            return False
        self._log.publish()
        self._waiting_since = None
        return True

    def _is_due(self) -> bool:
        waiting, now = self.lag, self._monotonic()
        if not waiting:
            self._waiting_since = None
            return self._log.is_stale
        if self._waiting_since is None:
            self._waiting_since = now
        return is_due(waiting, now - self._waiting_since)

    def _refuse(self, error: Exception) -> None:
        if str(error) != str(self.refusal):
            if isinstance(error, KeyElsewhere):
                LOG.warning("%s", error)
            else:
                unexpected = None if isinstance(error, LedgerError) else error
                LOG.error("the log is not signed: %s", error, exc_info=unexpected)
        self.refusal, self._begun = error, False

    def _pause(self, seconds: float) -> None:
        if self._waiting_since is None:
            self._news.wait(LOOK_S)
            self._news.clear()
        self._closed.wait(seconds)
