"""Years of a charity's life by chance, allowed and forbidden: the books hold after every step."""

from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, currently_in_test_context, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.stateful import run_state_machine_as_test as run

from ledger.commands import every
from tests.simulation.every import CHANCES, NOUNS, found, step
from tests.simulation.life import Life
from tests.stores import Postgres

STEPS = 60
"""Of a life: long enough for a sale to be settled, short enough to be held to its books often."""

LIVES_MAX = 40
"""In which a noun meets its quota, or one of its commands is as good as never tried."""

OWN = 0.6
"""The share of steps that are of the noun whose quota is to be met."""


class Years(RuleBasedStateMachine):
    """A life whose steps are drawn, and shortened where one breaks a rule."""

    steps: ClassVar[int] = 0
    """Taken in all runs together."""

    def __init__(self):
        super().__init__()
        self.opened = ExitStack()
        self.life = Life(self.somewhere())
        self.charity = 0

    def somewhere(self):
        """Return where a new ledger can be kept."""
        return Path(self.opened.enter_context(TemporaryDirectory())) / "ledger.db"

    @initialize(charity=st.integers(0, 2**32))
    def founding(self, charity):
        self.charity = charity
        found(self.life)

    @rule(seed=st.integers(0, 2**32))
    def something_happens(self, seed):
        """Take one step. The seed says which, another one each time, so that all are as likely."""
        type(self).steps += 1
        dice = Random(f"{self.charity} {seed} {self.steps}")
        chance = dice.choice(CHANCES)
        chosen = chance.chosen(dice)
        if currently_in_test_context():
            note(f"{self.life.today} {chance.step.__name__} {chosen}")
        step(self.life, chance, chosen)

    def teardown(self):
        self.life.end()
        self.opened.close()


class YearsOnPostgres(Years):
    """The same on the other store."""

    steps: ClassVar[int] = 0
    server: ClassVar[Postgres]

    def somewhere(self):
        return self.opened.enter_context(self.server.used_database())


def live_through(years, runs):
    years.steps = 0
    run(
        years,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert years.steps > runs * STEPS / 2


@pytest.mark.parametrize("runs", [5, pytest.param(30, marks=pytest.mark.slow)])
def test_the_books_hold_in_any_years(runs):
    live_through(Years, runs)


@pytest.mark.slow
def test_the_books_hold_on_postgresql_too(postgres):
    YearsOnPostgres.server = postgres
    live_through(YearsOnPostgres, 10)


def test_every_command_is_of_a_noun_that_is_simulated():
    assert every.COMMANDS.keys() <= set().union(*(noun.commands for noun in NOUNS))


@pytest.mark.parametrize("quota", [3, pytest.param(10, marks=pytest.mark.slow)])
@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_each_command_is_carried_out_and_refused(noun, quota, tmp_path):
    """Hypothesis repeats itself, to make a fault shorter; a plain dice comes to everything.

    Most steps are the noun's own, so that its commands come up as often however many nouns the
    charity has.
    """
    outcomes = dict.fromkeys(
        ((command, outcome) for command in noun.commands for outcome in ("done", "refused")), 0
    )
    for charity in range(LIVES_MAX):
        life = Life(tmp_path / f"{charity}.db")
        life_of(noun, life, Random(f"{noun.name} {charity}"))
        for each in outcomes:
            outcomes[each] += life.outcomes[each]
        if min(outcomes.values()) >= quota:
            break

    missed = {each: times for each, times in outcomes.items() if times < quota}
    assert not missed, "what never happens is not tested"


def life_of(noun, life, dice):
    """Live through a life whose steps are mostly of one noun."""
    found(life)
    for _ in range(STEPS):
        chance = dice.choice(noun.chances if dice.random() < OWN else CHANCES)
        step(life, chance, chance.chosen(dice))
    life.end()
