"""Somebody who reads a document at a terminal and types its commands, to see what it shows.

A ``sh`` block is typed as it is. In a ``console`` block lines after ``$`` are typed, and the lines
below each are what it prints; ``…`` stands for any text, and alone on a line for any lines. Any
other block that names a file is saved as that file. A command may only fail where the next one
asks how it ended.

``python -m tests.reader FILE [NAME=OTHER …]`` prints what the commands of a document print here,
where what it calls NAME is called OTHER.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

from tests.documents import Document

PROGRAMS = Path(sys.executable).parent
"""Where ``leifeng`` and ``python`` are installed, as ``.venv/bin`` is in a checkout."""

COMMAND_S = 120.0
"""Seconds in which a command ends."""

ANY = "…"
PROMPT = "$ "
MARK = "\x01"
ASKS_HOW_IT_ENDED = "echo $?"


@dataclass(frozen=True)
class Step:
    """A command, the lines that the document shows below it, and those that it printed."""

    command: str
    shown: list[str] | None
    printed: list[str]
    code: int

    @property
    def is_as_shown(self) -> bool:
        """Whether it printed what the document shows, if that shows anything."""
        return self.shown is None or matches(self.shown, self.printed)


class Terminal:
    """A shell in ``folder``, with whatever it starts."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        around = os.environ | environment
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],  # noqa: S607  # The reader's own shell.
            cwd=folder,
            env=around | {"PATH": f"{PROGRAMS}{os.pathsep}{around['PATH']}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def type(self, command: str) -> tuple[list[str], int]:
        """Return the lines that a command prints, and its exit code."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f'{command}\n_code=$?; echo "{MARK}$_code"; (exit $_code)\n')
        self._bash.stdin.flush()
        timer = Timer(COMMAND_S, self.close)
        timer.start()
        lines = []
        for line in self._bash.stdout:
            text, mark, code = line.rstrip("\n").partition(MARK)
            if text or not mark:
                lines.append(text.rstrip())
            if mark:
                timer.cancel()
                return lines, int(code)
        raise AssertionError(f"{command} did not end: {lines}")

    def save(self, name: str, text: str) -> None:
        """Write a file, as the reader does with an editor."""
        (self._folder / name).write_text(text, encoding="utf-8")

    def close(self) -> None:
        """End the shell and everything that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        with self._bash:  # Closes its pipes, and waits for its end.
            pass


def read(document: Document, terminal: Terminal, here: Mapping[str, str]) -> Iterator[Step]:
    """Type every command of ``document``.

    Args:
        document: What is read.
        terminal: Where its commands are typed.
        here: What is called otherwise on this machine, by the document's name for it.

    """
    for block in document.blocks:
        text = _replaced(block.text, here)
        if block.language == "console":
            for command, shown in _typed(text):
                yield Step(command, shown, *terminal.type(command))
        elif block.language == "sh":
            yield Step(text, None, *terminal.type(text))
        elif block.name:
            terminal.save(block.name, text)


def faults(steps: list[Step]) -> list[str]:
    """Return what is not as the document has it."""
    differ = [
        "\n".join([step.command, "shows", *(step.shown or []), "but printed", *step.printed])
        for step in steps
        if not step.is_as_shown
    ]
    following = [*(step.command for step in steps[1:]), ""]
    failed = [
        "\n".join([step.command, f"ended with {step.code}", *step.printed])
        for step, after in zip(steps, following, strict=True)
        if step.code and after.strip() != ASKS_HOW_IT_ENDED
    ]
    return differ + failed


def matches(shown: list[str], printed: list[str]) -> bool:
    """Return whether what was printed is what is shown."""
    lines = "".join(r"(.*\n)*?" if line == ANY else f"{_pattern(line)}\\n" for line in shown)
    return re.fullmatch(lines, "".join(f"{line}\n" for line in printed)) is not None


@contextmanager
def at_terminal(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Terminal]:
    """Sit down at a terminal in ``folder``; end whatever was started there."""
    terminal = Terminal(folder, environment or {})
    try:
        yield terminal
    finally:
        terminal.close()


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(ANY))


def _replaced(text: str, here: Mapping[str, str]) -> str:
    for name, other in here.items():
        text = text.replace(name, other)
    return text


def _typed(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a ``console`` block, with the lines below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip("\n").split("\n")
        while command.endswith("\\"):
            command = f"{command}\n{shown.pop(0).removeprefix('> ')}"
        yield command, [line.rstrip() for line in shown]


if __name__ == "__main__":
    _, file, *_names = sys.argv
    _here = {"./run ": "leifeng "} | dict(each.split("=", 1) for each in _names)
    with TemporaryDirectory() as _made, at_terminal(Path(_made)) as _terminal:
        for each in read(Document(Path(file)), _terminal, _here):
            sys.stdout.write("\n".join([PROMPT + each.command, *each.printed, ""]))
            sys.stdout.flush()
