"""A made-up history is a real ledger: same aggregates, same store, and the same for one seed."""

import json
from collections import Counter
from contextlib import closing

import pytest

from api.cli import main
from api.cli.demo_data import years
from api.cli.demo_data.bulk import Bulk, NotEmpty
from api.cli.demo_data.randomness import Luck
from api.cli.demo_data.years import Years
from ledger.commands import Ledger
from projections.kernel.follow import Follower
from projections.kernel.history import as_record, rest
from projections.replay.fold import fold
from projections.replay.replay import replay
from projections.views.every import all_views
from projections.views.opening import open_views

EVENTS = 4_000

CHANCE = {"id", "command", "salt"}
"""What of an event no seed decides."""


def made(path, *, events=EVENTS, seed=1):
    with closing(Bulk(path)) as ledger:
        Years(ledger, events=events, seed=seed).live()
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return made(tmp_path_factory.mktemp("generated") / "ledger.db")


def told(path):
    """Return what happened, without the ids that are drawn from no seed."""
    drawn = {}
    with closing(Ledger(path, writes=False)) as ledger:
        for position, fact in rest(ledger):
            record = as_record(position, fact)
            who = drawn.setdefault(record["id"], len(drawn))
            said = {k: v for k, v in record["data"].items() if k not in {"donor", "sale"}}
            yield who, said, {k: v for k, v in record.items() if k not in {*CHANCE, "data"}}


def test_it_has_as_many_events_as_asked_for_in_a_charitys_mix(path):
    with closing(Ledger(path, writes=False)) as ledger:
        kinds = Counter(fact.TOPIC for _, fact in rest(ledger))

    assert EVENTS <= kinds.total() <= EVENTS + 10
    for topic in (
        "donation.pledged.1",
        "donation.payment-received.1",
        "sale-order.placed.1",
    ):
        assert kinds[topic] / kinds.total() == pytest.approx(0.3, abs=0.03)
    assert kinds.keys() > {
        "sale-order.goods-returned.1",
        "donation.refunded.1",
        "donation.excess-given.1",
        "donation.withdrawn.1",
        "fund.transferred.1",
        "disbursement.acknowledged.1",
        "sale.settled.1",
        "sale.remitted.1",
    }


def test_its_books_balance_and_no_fund_is_overspent(path):
    with closing(Ledger(path, writes=False)) as ledger:
        books = fold(ledger)

    by_fund = Counter()
    for (_, fund, _), (debit, credit) in books.accounts.items():
        by_fund[fund] += debit - credit
    assert set(by_fund.values()) == {0}
    assert all(figures.available >= 0 for figures in books.balances().values())


def test_its_tallies_and_views_are_what_its_events_add_up_to(path, tmp_path):
    views = open_views(tmp_path / "views.db")
    with closing(Ledger(path, writes=False)) as ledger:
        Follower(ledger, views, all_views()).catch_up()
        found = replay(ledger, views, all_views())
    views.dispose()

    assert found.position >= EVENTS
    assert found.differences == []


def test_one_seed_is_one_history(path, tmp_path):
    again = made(tmp_path / "again.db")

    assert list(told(again)) == list(told(path))


def test_another_seed_is_another_history(path, tmp_path):
    other = made(tmp_path / "other.db", seed=2)

    assert list(told(other)) != list(told(path))


def test_what_is_remembered_does_not_grow_with_the_history(tmp_path, monkeypatch):
    for pool in ("PROMISES_MAX", "GIFTS_MAX", "DONORS_MAX", "CASES_MAX"):
        monkeypatch.setattr(years, pool, 20)
    with closing(Bulk(tmp_path / "ledger.db")) as ledger:
        Years(ledger, events=EVENTS, seed=1).live()
        remembered = ledger.remembered

    assert remembered <= 4 * 20 + len(years.FUNDS) + len({"the open sale", "the one before"})


def test_a_pool_never_outgrows_its_size():
    luck, pool = Luck(1), []

    gone = [luck.keep(pool, number, 3) for number in range(10)]

    assert len(pool) == 3
    assert sorted([*pool, *(each for each in gone if each is not None)]) == list(range(10))


def test_it_is_not_written_over_a_ledger(path):
    with pytest.raises(NotEmpty):
        Bulk(path)


def test_the_command_makes_a_ledger_whose_views_are_level(tmp_path, capsys):
    data = str(tmp_path / "data")
    for words in (
        ["generate", "--events", "800", "--data", data],
        ["replay", "--json", "--data", data],
    ):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0

    made_up, found = capsys.readouterr().out.splitlines()
    assert made_up.startswith("演示数据 / ILLUSTRATIVE")
    found = json.loads(found)
    assert found["equal"]
    assert 800 <= found["position"] <= 810
    assert len(found["balances"]) == 12


def test_the_command_refuses_a_folder_with_a_ledger(path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["generate", "--events", "10", "--data", str(path.parent)])

    assert ended.value.code == 1
    assert "holds a ledger already" in capsys.readouterr().err
