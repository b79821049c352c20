"""Views are made anew beside the ones that are read, and a view that cannot go on says so."""

import re
import sqlite3
from contextlib import closing
from datetime import date

import pytest
from sqlalchemy import create_engine, event, inspect, select

from ledger.books.tallies import COUNTED
from ledger.commands import Ledger
from ledger.kernel.names import Position
from projections.kernel.follow import Follower, ViewStopped
from projections.replay.fold import fold
from projections.replay.rebuild import rebuild
from projections.views.audit_trail import AuditTrail
from projections.views.every import all_views
from projections.views.fund_balances import BALANCES, FundBalances, days_of, fund_balance
from projections.views.journal import Journal
from projections.views.opening import open_views, prepare_unread
from tests.charity import charity
from tests.samples import HEAR

VIEWS = (FundBalances(), Journal(), AuditTrail())


@pytest.fixture(name="house")
def _house(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        house.pay_in(house.pledge(100_00), 60_00)
        yield house


@pytest.fixture(name="where")
def _where(tmp_path):
    return tmp_path / "views.db"


def received(engine):
    with engine.connect() as connection:
        return connection.execute(select(BALANCES.c.received)).scalar()


def test_a_wrong_row_is_right_again_after_a_rebuild(house, where):
    with closing_engine(where) as engine:
        Follower(house.ledger, engine, VIEWS).catch_up()
        with engine.begin() as connection:
            connection.execute(BALANCES.update().values(received=1))

        reached = rebuild(house.ledger, where, VIEWS)

        assert (reached, received(engine)) == (house.ledger.store.last_position(), 60_00)


def test_what_is_recorded_while_views_are_made_anew_is_not_lost(house, where):
    """The views that are read have gone on by the time that the new rows could take their place."""
    with closing_engine(where) as engine:
        served = Follower(house.ledger, engine, VIEWS)
        served.catch_up()
        gifts = iter([5_00, 7_00])

        def go_on(position, goal):
            amount = next(gifts, None) if position == goal else None
            if amount is not None:
                house.gift(amount)
                served.catch_up()

        reached = rebuild(house.ledger, where, VIEWS, progress=go_on)

        assert next(gifts, None) is None
        assert (reached, received(engine)) == (house.ledger.store.last_position(), 72_00)
        assert served.catch_up() == reached


@pytest.mark.slow
def test_nothing_is_looked_for_row_by_row_while_views_are_made_anew(tmp_path, here):
    """Their tables have no index then but of their keys, and a history may be long."""
    here("generate", "--events", "4000", "--data", tmp_path)
    engine = create_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    prepare_unread(engine)
    asked = {}

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_, __, statement, parameters, ___, many):
        if statement.split()[0] in {"SELECT", "UPDATE", "DELETE"} and "schema" not in statement:
            asked.setdefault(statement, parameters[0] if many else parameters)

    with closing(Ledger(tmp_path / "ledger.db", writes=False)) as ledger:
        Follower(ledger, engine, all_views()).catch_up()
    with closing(engine.raw_connection()) as connection:
        plans = {
            statement: [
                step[-1] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}", said)
            ]
            for statement, said in asked.items()
        }
    engine.dispose()

    assert len([each for each in plans if each.startswith("DELETE FROM unconfirmed")]) == 2
    looked_up = re.compile(r"SEARCH .*\(\w+=\?|SCAN CONSTANT ROW|LIST SUBQUERY")
    assert [plan for plan in plans.values() if not all(map(looked_up.match, plan))] == []


def test_only_the_views_that_are_named_are_made_anew(house, where):
    with closing_engine(where) as engine:
        Follower(house.ledger, engine, VIEWS).catch_up()
        with engine.begin() as connection:
            connection.execute(BALANCES.update().values(received=1))

        rebuild(house.ledger, where, [Journal()])

        assert received(engine) == 1


def test_whoever_follows_goes_on_from_the_new_rows(house, where):
    with closing_engine(where) as engine:
        follower = Follower(house.ledger, engine, VIEWS)
        follower.catch_up()
        rebuild(house.ledger, where, VIEWS)
        house.pay_in(house.pledge(5_00), 5_00)

        follower.catch_up()

        assert received(engine) == 65_00


