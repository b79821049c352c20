"""A program and a database agree about the tables, or one of them is brought up, or refused."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ledger.books.tallies import AVAILABLE, of_fund, of_payment, of_sale
from ledger.commands import Ledger
from ledger.kernel.roles import Role
from ledger.people.identity import Identity, key_beside
from ledger.people.keys import KeyFile
from ledger.people.schema import PEOPLE
from ledger.people.tables import PERSONS
from ledger.store import open_store
from ledger.store.engine import engine_at, is_url, prepare
from ledger.store.recorder import streams_asked
from ledger.store.schema import (
    EVENTS,
    POSTGRESQL,
    SQLITE,
    UNFINISHED,
    Migration,
    Newer,
    NotCreated,
    Older,
    Unfinished,
)
from projections.kernel.follow import Follower
from projections.kernel.tables import OtherViews
from projections.views.every import all_views
from projections.views.fund_balances import fund_balance
from projections.views.opening import open_views, upgrade_views
from tests.charity import charity
from tests.processes import ENVIRONMENT
from tests.samples import HEAR, SALE
from tests.stores import REFUSED, connected


def both(*statements):
    return {SQLITE: statements, POSTGRESQL: statements}


SECOND = Migration(
    "a remark on every answer",
    both(
        "ALTER TABLE answers ADD COLUMN remark TEXT",
        "CREATE TABLE remarks (remark TEXT PRIMARY KEY)",
    ),
)
BROKEN = Migration(
    "half of it", both("CREATE TABLE half (a INTEGER)", "ALTER TABLE nothing ADD COLUMN b INTEGER")
)
CREATED = [
    "created the events: tables for events, tallies and answers",
    "upgraded to version 2 the events: an index of erasures, which are looked up at every start",
    "upgraded to version 3 the events: tallies with a floor of their own, or a value per day",
]
NOW = EVENTS.version
NEXT = NOW + 1
LATER = EVENTS._replace(migrations=(*EVENTS.migrations, SECOND))


def opened(place, **said):
    return closing(open_store(place, **said))


def versions(place):
    with connected(place) as connection:
        return connection.execute("SELECT version FROM ledger_schema").fetchall()


def tables(place):
    asked = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        if is_url(place)
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    with connected(place) as connection:
        return {name for (name,) in connection.execute(asked)}


@pytest.fixture(name="kept")
def _kept(place):
    """A ledger of this version, and what is in it."""
    with charity(place) as house:
        house.open_fund()
        house.gift()
        return house.facts()


# The store.


def test_tables_are_created_once(place):
    with opened(place) as store:
        assert store.notices == CREATED
    with opened(place) as store:
        assert store.notices == []
    assert versions(place) == [(NOW,)]


@pytest.mark.usefixtures("kept")
def test_an_upgrade_keeps_everything_and_is_made_once(place, kept):
    with opened(place, schema=LATER, upgrade=True) as store:
        assert store.notices == ["upgraded to version 4 the events: a remark on every answer"]
    with opened(place, schema=LATER, upgrade=True) as store:
        assert store.notices == []
        assert [each.id for each in store.history(0, 100)] == list(range(1, len(kept) + 1))

    assert versions(place) == [(NEXT,)]
    assert "remarks" in tables(place)


def test_what_had_a_floor_in_version_2_has_it_in_its_row(place):
    """And what is written later gets the floor that its noun declares."""
    with opened(place, schema=EVENTS._replace(migrations=EVENTS.migrations[:2])):
        pass
    free, unsold = of_fund(HEAR, AVAILABLE), of_sale(SALE, "unsold L1")
    values = {free: 5, of_fund(HEAR, "pledged"): -3, unsold: 7, of_payment("bank", "B-1"): 1}
    with connected(place) as connection:
        for (subject, name), value in values.items():
            connection.execute(f"INSERT INTO tallies VALUES ('{subject}', '{name}', {value})")  # noqa: S608  # Ours.

    with opened(place, upgrade=True) as store:
        assert dict(store.all_tallies()) == values
        assert store.floors() == {free: 0, unsold: 0}
    with connected(place) as connection, pytest.raises(REFUSED, match=r"(?i)check constraint"):
        connection.execute("UPDATE tallies SET value = -1 WHERE name = 'available'")
    with connected(place) as connection:
        connection.execute("UPDATE tallies SET value = -1 WHERE name = 'counted'")


def test_a_new_ledger_goes_through_every_migration(place):
    with opened(place, schema=LATER) as store:
        assert store.notices == [
            *CREATED,
            "upgraded to version 4 the events: a remark on every answer",
        ]


@pytest.mark.usefixtures("kept")
def test_what_a_later_program_wrote_is_refused(place):
    with opened(place, schema=LATER, upgrade=True):
        pass

    for writes in (True, False):
        with pytest.raises(Newer, match=f"version {NEXT}, which is newer than the {NOW} that"):
            open_store(place, writes=writes)
    assert versions(place) == [(NEXT,)]


@pytest.mark.usefixtures("kept")
def test_an_index_of_a_topic_is_made_where_it_is_missing(place):
    looked_up = EVENTS._replace(lookups={"wish.made.1": "wishes"})

    with opened(place, schema=looked_up, upgrade=True) as store:
        assert store.notices == ["made an index of the events: wish.made.1"]
    with opened(place, schema=looked_up, upgrade=True) as store:
        assert store.notices == []

    with connected(place) as connection:
        if is_url(place):
            connection.execute("SET enable_seqscan = off")  # As if there were many events.
        how = "EXPLAIN" if is_url(place) else "EXPLAIN QUERY PLAN"
        plan = repr(connection.execute(f"{how} {streams_asked('wish.made.1')}").fetchall())
    assert "wishes" in plan


@pytest.mark.usefixtures("kept")
def test_what_is_older_is_not_only_read(place):
    with pytest.raises(Older, match="run leifeng migrate"):
        open_store(place, writes=False, schema=LATER)


@pytest.mark.usefixtures("kept")
def test_a_file_is_brought_up_by_whoever_writes_it(tmp_path):
    with opened(tmp_path / "other.db"):
        pass
    with opened(tmp_path / "other.db", schema=LATER) as store:
        assert len(store.notices) == 1


def test_a_database_that_others_may_be_writing_is_brought_up_only_when_asked(postgres_url):
    with opened(postgres_url):
        pass

    with pytest.raises(Older, match="stop every server and run leifeng migrate"):
        open_store(postgres_url, schema=LATER)
    assert versions(postgres_url) == [(NOW,)]


def test_what_was_never_created_is_not_read(place):
    with pytest.raises(NotCreated, match="there is no ledger"):
        open_store(place, writes=False)


def test_an_upgrade_that_fails_leaves_everything_as_it_was(place, kept):
    before = tables(place)
    broken = EVENTS._replace(migrations=(*EVENTS.migrations, SECOND, BROKEN))

    with pytest.raises(Exception, match="nothing"):
        open_store(place, schema=broken, upgrade=True)

    assert versions(place) == [(NOW,)]
    assert tables(place) == before
    with closing(Ledger(place)) as ledger:
        assert [fact for _, fact in ledger.history(0, 100)] == kept


def test_two_that_come_at_the_same_moment_create_the_tables_once(postgres_url, tmp_path):
    def create(_):
        with (
            opened(postgres_url) as store,
            closing(Identity(postgres_url, key_beside(tmp_path))) as identity,
        ):
            views = open_views(postgres_url)
            views.dispose()
            return len(store.notices) + len(identity.notices)

    with ThreadPoolExecutor(4) as pool:
        tables_and_key = EVENTS.version + PEOPLE.version + 1
        assert sum(pool.map(create, range(4))) == tables_and_key


def test_what_was_not_copied_to_the_end_is_refused(place):
    with opened(place) as store:
        store.set_version(UNFINISHED)

    for writes in (True, False):
        with pytest.raises(Unfinished, match="not copied to the end"):
            open_store(place, writes=writes)


# People and views.


def test_people_are_brought_up_too(place, tmp_path):
    with closing(Identity(place, key_beside(tmp_path))) as identity:
        token = identity.create_token("lin", [Role.CLERK], at=datetime.now(UTC))
    later = PEOPLE._replace(
        migrations=(
            *PEOPLE.migrations,
            Migration("nicknames", both("ALTER TABLE persons ADD COLUMN nickname TEXT")),
        )
    )

    engine = engine_at(place, schema="people", durable=True)
    if is_url(place):
        with pytest.raises(Older, match=f"people and tokens have version {PEOPLE.version}"):
            prepare(engine, later)
    assert prepare(engine, later, upgrade=True) == [
        f"upgraded to version {later.version} people and tokens: nicknames"
    ]
    with engine.connect() as connection:
        assert len(connection.execute(select(PERSONS.c.person)).all()) == 1
        assert connection.exec_driver_sql("SELECT nickname FROM persons").fetchall() == [(None,)]
    engine.dispose()

    with pytest.raises(Newer, match=f"people and tokens have version {later.version}"):
        Identity(place, key_beside(tmp_path))
    assert token


def test_views_of_another_version_are_made_anew_and_filled(place, tmp_path):
    where = place if is_url(place) else tmp_path / "views.db"
    with charity(place) as house:
        house.open_fund()
        house.gift(100_00)
        engine = open_views(where)
        Follower(house.ledger, engine, all_views()).catch_up()
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE ledger_schema SET version = 1")
            connection.exec_driver_sql("UPDATE fund_balances SET received = 1")
        engine.dispose()

        if is_url(place):
            with pytest.raises(OtherViews, match="run leifeng migrate"):
                open_views(where)
        assert upgrade_views(where) == ["made anew views: tables that are filled from the history"]
        assert upgrade_views(where) == []

        engine = open_views(where)
        position = Follower(house.ledger, engine, all_views()).catch_up()
        with engine.connect() as connection:
            assert fund_balance(connection, HEAR, position).received == 100_00
        engine.dispose()


# The command.


def test_migrate_says_what_it_did_and_that_there_is_nothing_to_do(place, tmp_path, here):
    def migrate():
        return here(
            "migrate", "--data", tmp_path / "data", database=place if is_url(place) else None
        )

    first, second = migrate(), migrate()
    (key,) = KeyFile(key_beside(tmp_path / "data")).read()

    assert first.stdout.splitlines() == [
        *CREATED,
        "created people and tokens: tables for persons, tokens and parties",
        "upgraded to version 2 people and tokens: details sealed with a key per person",
        "upgraded to version 3 people and tokens: a table for refused attempts",
        "upgraded to version 4 people and tokens: roles, tokens that end, and signing in",
        "upgraded to version 5 people and tokens: signing in at a provider",
        f"made vault key {key.id} in {key_beside(tmp_path / 'data')}: keep a copy apart",
        "created views: tables that are filled from the history",
        "created the log: tables for tiles and checkpoints",
    ]
    assert second.stdout == "nothing to do\n"
    assert (first.returncode, second.returncode) == (0, 0)


def test_serve_refuses_an_older_database_and_names_what_to_run(postgres_url, tmp_path, here):
    made = here("migrate", "--data", tmp_path, database=postgres_url)
    with connected(postgres_url) as connection:
        connection.execute("UPDATE views.ledger_schema SET version = 1")

    served = here("serve", "--data", tmp_path, "--port", 0, database=postgres_url)

    assert made.returncode == 0, made
    assert served.returncode == 1
    (sentence,) = served.stderr.splitlines()
    assert "run leifeng migrate" in sentence


def test_a_url_of_something_else_is_refused(tmp_path, here):
    said = here("migrate", "--data", tmp_path / "x", database="mysql://db/charity")

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "leifeng: LEIFENG_DATABASE_URL must begin with postgresql://\n"
    assert list(tmp_path.iterdir()) == []


def test_a_demo_never_takes_the_place_of_a_ledger_on_postgresql(postgres_url, tmp_path, here):
    with charity(postgres_url) as house:
        house.open_fund()

    said = here("demo", "--no-serve", "--data", tmp_path / "x", database=postgres_url)

    assert said.returncode == 1
    assert "holds something else" in said.stderr


def test_whoever_opens_views_knows_the_tables_of_all():
    """Else it would take those of others for another version's, and make them anew."""
    known = (
        "from projections.views import opening; from projections.kernel.view import METADATA;"
        " print(*sorted(METADATA.tables))"
    )
    asked = subprocess.run(  # noqa: S603  # Ourselves.
        [sys.executable, "-c", known], env=ENVIRONMENT, capture_output=True, text=True, check=True
    )

    assert asked.stdout.split() == sorted(
        {table.name for view in all_views() for table in view.tables} | {"tracking"}
    )
