"""The process beside a server that keeps its views level, so that it costs the server nothing.

``python -m api.processes.follower FOLDER`` is that process; only a server has reason to start it.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from select import select
from threading import Event, Thread

from sqlalchemy.exc import DBAPIError

from api.places import Places
from api.processes.gc import spared
from ledger.commands import Ledger
from ledger.kernel.errors import LedgerError
from projections.kernel.follow import ROUND_S, Follower
from projections.views.every import all_views
from projections.views.opening import open_views

LOG = logging.getLogger(__name__)

RESTART_S = 1.0
"""Seconds between the end of one follower and the start of the next."""

STOP_S = 5.0
"""Seconds in which a follower comes to the end of what it is at; it loses nothing if killed."""


class FollowerProcess:
    """Keeps a follower running for as long as the server runs, and no longer.

    The follower reads from a pipe in which nothing is ever written. Its end is that of the server,
    however that came about.
    """

    def __init__(self, data: Path) -> None:
        """Start a follower of the ledger kept in ``data``, and another whenever it ends."""
        self._data = data
        self._ended, self._lifeline = os.pipe()
        self._closed = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep, name="follower process", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the follower end."""
        self._closed.set()
        os.close(self._lifeline)
        self._thread.join(STOP_S)
        if self._process is not None:
            self._process.kill()
        self._thread.join()
        os.close(self._ended)

    def _keep(self) -> None:
        while not self._closed.is_set():
            try:
                status = self._run()
            except OSError:
                LOG.exception("no follower could be started; trying again")
            else:
                if not self._closed.is_set():
                    LOG.error("the follower ended with status %s; starting another", status)
            self._closed.wait(RESTART_S)

    def _run(self) -> int:
        """Run a follower, out of reach of the terminal's Ctrl-C, and return how it ended."""
        command = [sys.executable, "-P", "-m", __name__, str(self._data)]
        self._process = subprocess.Popen(  # noqa: S603  # Ourselves.
            command, stdin=self._ended, process_group=0
        )
        return self._process.wait()


def main() -> None:
    """Follow until the server that started this process is gone."""
    places = Places.of(Path(sys.argv[1]))
    views = open_views(places.views)
    with closing(Ledger(places.ledger, writes=False)) as ledger, spared():
        follower = Follower(ledger, views, all_views())
        more = False
        while not _server_is_gone(0 if more else ROUND_S):
            more = follower.follow()


def _server_is_gone(wait_s: float) -> bool:
    """Say whether the other end of the pipe was closed, waiting a while for it."""
    ended, _, _ = select([sys.stdin], [], [], wait_s)
    return bool(ended)


if __name__ == "__main__":
    try:
        main()
    except (LedgerError, DBAPIError) as error:
        sys.exit(f"follower: {error}")
