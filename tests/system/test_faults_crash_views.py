"""A process that ends before or after any step of following leaves a view as it was, or level."""

import os

import pytest
from sqlalchemy import event

from ledger.commands import Ledger
from ledger.store.engine import is_url
from projections.kernel.follow import Follower
from projections.views.every import all_views
from projections.views.fund_balances import FundBalances
from projections.views.opening import open_views
from tests.charity import charity
from tests.oracle import check
from tests.processes import processes
from tests.system.test_faults_crash import CRASHED, START_S

STEPS = {
    "rows": tuple(f"INSERT INTO {table.name} " for table in FundBalances.tables),
    "position": ("UPDATE tracking ",),
}

MOMENTS = [f"{when} {step}" for step in STEPS for when in ("before", "after")] + ["after commit"]


def follow_and_crash(place, views, at):
    """Bring a view level, in a process that ends at that step."""
    engine = open_views(views)
    follower = Follower(Ledger(place, writes=False), engine, [FundBalances()])
    moved = []

    def step(when, statement):
        for name, beginnings in STEPS.items():
            if statement.startswith(beginnings):
                moved.append(name)
                if at == f"{when} {name}":
                    os._exit(CRASHED)

    @event.listens_for(engine, "before_cursor_execute")
    def _before(_connection, _cursor, statement, *_):
        step("before", statement)

    @event.listens_for(engine, "after_cursor_execute")
    def _after(_connection, _cursor, statement, *_):
        step("after", statement)

    @event.listens_for(engine, "checkin")
    def _committed(*_):
        if at == "after commit" and "position" in moved:
            os._exit(CRASHED)

    follower.catch_up()
    os._exit(0)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_crash_leaves_rows_and_position_together_or_neither(place, tmp_path, moment):
    views = place if is_url(place) else tmp_path / "views.db"
    with charity(place) as house:
        house.open_fund()
        house.gift(100_00)
        engine = open_views(views)
        before = Follower(house.ledger, engine, all_views()).catch_up()
        house.gift(7_00)
        after = house.ledger.store.last_position()

    crashing = processes().Process(target=follow_and_crash, args=(place, views, moment))
    crashing.start()
    crashing.join(START_S)

    assert crashing.exitcode == CRASHED
    with engine.connect() as connection:
        reached = FundBalances().reached(connection)
    engine.dispose()
    assert reached == (after if moment == "after commit" else before)
    assert check(place, views) == after
