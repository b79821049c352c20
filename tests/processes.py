"""``leifeng`` in processes of its own, of which the tests start hundreds.

Reading all modules takes a second or two of processor time, of a command as of a server. So it is
done once, and what is started is forked from the process that did. That a fresh interpreter does
the same is seen where there is reason to start one: tests/api/cli/test_cli.py, and wherever it
finds something around it that must be there before it starts.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from api.cli import main
from api.places import DATABASE_URL
from tests.folders import HOUSE

ENVIRONMENT = os.environ | {"PYTHONPATH": f"{HOUSE / 'src'}{os.pathsep}{HOUSE}"}
LEIFENG = (sys.executable, "-m", "api.cli")

READ = [__name__, "api.cli.serve", "api.cli.replay", "api.cli.audit", "api.cli.person"]
"""Modules that have been read when a process begins; the rest of them is little."""

BEFORE_ALL = ("LD_PRELOAD", "PYTHONPATH")
"""What a process can find around it only when it starts as a fresh interpreter."""

TASK_S = 120.0
"""Seconds in which a command ends."""


class Forked:
    """A process that runs, with so much of ``subprocess.Popen`` as tests ask of one."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid: int = process.pid

    def poll(self) -> int | None:
        """Return how it ended, or nothing while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return how it ended: a signal's number below zero."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired([self._process.name], timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def started(
    words: Sequence[str], around: Mapping[str, str], output: Path, complained: Path
) -> Forked | subprocess.Popen[bytes]:
    """Start ``leifeng`` with ``words``; what it says goes to the ends of two files, or of one."""
    if any(around.get(name) != ENVIRONMENT.get(name) for name in BEFORE_ALL):
        with output.open("ab") as stdout, complained.open("ab") as stderr:
            return subprocess.Popen(  # noqa: S603  # Our own command.
                [*LEIFENG, *words], cwd=HOUSE, env=around, stdout=stdout, stderr=stderr
            )
    process = processes().Process(
        target=_become, args=(list(words), dict(around), output, complained), name="leifeng"
    )
    process.start()
    return Forked(process)


def leifeng(*words: object, database: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, on files or on a PostgreSQL database."""
    with TemporaryDirectory() as folder:
        output, complained = Path(folder) / "stdout", Path(folder) / "stderr"
        arguments = [str(word) for word in words]
        process = started(arguments, environment(database), output, complained)
        try:
            code = process.wait(TASK_S)
        finally:
            process.kill()
        heard = (each.read_text(encoding="utf-8") for each in (output, complained))
        return subprocess.CompletedProcess([*LEIFENG, *arguments], code, *heard)


def environment(database: str | None) -> dict[str, str]:
    """Return what a command finds around it."""
    return ENVIRONMENT | ({} if database is None else {DATABASE_URL: database})


@cache
def processes() -> ForkServerContext:
    """Return what starts processes that have read our modules already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(READ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
        patch.chdir(HOUSE)
        forkserver.ensure_running()
    return context


def _become(words: list[str], around: dict[str, str], output: Path, complained: Path) -> None:
    """Be the command from here on."""
    os.environ.clear()
    os.environ.update(around)
    os.chdir(HOUSE)
    for path, stream in ((output, 1), (complained, 2)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.dup2(file, stream)
        os.close(file)
    main(words)
