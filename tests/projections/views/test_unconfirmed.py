"""What is to be found on a statement is the same however the history is cut into batches."""

import pytest

from projections.kernel.view import as_of_now
from projections.views.opening import open_views
from projections.views.unconfirmed import Unconfirmed, to_find, unconfirmed
from tests.charity import charity
from tests.samples import CHEN, SUN
from tests.spec import TODAY


@pytest.fixture
def house(tmp_path):
    """Two gifts of which one was found; aid that bounced, was paid anew, and was not found yet."""
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        found, _ = house.pledge(100_00), house.gift(70_00)
        house.pay_in(found, 100_00, "R-1")
        named = {"channel": "bank", "external_ref": "R-1", "statement_ref": "S-1"}
        house.do("confirm_payment", found, who=SUN, **named, on=TODAY)
        aid = house.approved(50_00)
        house.pay_out(aid)
        house.do("bounce", aid, who=CHEN, reason="户名不符", on=TODAY)
        house.pay_out(aid)
        yield house


@pytest.mark.parametrize("at_once", [1, 2, 3, 1_000])
def test_every_batch_comes_to_the_same(house, tmp_path, at_once):
    engine = open_views(tmp_path / "views.db")
    view, history = Unconfirmed(), list(house.ledger.history(0, 1_000))
    with engine.begin() as connection:
        view.begin(connection)
        for first in range(0, len(history), at_once):
            view.advance(connection, history[first : first + at_once])
    with as_of_now(engine) as connection:
        left = unconfirmed(connection)
        waiting = to_find(connection)
    engine.dispose()

    assert [(each["kind"], each["amount"]) for each in left] == [("gift", 70_00), ("payout", 50_00)]
    assert left[-1]["position"] == history[-1][0]
    assert (waiting.count, waiting.amount) == (2, 120_00)
