"""The two revisions of a comparison: each a tree, and an interpreter with what it is pinned to."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

import msgspec

from bench.load import HOST
from bench.servers import LEIFENG, UNHURRIED, Served, serving

HERE = Path(__file__).parents[1]
WORKER = Path(__file__).with_name("worker.py")

T = TypeVar("T")


class CannotHave(RuntimeError):
    """The other revision is not to be had, so there is nothing to compare with."""


class Side(NamedTuple):
    """One revision, ready to run.

    Attributes:
        name: As it was asked for.
        tree: Its files.
        python: An interpreter that has what the revision is pinned to.

    """

    name: str
    tree: Path
    python: Path

    def leifeng(self, *words: str) -> str:
        """Run a command of this revision to its end; return what it printed."""
        command = [self.python, *LEIFENG, *words]
        ran = subprocess.run(
            command, env=self._environment(), cwd=self.tree, capture_output=True, check=False
        )
        if ran.returncode:
            raise CannotHave(f"leifeng {words[0]} of {self.name} failed: {_last(ran.stderr)}")
        return ran.stdout.decode().strip()

    @contextmanager
    def serving(self, data: Path) -> Iterator[Served]:
        """Serve the ledger in ``data`` as this revision does."""
        command = [str(self.python), *LEIFENG, "serve", "--data", str(data), "--host", HOST]
        with serving(command, self._environment(), self.tree) as served:
            yield served

    @contextmanager
    def working(self, work: str, data: Path) -> Iterator[Worker]:
        """Run a piece of work inside this revision, on the ledger in ``data``."""
        with subprocess.Popen(
            [self.python, str(WORKER), work, str(data)],
            env=self._environment(),
            cwd=self.tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdin is not None  # noqa: S101  # It was asked for.
            assert process.stdout is not None  # noqa: S101  # Same.
            try:
                yield Worker(self.name, process.stdin, process.stdout)
            finally:
                process.stdin.close()  # It ends when nothing more is asked of it.

    def _environment(self) -> Mapping[str, str]:
        path = os.pathsep.join([str(self.tree / "src"), str(self.tree)])
        environment = {name: value for name, value in os.environ.items() if "LEIFENG_" not in name}
        return environment | {"PYTHONPATH": path} | UNHURRIED


class Measurement(msgspec.Struct, frozen=True):
    """One turn of a worker.

    Attributes:
        events: How many were taken in.
        seconds: How long that took.
        processor: Seconds of it on a processor.
        result: What came of it, to compare with the other side's.

    """

    events: int
    seconds: float
    processor: float
    result: str


class Worker(NamedTuple):
    """A process inside a revision, which does its work once whenever it is asked to."""

    name: str
    requests: IO[bytes]
    answers: IO[bytes]

    def turn(self) -> Measurement:
        """Have the work done once more.

        Raises:
            CannotHave: It is not what the other revision can do.

        """
        self.requests.write(b"\n")
        self.requests.flush()
        if not (line := self.answers.readline()):
            raise CannotHave(f"{self.name} ended without an answer; what it said stands above")
        return msgspec.json.decode(line, type=Measurement)


def this_tree() -> Side:
    """Return the tree that this file is of, as it lies there, with the environment it runs in."""
    return Side("this tree", HERE, Path(sys.executable))


def revision(name: str, folder: Path) -> Side:
    """Return another revision, with its files and an environment of its own in ``folder``.

    The environment has what ``constraints.txt`` of that revision pins. It is there to be served
    from, so what a later revision lists apart, to develop with, is left out.

    Raises:
        CannotHave: There is no such revision, or what it is pinned to cannot be installed.

    """
    commit = _run(["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], name)
    tree, environment = folder / "tree", folder / "environment"
    files = _run(["git", "archive", commit.decode().strip()], name)
    with tarfile.open(fileobj=BytesIO(files)) as archive:
        archive.extractall(tree, filter="data")
    python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run([sys.executable, "-m", "venv", str(environment)], name)
    install = ["install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    pins = ["-r", str(tree / "constraints.txt")]
    _run([str(python), "-m", "pip", *install, *pins], name)
    return Side(name, tree, python)


def _run(command: list[str], name: str) -> bytes:
    try:
        ran = subprocess.run(command, cwd=HERE, capture_output=True, check=False)
    except OSError as error:
        raise CannotHave(f"{name} is not to be had: {error}") from None
    if ran.returncode:
        why = _last(ran.stderr) or "there is no such revision"
        raise CannotHave(f"{name} is not to be had: {why}")
    return ran.stdout


def _last(output: bytes) -> str:
    return (output.decode(errors="replace").strip().splitlines() or [""])[-1]