def test_nothing_is_left_beside(house, where):
    with closing_engine(where):
        rebuild(house.ledger, where, VIEWS)

    assert sorted(path.name for path in where.parent.glob(".views-*")) == []


def test_the_new_rows_are_found_by_the_same_indexes(house, where):
    with closing_engine(where) as engine:
        before = indexes(engine)
        rebuild(house.ledger, where, VIEWS)

        assert indexes(engine) == before
        assert "fund_movements_by_day" in before


def test_rows_made_without_indexes_are_the_same_rows(house, where, tmp_path):
    with closing_engine(where) as engine, closing_engine(tmp_path / "other.db") as other:
        Follower(house.ledger, engine, all_views()).catch_up()
        rebuild(house.ledger, tmp_path / "other.db", all_views())
        for table in (each for view in all_views() for each in view.tables):
            with engine.connect() as one, other.connect() as two:
                ours, theirs = (each.execute(select(table)).all() for each in (one, two))
            assert sorted(ours, key=repr) == sorted(theirs, key=repr), table.name


def test_two_that_follow_count_each_event_once(house, where):
    with closing_engine(where) as engine, closing_engine(where) as other:
        one, two = (Follower(house.ledger, each, VIEWS) for each in (engine, other))
        one.catch_up()
        house.pay_in(house.pledge(5_00), 5_00)
        two.catch_up()
        one.catch_up()

        assert received(engine) == 65_00


def indexes(engine):
    found = inspect(engine)
    return {each["name"] for name in found.get_table_names() for each in found.get_indexes(name)}


class Choosy(Journal):
    """A journal that cannot take in the payment."""

    name = "choosy"

    def write(self, _, batch):
        if any(fact.TOPIC.startswith("donation.payment") for _, fact in batch):
            raise ValueError("no such account")


def test_an_event_that_a_view_cannot_take_in_stops_that_view_alone(house, where, caplog):
    with closing_engine(where) as engine:
        follower = Follower(house.ledger, engine, [FundBalances(), Choosy()])

        with pytest.raises(ViewStopped, match="choosy stopped before event 4"):
            follower.catch_up()

        assert follower.catch_up("fund_balances") == house.ledger.store.last_position()
        assert follower.positions["choosy"] == 3
        assert follower.stopped == {"choosy": "no such account"}
        assert "view choosy stopped at event 4" in caplog.text


def test_an_event_that_cannot_be_read_stops_every_view_before_it(house, where, tmp_path):
    last = house.ledger.store.last_position()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.execute("UPDATE stored_events SET state = ? WHERE position = ?", (b"{", last))
        connection.commit()
    with closing_engine(where) as engine:
        follower = Follower(house.ledger, engine, VIEWS)

        with pytest.raises(ViewStopped):
            follower.catch_up()

        assert set(follower.positions.values()) == {last - 1}


def test_the_straight_loop_comes_to_what_the_views_show(house, where):
    with closing_engine(where) as engine:
        position = Follower(house.ledger, engine, VIEWS).catch_up()
        books = fold(house.ledger)

        with engine.connect() as connection:
            shown = fund_balance(connection, HEAR, position)
        figures = books.balances()[HEAR]

        stored = {t: value for t, value in house.ledger.store.all_tallies() if t.name != COUNTED}

        assert books.position == position
        assert (figures.received, figures.pledged) == (60_00, 40_00)
        assert (shown.received, shown.pledged) == (60_00, 40_00)
        assert {t: value for t, value in books.all_tallies().items() if value} == stored
        assert books.payments == 1


def test_the_straight_loop_stops_where_it_is_told(house):
    assert fold(house.ledger, until=Position(3)).balances()[HEAR].received == 0


def test_a_batch_looks_up_its_own_days_and_not_every_day_there_ever_was(where):
    with closing_engine(where) as engine, engine.connect() as connection:
        asked = days_of({HEAR, "F-GEN"}, {date(2026, 3, 1), date(2026, 3, 2)})
        words = asked.compile(engine, compile_kwargs={"literal_binds": True})
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}").fetchall()

        assert [row[3].split()[0] for row in plan] == ["SEARCH"]


class closing_engine:  # noqa: N801  # Reads like contextlib's closing.
    def __init__(self, where):
        self.engine = open_views(where)

    def __enter__(self):
        return self.engine

    def __exit__(self, *_):
        self.engine.dispose()
