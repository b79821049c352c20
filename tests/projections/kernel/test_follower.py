"""Views take in each event once, whatever crashes, and can always be made again from nothing."""

import sqlite3
from contextlib import closing, contextmanager
from threading import Event

import pytest
from sqlalchemy import select

from api.app import open_site
from api.cli.demo_data.story import Story
from ledger.store.engine import is_url
from projections.kernel.follow import Follower, ViewStopped
from projections.views.every import all_views
from projections.views.fund_balances import MOVEMENTS, FundBalances, fund_balance
from projections.views.journal import LINES as JOURNAL_LINES
from projections.views.journal import Journal
from projections.views.opening import open_views
from tests.charity import charity
from tests.office import Office
from tests.samples import HEAR
from tests.server import serving
from tests.years import Years


class Clumsy(Journal):
    """Writes its rows, and then trips over events of one kind."""

    def __init__(self, over):
        self.over = over

    def write(self, connection, batch):
        super().write(connection, batch)
        if any(self.over == fact.TOPIC for _, fact in batch):
            raise ZeroDivisionError(self.over)


@pytest.fixture
def house(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        house.gift(100_00)
        yield house


@contextmanager
def views_at(path):
    engine = open_views(path)
    try:
        yield engine
    finally:
        engine.dispose()


def rows(engine, tables=None):
    """Return everything that the views show."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in tables or [each for view in all_views() for each in view.tables]
        }


def reached(engine, view):
    with engine.connect() as connection:
        return view.reached(connection)


def test_a_view_that_trips_leaves_neither_rows_nor_position_of_that_event(house, tmp_path):
    clumsy = Clumsy("disbursement.requested.1")
    last = house.ledger.store.last_position()
    house.request()
    house.gift(7_00)
    with views_at(tmp_path / "views.db") as engine:
        follower = Follower(house.ledger, engine, [clumsy])

        with pytest.raises(ViewStopped):
            follower.catch_up()

        assert reached(engine, clumsy) == last
        with engine.connect() as connection:
            posted = connection.execute(select(JOURNAL_LINES.c.position)).scalars().all()
        assert max(posted) <= last


def test_a_view_that_trips_takes_in_what_it_missed_once_it_is_mended(house, tmp_path):
    house.request()
    house.gift(7_00)
    with views_at(tmp_path / "views.db") as engine, views_at(tmp_path / "other.db") as other:
        with pytest.raises(ViewStopped):
            Follower(house.ledger, engine, [Clumsy("disbursement.requested.1")]).catch_up()

        Follower(house.ledger, engine, [Journal()]).catch_up()

        Follower(house.ledger, other, [Journal()]).catch_up()
        assert rows(engine, Journal.tables) == rows(other, Journal.tables)


def test_one_view_that_trips_does_not_hold_up_the_others(house, tmp_path):
    house.request()
    with views_at(tmp_path / "views.db") as engine:
        follower = Follower(house.ledger, engine, [Clumsy("fund.opened.1"), FundBalances()])

        assert follower.catch_up("fund_balances") == house.ledger.store.last_position()
        with pytest.raises(ViewStopped):
            follower.catch_up("journal")


def test_rows_do_not_depend_on_how_the_history_was_cut_into_batches(house, tmp_path):
    with views_at(tmp_path / "a.db") as step_by_step, views_at(tmp_path / "b.db") as at_once:
        follower = Follower(house.ledger, step_by_step, all_views())
        for amount in range(1, 30):
            house.gift(amount)
            follower.catch_up()
        house.approved(10_00)
        for position in range(follower.reached + 1, house.ledger.store.last_position() + 1):
            follower.catch_up(until=position)

        Follower(house.ledger, at_once, all_views()).catch_up()

        assert rows(step_by_step) == rows(at_once)
        assert all(rows(at_once)[each] for each in ("funds", "journal_lines", "disbursements"))


def test_a_new_follower_goes_on_where_the_old_one_was(house, tmp_path):
    with views_at(tmp_path / "views.db") as engine:
        Follower(house.ledger, engine, all_views()).catch_up()
        seen = []
        house.gift(3_00)

        class Watching(FundBalances):
            def write(self, connection, batch):
                seen.extend(position for position, _ in batch)
                super().write(connection, batch)

        before = reached(engine, FundBalances())
        Follower(house.ledger, engine, [Watching()]).catch_up()

        assert seen == list(range(before + 1, house.ledger.store.last_position() + 1))


def test_two_followers_of_the_same_views_count_nothing_twice(house, tmp_path):
    with views_at(tmp_path / "views.db") as engine, views_at(tmp_path / "alone.db") as alone:
        first, second = (Follower(house.ledger, engine, all_views()) for _ in range(2))
        for amount in range(1, 10):
            house.gift(amount)
            for follower in (first, second) if amount % 2 else (second, first):
                follower.catch_up()

        Follower(house.ledger, alone, all_views()).catch_up()

        assert rows(engine) == rows(alone)


def test_nothing_is_taken_in_beyond_the_position_asked_for(house, tmp_path):
    with views_at(tmp_path / "views.db") as engine:
        follower = Follower(house.ledger, engine, [FundBalances()])

        assert follower.catch_up(until=2) == 2
        with engine.connect() as connection:
            assert all(
                each <= 2 for each in connection.execute(select(MOVEMENTS.c.position)).scalars()
            )


def test_what_is_read_stays_as_it_was_at_its_position(place, tmp_path):
    views = place if is_url(place) else tmp_path / "views.db"
    with charity(place) as house, views_at(views) as engine:
        house.open_fund()
        house.gift(100_00)
        follower = Follower(house.ledger, engine, [FundBalances()])
        with follower.reading(FundBalances.name) as (connection, position):
            house.gift(7_00)
            Follower(house.ledger, engine, [FundBalances()]).catch_up()

            assert fund_balance(connection, HEAR, position).received == 100_00
            assert FundBalances().reached(connection) == position


def test_the_background_follows_by_itself(house, tmp_path):
    arrived = Event()

    class Watching(FundBalances):
        def write(self, connection, batch):
            super().write(connection, batch)
            if any(fact.TOPIC == "disbursement.reserved.1" for _, fact in batch):
                arrived.set()

    with views_at(tmp_path / "views.db") as engine:
        follower = Follower(house.ledger, engine, [Watching()])
        house.ledger.committer.on_stored = follower.notice
        follower.start()
        house.approved(50_00)

        assert arrived.wait(10)
        follower.close()


@pytest.mark.slow
def test_views_that_were_deleted_are_there_again_after_a_start(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data) as server:
        office = Office(server)
        years = Years(office)
        shown = everything(office, years)
    for file in data.glob("views.db*"):
        file.unlink()

    with serving(data) as server:
        office.go_on_at(server)
        assert everything(office, years) == shown


def test_a_server_starts_on_a_history_with_an_event_that_cannot_be_read(tmp_path):
    data = tmp_path / "data"
    with open_site(data) as site:
        Story(site).play(lambda *_: None)
        last = site.ledger.store.last_position()
    for file in data.glob("views.db*"):
        file.unlink()
    with closing(sqlite3.connect(data / "ledger.db")) as connection:
        connection.execute("UPDATE stored_events SET state = ? WHERE position = ?", (b"{", last))
        connection.commit()

    with serving(data, undisturbed=False, ready=503) as server:
        office = Office(server)
        shown = office.public.get("/v1/funds")

        assert (shown.status_code, shown.json()["type"]) == (503, "/problems/view-stopped")
    with closing(sqlite3.connect(data / "ledger.db")) as connection:
        said = "SELECT topic FROM stored_events WHERE position > ?"
        later = [topic for (topic,) in connection.execute(said, (last,))]
    assert {topic.partition(".")[0] for topic in later} == {"person"}, "nobody but people came in"


def everything(office, years):
    """Return what every view shows."""
    return [
        office.balance(years.hear),
        office.public.read(f"/v1/sales/{years.sale}"),
        *(
            office.bo.all(f"/v1/{path}")
            for path in ("donations", "disbursements", "journal", "audit-trail")
        ),
    ]
