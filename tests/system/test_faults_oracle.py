"""The oracle sees what it is there to see."""

import pytest

from tests.charity import charity
from tests.oracle import SentCommand, check
from tests.stores import connected
from tests.system.test_faults_crash import TOPICS, batch

CRIMES = {
    "an event is lost": "DELETE FROM stored_events WHERE position = 3",
    "the newest is lost": "DELETE FROM stored_events WHERE position ="
    " (SELECT max(position) FROM stored_events)",
    "an answer is lost": "DELETE FROM answers",
    "a tally is wrong": "UPDATE tallies SET value = value + 1 WHERE name = 'available'",
    "a payment is not counted": "DELETE FROM tallies WHERE name = 'counted'",
}


@pytest.mark.parametrize("crime", CRIMES)
def test_what_is_wrong_is_found(tmp_path, crime):
    place, views = tmp_path / "ledger.db", tmp_path / "views.db"
    with charity(place) as house:
        house.open_fund()
        house.gift(1_000)
        held = {"donation": house.pledge(100), "disbursement": house.request(400)}
        house.approve(held["disbursement"])
        asked = []
        for (command, by, args, said), topics in zip(batch(held), TOPICS, strict=True):
            receipt = house.ledger.record(command, by, *args, **said)
            told = {"id": receipt.id, "position": receipt.position}
            asked.append(SentCommand(by.command, topics, told))
    check(place, views, asked)

    with connected(place) as connection:
        connection.execute(CRIMES[crime])

    with pytest.raises(AssertionError):
        check(place, views, asked)
