"""The server's own check of its history, and its result.

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
from tempfile import TemporaryFile
from threading import Event, Lock, Thread

import msgspec

from ledger.kernel.errors import NotFound
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
    """The result of a check.

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


class UnderWay(msgspec.Struct, frozen=True):
    """A check that has begun.

    Attributes:
        since: When.
        reached: How many events were hashed so far.
        goal: How many there are to hash; 0 as long as nobody has counted them.

    """

    since: datetime
    reached: int = 0
    goal: int = 0


class _Line(msgspec.Struct):
    """A line of ``leifeng audit verify --json --progress``, with the fields that matter here.

    Each line but the last says how far it is; the last, what it came to.
    """

    reached: int = 0
    goal: int = 0
    verified: bool | None = None
    events: int = 0
    origin: str | None = None
    root: str | None = None
    findings: list[Found] = []


class SelfCheck:
    """Checks the history now and then, and when somebody asks; one check at a time.

    Attributes:
        latest: What the last check came to; ``None`` before the first.
        under_way: The check that has begun and not ended, if one has.

    """

    def __init__(self, data: Path, log: Log, every_s: float, now: Callable[[], datetime]) -> None:
        """Check the ledger kept in ``data``.

        Args:
            data: The folder.
            log: Its public log; there is nothing to check before its first checkpoint.
            every_s: Seconds between two checks; 0 for none but those that are asked for.
            now: Reads the clock.

        """
        self.latest: Verification | None = None
        self.under_way: UnderWay | None = None
        self._data = data
        self._log = log
        self._every_s = every_s
        self._now = now
        self._closed = Event()
        self._asked = Event()
        self._turn = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, in the background."""
        self._thread = Thread(target=self._keep_checking, name="self-check", daemon=True)
        self._thread.start()

    def ask(self) -> bool:
        """Have a check begin now; say whether one does, for only one is under way at a time."""
        if not self._begin():
            return False
        self._asked.set()
        return True

    def close(self) -> None:
        """Stop; a check that is under way comes to nothing."""
        self._closed.set()
        self._asked.set()
        if self._process is not None:
            self._process.kill()
        if self._thread is not None:
            self._thread.join()

    def _keep_checking(self) -> None:
        soon = wait_s = min(FIRST_S, self._every_s) or None
        while True:
            requested = self._asked.wait(wait_s)
            if self._closed.is_set():
                return
            if requested:  # Else somebody may be asking at this very moment, and has the turn.
                self._asked.clear()
            if requested or self._begin():
                try:
                    wait_s = (self._every_s or None) if self._check() else soon
                finally:
                    self.under_way = None

    def _begin(self) -> bool:
        """Claim the single running check, unless another claimed it."""
        with self._turn:
            if self.under_way is not None:
                return False
            self.under_way = UnderWay(self._now())
            return True

    def _check(self) -> bool:
        """Check once; say whether there was something to check."""
        try:
            self._log.newest()
        except NotFound:
            return False
        try:
            verification = self._carried_out()
        except (OSError, msgspec.MsgspecError) as error:
            verification = self._failed(str(error))
        if not self._closed.is_set():
            self._tell(verification)
            self.latest = verification
        return True

    def _carried_out(self) -> Verification:
        command = [sys.executable, "-P", "-m", "api.cli", "audit", "verify", "--json"]
        with TemporaryFile() as complaints:
            self._process = subprocess.Popen(  # noqa: S603  # Ourselves.
                [*command, "--progress", "--data", str(self._data)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                process_group=0,
            )
            with self._process as process:
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
                result = self._heard(process)
            if process.returncode in DONE and result is not None:
                return result
            complaints.seek(0)
            return self._failed(complaints.read().decode(errors="replace").strip())

    def _heard(self, process: subprocess.Popen[bytes]) -> Verification | None:
        """Follow a check to its end; return its result, if it has one."""
        assert process.stdout is not None  # noqa: S101  # It was asked for.
        result = None
        for text in process.stdout:
            line = msgspec.json.decode(text, type=_Line)
            if line.verified is None:
                self._reached(line)
            else:
                whole = (line.events, self._now(), line.origin, line.root, line.findings)
                result = Verification(line.verified, *whole)
        return result

    def _reached(self, line: _Line) -> None:
        if self.under_way is not None:
            since = self.under_way.since
            self.under_way = UnderWay(since, line.reached, line.goal)

    def _failed(self, complaint: str) -> Verification:
        rule = "A check comes to a result."
        return Verification(
            verified=False,
            events=0,
            at=self._now(),
            findings=[Found("check-failed", rule, complaint[-500:])],
        )

    def _tell(self, verification: Verification) -> None:
        for each in verification.findings:
            LOG.error(
                "THE HISTORY IS NOT WHAT WAS SIGNED AND SHOWN: %s: %s", each.name, each.detail
            )
