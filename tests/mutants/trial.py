"""A copy of the tree, in which one change at a time is made and held to the tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tests.mutants.changes import Change

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*-data", "*.egg-info")
SUMMARY = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
"""How pytest names a test that failed, unlike a line of a log, which may begin with ERROR too."""

FAILED = {1, 2}
"""How pytest ends when a test fails, or a module cannot be read."""

PATIENCE = 5
"""Times what the tests take on the unchanged tree, after which a change is said to loop."""


class Stage(NamedTuple):
    """Tests that are run together, cheapest first.

    Attributes:
        tests: Files and folders, from the tree's root.
        options: More words for pytest.

    """

    tests: Sequence[Path]
    options: tuple[str, ...] = ()


class Failing(RuntimeError):
    """A test that fails on the unchanged tree would catch everything."""


class Copy:
    """A tree to break.

    Attributes:
        limits: Seconds after which each stage is ended; none until they are measured.

    """

    def __init__(self, tree: Path, into: Path, stages: Mapping[str, Stage]) -> None:
        self._tree, self._copy, self._stages = tree, into, stages
        self.limits: dict[str, float] = {}
        self._modified = count(int(time.time()))
        shutil.copytree(tree, into, ignore=LEFT_OUT)

    def measure(self, patience: float = PATIENCE) -> None:
        """Run all tests on the unchanged tree, and take from that how long each stage may run.

        Raises:
            Failing: A test fails already.

        """
        for name, stage in self._stages.items():
            begun = time.monotonic()
            ran = self._run(name, stage.tests)
            if ran.returncode:
                raise Failing(ran.stdout)
            self.limits[name] = patience * (time.monotonic() - begun)

    def caught(self, change: Change) -> str:
        """Return which test notices a change, "time" if the tests do not end, or nothing."""
        path = self._copy / change.path.relative_to(self._tree)
        original = path.read_text(encoding="utf-8")
        self._write(path, change.source)
        try:
            for name, tests in self._runs(path):
                if by := self._noticed(name, tests):
                    return by
        finally:
            self._write(path, original)
        return ""

    def _runs(self, module: Path) -> Iterator[tuple[str, Sequence[Path]]]:
        """Yield what to run: of each stage first the tests that are named after the module.

        The first of all are run with the module's own doctests.
        """
        names = {f"test_{part}" for part in module.with_suffix("").parts}
        doctests = [module]
        for name, stage in self._stages.items():
            own = [each for each in stage.tests if each.stem in names]
            for tests in (own, [each for each in stage.tests if each not in own]):
                if tests:
                    yield name, tests + doctests
                    doctests = []

    def _noticed(self, name: str, tests: Sequence[Path]) -> str:
        try:
            ran = self._run(name, tests)
        except subprocess.TimeoutExpired:
            return "time"
        if not ran.returncode:
            return ""
        failed = SUMMARY.search(ran.stdout)
        if ran.returncode not in FAILED or failed is None:
            raise RuntimeError(f"pytest ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return failed.group(1)

    def _run(self, name: str, tests: Sequence[Path]) -> subprocess.CompletedProcess[str]:
        options = ["-x", "-q", "-p", "no:cacheprovider", *self._stages[name].options]
        return subprocess.run(  # noqa: S603  # Ours, with arguments of ours.
            [sys.executable, "-m", "pytest", *options, *map(str, tests)],
            cwd=self._copy,
            env={
                **os.environ,
                "PYTHONPATH": f"{self._copy / 'src'}{os.pathsep}{self._copy}",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # They take longer to import than most runs.
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=self.limits.get(name),
        )

    def _write(self, path: Path, text: str) -> None:
        """Write a module so that no bytecode made of another version of it is taken for it."""
        path.write_text(text, encoding="utf-8")
        modified = next(self._modified)
        os.utime(path, (modified, modified))
