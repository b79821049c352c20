"""Every command, by its name: those that the modules of this folder declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.commands.command import Command
from ledger.kernel.modules import modules_beside


def _by_name(declared: Iterable[object]) -> dict[str, Command[Any]]:
    """Return the commands among what modules declare, by their names, each given once."""
    commands: dict[str, Command[Any]] = {}
    for each in declared:
        if isinstance(each, Command) and commands.setdefault(each.name, each) is not each:
            raise TypeError(f"two commands are called {each.name}")
    return commands


COMMANDS: Mapping[str, Command[Any]] = _by_name(
    each for module in modules_beside(__name__) for each in vars(module).values()
)
"""What can be asked, by name."""
