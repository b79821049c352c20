"""A copy of the tree, in which one change at a time is made and held to the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tests.mutants.changes import Change

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*-data", "*.egg-info")
FAILED = {1, 2}
"""How pytest ends when a test fails, or a module cannot be read."""

PATIENCE = 5
"""Times what the tests take on the unchanged tree, after which a change is said to loop."""


class Stage(NamedTuple):
    """Tests that are run together, cheapest first.

    Attributes:
        tests: Files and folders of the tree.
        options: More words for pytest.

    """

    tests: Sequence[Path]
    options: tuple[str, ...] = ()


class Copy:
    """A tree to break."""

    def __init__(self, tree: Path, into: Path, stages: Mapping[str, Stage]) -> None:
        self._tree, self._copy, self._stages = tree, into, stages
        self._limits: dict[str, float] = {}
        self._modified = count(int(time.time()))
        shutil.copytree(tree, into, ignore=LEFT_OUT)

    def begin(self, patience: float = PATIENCE) -> str:
        """Run all tests on the unchanged tree; return what fails there, or nothing."""
        for name in self._stages:
            begun = time.monotonic()
            ran = self._run(name, None)
            if ran.returncode:
                return ran.stdout
            self._limits[name] = patience * (time.monotonic() - begun)
        return ""

    def caught(self, change: Change) -> str:
        """Return which test notices a change, "time" if the tests do not end, or nothing."""
        path = self._copy / change.path.relative_to(self._tree)
        original = path.read_text(encoding="utf-8")
        self._write(path, change.source)
        try:
            for name in self._stages:
                if by := self._noticed(name, path):
                    return by
        finally:
            self._write(path, original)
        return ""

    def _noticed(self, name: str, module: Path) -> str:
        try:
            ran = self._run(name, module)
        except subprocess.TimeoutExpired:
            return "time"
        if not ran.returncode:
            return ""
        failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if ran.returncode not in FAILED or not failed:
            raise RuntimeError(f"pytest ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
        return failed[0].split(" - ")[0].split(maxsplit=1)[1]

    def _run(self, name: str, module: Path | None) -> subprocess.CompletedProcess[str]:
        """Run a stage, with the tests of the changed module first, and its doctests."""
        stage = self._stages[name]
        about = () if module is None else module.with_suffix("").parts
        tests = sorted(stage.tests, key=lambda each: each.stem.removeprefix("test_") not in about)
        words = [*stage.options, *(str(each.relative_to(self._tree)) for each in tests)]
        if module is not None:
            words.append(str(module))
        return subprocess.run(  # noqa: S603  # Ours, with arguments of ours.
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *words],
            cwd=self._copy,
            env={**os.environ, "PYTHONPATH": f"{self._copy / 'src'}{os.pathsep}{self._copy}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=self._limits.get(name),
        )

    def _write(self, path: Path, text: str) -> None:
        """Write a module so that no bytecode made of another version of it is taken for it."""
        path.write_text(text, encoding="utf-8")
        modified = next(self._modified)
        os.utime(path, (modified, modified))
