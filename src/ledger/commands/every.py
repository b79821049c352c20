"""Every command, by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ledger.commands import (
    disbursements,
    donations,
    donors,
    funds,
    policies,
    public_logs,
    relations,
    sales,
    staff,
)
from ledger.commands.command import Command

NOUNS = (
    disbursements,
    donations,
    donors,
    funds,
    policies,
    public_logs,
    relations,
    sales,
    staff,
)


def _by_name(declared: Iterable[object]) -> dict[str, Command[Any]]:
    """Return the commands among what modules declare, by their names, each given once."""
    commands: dict[str, Command[Any]] = {}
    for each in declared:
        if isinstance(each, Command) and commands.setdefault(each.name, each) is not each:
            raise TypeError(f"two commands are called {each.name}")
    return commands


COMMANDS: Mapping[str, Command[Any]] = _by_name(
    each for noun in NOUNS for each in vars(noun).values()
)
"""What can be asked, by name."""
