"""``leifeng replay`` finds whatever was changed by hand, and names it."""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from threading import Event, Thread

import pytest

from api.app import open_site
from api.cli import main
from api.cli.demo_data.story import Story
from ledger.commands import Ledger
from projections.replay.replay import replay as replayed
from projections.views.every import all_views
from projections.views.opening import open_views
from tests.charity import Charity
from tests.processes import leifeng

HEAR_BALANCE = 1_797_089


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The story, played once; tests work on copies."""
    data = tmp_path_factory.mktemp("story") / "data"
    with open_site(data) as site:
        Story(site).play(lambda *_: None)
        site.follower.catch_up()
    return data


@pytest.fixture
def data(story, tmp_path):
    return shutil.copytree(story, tmp_path / "data")


def by_hand(file, *statements):
    """Change a database as somebody with a shell would; return how many rows that touched."""
    with closing(sqlite3.connect(file)) as connection, connection:
        return sum(connection.execute(statement).rowcount for statement in statements)


@pytest.fixture
def replay(capsys):
    """Return what runs the command and reads its JSON, with the code it ended with."""

    def run(data, *options):
        with pytest.raises(SystemExit) as ended:
            main(["replay", "--data", str(data), "--json", *options])
        return ended.value.code, json.loads(capsys.readouterr().out)

    return run


def test_what_nobody_touched_is_equal(data, replay):
    code, found = replay(data)

    assert (code, found["equal"], found["differences"]) == (0, True, [])
    assert found["tallies_compared"] is True
    assert set(found["served"].values()) == {found["position"]}
    hear = next(each for each in found["balances"] if each["fund"] == "F-HEAR")
    assert hear["balance"] == HEAR_BALANCE


def test_a_changed_row_is_named_with_both_figures(data, replay):
    changed = "UPDATE fund_balances SET received = received + 1 WHERE fund = 'F-HEAR'"
    assert by_hand(data / "views.db", changed) == 1

    code, found = replay(data)

    assert (code, found["equal"]) == (1, False)
    assert found["differences"] == [
        {
            "table": "fund_balances",
            "row": {"fund": "F-HEAR"},
            "served": {"received": 21_472_090},
            "replayed": {"received": 21_472_089},
        }
    ]


def test_an_added_row_is_named(data, replay):
    added = (
        'INSERT INTO journal_lines SELECT position, 99, "on", type, account, fund, 1'
        " FROM journal_lines LIMIT 1"
    )
    assert by_hand(data / "views.db", added) == 1

    code, found = replay(data)

    (difference,) = found["differences"]
    assert code == 1
    assert (difference["table"], difference["row"]["line"]) == ("journal_lines", 99)
    assert difference["served"]["amount"] == 1
    assert difference["replayed"] is None


def test_a_deleted_row_is_named(data, replay):
    assert by_hand(data / "views.db", "DELETE FROM sale_items WHERE sku = 'L3'") == 1

    code, found = replay(data)

    (difference,) = found["differences"]
    assert code == 1
    assert (difference["table"], difference["row"]["sku"]) == ("sale_items", "L3")
    assert difference["served"] is None
    assert difference["replayed"]["name"] == "手工风筝"


TABLES = {table.name: table for view in all_views() for table in view.tables}


def made_up(table):
    """Return what adds a row to a table that no event led to."""
    values = {int: "0", str: "'x'", bool: "0", date: "'2026-01-01'", object: "'null'"}
    row = ", ".join(values[column.type.python_type] for column in table.columns)
    return f"INSERT INTO {table.name} VALUES ({row})"  # noqa: S608  # Our own names.


@pytest.mark.parametrize("table", TABLES)
def test_no_table_is_left_out(data, replay, table):
    emptied = by_hand(data / "views.db", f"DELETE FROM {table}")  # noqa: S608  # Our own name.
    assert by_hand(data / "views.db", made_up(TABLES[table])) == 1

    code, found = replay(data)

    assert code == 1
    assert {each["table"] for each in found["differences"]} == {table}
    assert found["different"] == len(found["differences"]) == emptied + 1


@pytest.mark.parametrize(
    ("change", "served"),
    [
        ("UPDATE tallies SET value = value - 7 WHERE name = 'available' AND value > 7", "less"),
        ("UPDATE tallies SET value = 2 WHERE name = 'counted'", "two"),
        ("INSERT INTO tallies VALUES ('fund F-GHOST', 'available', 5, 0)", "ghost"),
        ("DELETE FROM tallies WHERE name = 'pledged'", "none"),
    ],
)
def test_a_changed_tally_is_named(data, replay, change, served):
    changed = by_hand(data / "ledger.db", change)
    assert changed > 0, served

    code, found = replay(data)

    assert code == 1
    assert {each["table"] for each in found["differences"]} == {"tallies"}
    named = [each["row"] for each in found["differences"] if "subject" in each["row"]]
    expected = {"less": "available", "two": "counted", "ghost": "available", "none": "pledged"}
    assert {each["name"] for each in named} == {expected[served]}
    assert (served == "ghost") == (named[0]["subject"] == "fund F-GHOST")


def test_a_payment_that_is_no_longer_counted_is_missed(data, replay):
    """Only their number is added up again, so no single one is named."""
    counted = "SELECT min(subject) FROM tallies WHERE name = 'counted'"
    deleted = f"DELETE FROM tallies WHERE name = 'counted' AND subject = ({counted})"  # noqa: S608
    assert by_hand(data / "ledger.db", deleted) == 1

    code, found = replay(data)

    (difference,) = found["differences"]
    assert code == 1
    assert (difference["table"], difference["row"]) == ("tallies", {"name": "counted"})
    assert difference["served"]["rows"] == difference["replayed"]["rows"] - 1


def test_a_position_set_back_by_hand_is_found(data, replay):
    """Else the view would count the last events twice, and replay would call that equal."""
    assert by_hand(data / "views.db", "UPDATE tracking SET position = position - 3") > 0

    code, found = replay(data)

    assert (code, found["equal"]) == (1, False)


def test_until_an_earlier_position_it_shows_what_was_known_then(data, replay):
    code, found = replay(data, "--until", "500")

    assert (code, found["position"], found["tallies_compared"]) == (0, 500, False)
    assert next(each for each in found["balances"] if each["fund"] == "F-HEAR")["received"] == 0


def test_until_an_earlier_position_a_changed_movement_is_found(data, replay):
    change = (
        "UPDATE fund_movements SET pledged = pledged + 1 WHERE fund = 'F-GEN' AND position ="
        " (SELECT max(position) FROM fund_movements WHERE fund = 'F-GEN' AND position <= 100)"
    )
    assert by_hand(data / "views.db", change) == 1

    code, found = replay(data, "--until", "100")

    assert code == 1
    (difference,) = found["differences"]
    assert (difference["table"], difference["row"]["fund"]) == ("fund_movements", "F-GEN")
    assert difference["served"]["pledged"] == difference["replayed"]["pledged"] + 1


def test_until_beyond_the_end_is_until_the_end(data, replay):
    code, found = replay(data, "--until", "1000000")

    assert (code, found["tallies_compared"]) == (0, True)


def test_without_any_views_the_balances_are_told_all_the_same(data, replay):
    for file in data.glob("views.db*"):
        file.unlink()

    code, found = replay(data)

    assert (code, set(found["served"].values())) == (0, {0})
    hear = next(each for each in found["balances"] if each["fund"] == "F-HEAR")
    assert hear["balance"] == HEAR_BALANCE


def test_of_very_many_differences_all_are_counted_and_the_first_are_kept(data):
    emptied = by_hand(data / "views.db", "DELETE FROM journal_lines")
    by_hand(data / "ledger.db", "INSERT INTO tallies VALUES ('fund F-GHOST', 'available', 5, 0)")
    ledger, views = Ledger(data / "ledger.db", writes=False), open_views(data / "views.db")
    with closing(ledger):
        few = replayed(ledger, views, all_views(), keep=3)
        every = replayed(ledger, views, all_views(), keep=emptied + 2)
    views.dispose()

    assert few.different == every.different == len(every.differences) == emptied + 1
    assert few.differences == every.differences[:3]
    assert every.differences[-1].table == "tallies"


def test_views_that_are_not_at_one_place_are_compared_each_at_its_own(tmp_path):
    data = tmp_path / "data"
    with open_site(data) as site:
        charity = Charity(site.ledger)
        charity.open_fund()
        charity.gift(100_00)
        site.follower.catch_up("fund_balances", "journal")
        charity.gift(200_00)
        site.follower.catch_up("journal")

        found = replayed(site.ledger, site.views, all_views())

    assert found.differences == []
    assert len(set(found.served.values())) == 3
    assert found.balances[0].received == 300_00


def test_a_ledger_that_goes_on_meanwhile_is_not_called_different(tmp_path):
    data, done = tmp_path / "data", Event()
    with open_site(data) as site:
        charity = Charity(site.ledger)
        charity.open_fund()
        site.follower.start()

        def go_on():
            while not done.is_set():
                charity.gift(1)

        writer = Thread(target=go_on)
        writer.start()
        try:
            reader, views = Ledger(data / "ledger.db", writes=False), open_views(data / "views.db")
            with closing(reader):
                found = [replayed(reader, views, all_views()) for _ in range(5)]
            views.dispose()
        finally:
            done.set()
            writer.join()

    assert [each.differences for each in found] == [[]] * 5
    assert found[0].position < found[-1].position


def test_it_says_so_in_words_and_by_its_exit_code(data):
    equal = leifeng("replay", "--data", data)
    by_hand(data / "views.db", "UPDATE fund_balances SET paid = 1 WHERE fund = 'F-HEAR'")

    different = leifeng("replay", "--data", data)

    assert (equal.returncode, different.returncode) == (0, 1)
    assert "17,970.89" in equal.stdout
    assert "every row served is what they add up to" in equal.stdout
    assert "1 rows differ" in different.stdout
    assert "fund_balances (fund F-HEAR): served paid 1, replayed paid 19675000" in different.stdout
    assert equal.stderr == different.stderr == ""
