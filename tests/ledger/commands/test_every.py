"""A command is declared once, under a name of its own, by somebody."""

from contextlib import closing
from dataclasses import replace

import pytest

from ledger.commands import Ledger, every
from ledger.commands.every import COMMANDS
from ledger.kernel.roles import OPERATOR, Role, RoleForbidden
from tests.spec import act


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    with closing(Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")) as opened:
        yield opened


def test_two_commands_of_one_name_are_refused_at_once():
    pay = COMMANDS["pay"]

    with pytest.raises(TypeError, match="two commands are called pay"):
        every._by_name([pay, replace(pay, by=(Role.CLERK,))])  # noqa: SLF001  # It runs at import.


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_says_what_it_does_and_who_may(command):
    assert command.purpose.endswith(".")
    assert command.by
    assert set(command.by) <= {*Role, OPERATOR}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_whoever_may_not_is_refused_before_anything_is_read(ledger, command):
    others = {*Role, OPERATOR}.difference(command.by)
    assert others

    for role in others:
        with pytest.raises(RoleForbidden) as refused:
            ledger.record(command, act(role=role))
        assert set(refused.value.facts["roles"]) == set(command.by)
    assert ledger.store.last_position() == 0
