"""A command is declared once, under a name of its own, by somebody."""

from dataclasses import replace

import pytest

from ledger.commands import every
from ledger.commands.every import COMMANDS
from ledger.kernel.roles import OPERATOR, Role


def test_two_commands_of_one_name_are_refused_at_once():
    pay = COMMANDS["pay"]

    with pytest.raises(TypeError, match="two commands are called pay"):
        every._by_name([pay, replace(pay, by=(Role.CLERK,))])  # noqa: SLF001  # It runs at import.


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_says_what_it_does_and_who_may(command):
    assert command.purpose.endswith(".")
    assert command.by
    assert set(command.by) <= {*Role, OPERATOR}
