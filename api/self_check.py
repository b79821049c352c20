"""The server's own check of its history, and what came of it.

A process beside the server hashes every stored event again and adds every figure up again, as
``leifeng audit verify`` does, at the lowest priority. It is the charity's own word, which is why
anybody may do the same with a bundle.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from threading import Event, Thread

import msgspec

from ledger.errors import NotFound
from projections.log.log import Log

LOG = logging.getLogger(__name__)

EVERY_S = 3_600.0
"""Seconds between two checks."""

FIRST_S = 60.0
"""Seconds after which the first begins: a server that has just started has other things to do."""

NICENESS = 19
"""What is served goes first."""

DONE = (0, 1)
"""How a check ends that came to a result."""


class Found(msgspec.Struct, frozen=True):
    """Something that does not hold."""

    name: str
    rule: str
    detail: str


class Verification(msgspec.Struct, frozen=True):
    """What a check came to.

    Attributes:
        verified: Everything holds.
        events: How many were hashed again.
        at: When it ended.
        origin: The log, if its checkpoint could be believed.
        root: Of the tree of these events, in hexadecimal.
        findings: What does not hold; the first.

    """

    verified: bool
    events: int
    at: datetime
    origin: str | None = None
    root: str | None = None
    findings: list[Found] = []


class _Result(msgspec.Struct):
    """What ``leifeng audit verify --json`` says, as far as it matters here."""

    verified: bool
    events: int
    origin: str | None
    root: str | None
    findings: list[Found]


class SelfCheck:
    """Checks the history now and then.

    Attributes:
        latest: What the last check came to; ``None`` before the first.

    """

    def __init__(self, data: Path, log: Log, every_s: float, now: Callable[[], datetime]) -> None:
        """Check the ledger kept in ``data``.

        Args:
            data: The folder.
            log: Its public log; there is nothing to check before its first checkpoint.
            every_s: Seconds between two checks; 0 for none at all.
            now: Reads the clock.

        """
        self.latest: Verification | None = None
        self._data = data
        self._log = log
        self._every_s = every_s
        self._now = now
        self._closed = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, in the background."""
        if self._every_s:
            self._thread = Thread(target=self._keep_checking, name="self-check", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop; a check that is under way comes to nothing."""
        self._closed.set()
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join()

    def _keep_checking(self) -> None:
        wait_s = min(FIRST_S, self._every_s)
        while not self._closed.wait(wait_s):
            wait_s = self._every_s if self._check() else min(FIRST_S, self._every_s)

    def _check(self) -> bool:
        """Check once; say whether there was something to check."""
        try:
            self._log.newest()
        except NotFound:
            return False
        try:
            found = self._carried_out()
        except (OSError, msgspec.MsgspecError) as error:
            found = self._failed(str(error))
        if not self._closed.is_set():
            self._tell(found)
            self.latest = found
        return True

    def _carried_out(self) -> Verification:
        command = [sys.executable, "-P", "-m", "api.cli", "audit", "verify", "--json"]
        self._process = subprocess.Popen(  # noqa: S603  # Ourselves.
            [*command, "--data", str(self._data)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )
        with self._process as process:
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
            said, complaint = process.communicate()
        if process.returncode not in DONE or not said:
            return self._failed(complaint.decode(errors="replace").strip())
        result = msgspec.json.decode(said, type=_Result)
        return Verification(
            result.verified,
            result.events,
            self._now(),
            result.origin,
            result.root,
            result.findings,
        )

    def _failed(self, complaint: str) -> Verification:
        rule = "A check comes to a result."
        return Verification(
            verified=False,
            events=0,
            at=self._now(),
            findings=[Found("check-failed", rule, complaint[-500:])],
        )

    def _tell(self, found: Verification) -> None:
        for each in found.findings:
            LOG.error(
                "THE HISTORY IS NOT WHAT WAS SIGNED AND SHOWN: %s: %s", each.name, each.detail
            )
