"""What may happen to the things of one kind, and which commands that has to try."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import ModuleType
from typing import Any, NamedTuple

from ledger.commands.command import Command


class Chance(NamedTuple):
    """Something that may happen, and the choices that it leaves open."""

    step: Callable[..., None]
    choices: Mapping[str, Sequence[Any]]

    def chosen(self, dice: Random) -> dict[str, Any]:
        """Choose."""
        return {name: dice.choice(options) for name, options in self.choices.items()}


class Noun:
    """The chances of one noun, in a file of its own.

    Attributes:
        name: Of its file of commands.
        commands: What these chances have to carry out and to have refused.
        chances: What may happen.
        rules: What holds of the noun after every step.

    """

    def __init__(self, commands: ModuleType, *feeds: type) -> None:
        """Take the commands that one file declares, and the feeds that are decided beside them."""
        self.name = commands.__name__.rpartition(".")[2]
        declared = [each for each in vars(commands).values() if isinstance(each, Command)]
        self.commands = {each.name for each in declared} | {each.__name__ for each in feeds}
        self.chances: list[Chance] = []
        self.rules: list[Callable[..., None]] = []

    def chance(self, **choices: Sequence[Any]) -> Callable[..., Any]:
        """Say that the function below may happen, with any of these."""

        def mark(step: Callable[..., None]) -> Callable[..., None]:
            self.chances.append(Chance(step, choices))
            return step

        return mark

    def rule(self, holds: Callable[..., None]) -> Callable[..., None]:
        """Say that the function below holds after every step."""
        self.rules.append(holds)
        return holds
