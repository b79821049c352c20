"""A ledger moves to another store whole: same positions, same bytes, and proof of both."""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from api.places import Places
from ledger.commands import Ledger
from ledger.kernel.ids import new_id
from ledger.kernel.roles import Role
from ledger.kernel.tallies import Tally, TallyOn
from ledger.people.copying import copy_people, digest_people
from ledger.people.identity import Identity, key_beside
from ledger.people.keys import KeyFile
from ledger.people.tables import PERSONS
from ledger.store import copying, open_store
from ledger.store.commits import Answer, Commit, Receipt, Verdict
from ledger.store.copying import CopyDiffers, NotEmpty
from ledger.store.engine import in_order
from ledger.store.postgres import PAGE
from ledger.store.recorder import NotNext
from projections.kernel.follow import Follower
from projections.log.copying import copy_log, digest_log
from projections.replay.replay import replay
from projections.views.every import all_views
from projections.views.opening import open_views
from tests.charity import Charity
from tests.logs import logged
from tests.samples import FIRST_DAY, REGISTERED
from tests.spec import FORM
from tests.stores import connected

WAYS = [
    ("sqlite", "postgres"),
    ("postgres", "sqlite"),
    pytest.param(("sqlite", "sqlite"), marks=pytest.mark.slow),
    pytest.param(("postgres", "postgres"), marks=pytest.mark.slow),
]
MADE_AT = datetime(2026, 4, 1, 12, 30, tzinfo=UTC)


class Kept:
    """A ledger with something of everything, and where it is."""

    def __init__(self, where, key=None):
        self.where = str(where)
        self.places = Places.at(where) if isinstance(where, str) else Places.in_folder(where)
        self.key = key

    def fill(self):
        with closing(Ledger(self.places.ledger)) as ledger:
            house = Charity(ledger)
            house.open_fund()
            for _ in range(5):
                house.gift(100_00)
            house.approved(50_00)
            ledger.store.write(
                [
                    Commit(
                        command=new_id(),
                        about="a feed",
                        version=0,
                        events=(),
                        changes={},
                        fingerprint={"path": "p", "中文": "f"},
                        summary={"accepted": 1, "rejected": [{"line": 2, "code": "x"}]},
                    )
                ]
            )
            self.facts = house.facts()
        with closing(Identity(self.places.people, self.key)) as identity:
            self.token = identity.create_token("李女士", [Role.CLERK], at=MADE_AT)
            identity.vault.keep("party-1", {"name": "李女士", "phone": "139"})
        with logged(self.places) as log:
            log.publish()
        return self

    def digest(self):
        with closing(open_store(self.places.ledger, writes=False)) as store:
            rows = copying.digest(store, lambda *_: None)
        return rows, digest_people(self.places.people), digest_log(self.places.log)


@pytest.fixture(name="two", params=WAYS, ids="-to-".join)
def _two(request, tmp_path):
    """Two places, with a ledger in the first."""

    with ExitStack() as opened:

        def place(kind, number):
            if kind == "postgres":
                return opened.enter_context(request.getfixturevalue("postgres").database())
            folder = tmp_path / f"data-{number}"
            folder.mkdir()
            return folder

        key = key_beside(tmp_path)
        source, target = (Kept(place(kind, n), key) for n, kind in enumerate(request.param))
        yield source.fill(), target


def moved(here, source, target):
    return here("copy", "--from", source.where, "--to", target.where)


def test_everything_is_there_and_equal_and_goes_on(two, here):
    source, target = two
    before = source.digest()

    said = moved(here, source, target)

    assert said.returncode == 0, said.stderr
    events, also = len(source.facts), "people, and the log, but not its key"
    (key,) = KeyFile(source.key).read()
    served = f"{target.places} is served with the key file of {source.places}"
    unmoved = f"not copied: vault key {key.id}; {served}"
    assert said.stdout.splitlines() == [
        f"copied {events} events, {before[0].tallies} tallies and 1 answers, and {also}",
        f"both are at position {events} with SHA-256 {before[0].history}",
        unmoved,
    ]
    assert target.digest() == source.digest() == before
    with closing(Ledger(target.places.ledger)) as ledger:
        house = Charity(ledger)
        assert house.facts() == source.facts
        house.check_tallies()
        house.approve(house.request(10_00))
        house.gift(1_00)
        assert house.available() == 450_00 + 1_00
    with closing(Identity(target.places.people, source.key)) as identity:
        caller = identity.caller(source.token)
        assert caller.roles == {Role.CLERK}
        assert identity.vault.details("party-1") == {"name": "李女士", "phone": "139"}
        again = identity.create_token("李女士", [Role.CASHIER], at=MADE_AT)
        assert identity.caller(again).person == caller.person


def test_replay_of_the_copy_comes_to_the_same_balances(two, here):
    source, target = two
    moved(here, source, target)

    shown = []
    for each in two:
        with closing(Ledger(each.places.ledger)) as ledger:
            views = open_views(each.places.views)
            Follower(ledger, views, all_views()).catch_up()
            found = replay(ledger, views, all_views())
            views.dispose()
        assert found.differences == []
        shown.append((found.position, found.balances))
    assert shown[0] == shown[1]
    assert [each.received for each in shown[0][1]] == [500_00]


@pytest.mark.parametrize("kinds", WAYS[:2], ids="-to-".join)
def test_more_than_one_batch_of_everything_is_copied(kinds, tmp_path, postgres_url):
    file, many = tmp_path / "ledger.db", 2 * PAGE + 1
    where = {"sqlite": file, "postgres": postgres_url}
    receipt = Receipt("it", 1, 1)
    full = Verdict(
        events=[(position, registered()) for position in range(1, many + 1)],
        tallies={Tally(f"{n % 7}", f"n{n}"): n for n in range(many)},
        days={
            TallyOn(Tally(f"till {n % 7}", "cash"), FIRST_DAY + timedelta(n)): n
            for n in range(many)
        },
        floors={Tally("3", "n3"): 1, Tally("till 5", "cash"): -2},
        answers={new_id(): Answer({"n": f"{n}"}, receipt) for n in range(many)},
    )

    with (
        closing(open_store(where[kinds[0]])) as source,
        closing(open_store(where[kinds[1]])) as target,
    ):
        source.append_exact(full)
        copied = copying.copy(source, target, lambda *_: None)

        assert (copied.events, copied.tallies, copied.days, copied.answers) == (many,) * 4
        assert target.floors() == full.floors
        assert dict(target.all_days()) == full.days
        assert copying.digest(target, lambda *_: None) == copied
        assert dict(target.all_answers()) == full.answers


def test_what_is_not_empty_is_not_written_to(two, here):
    source, target = two
    before = source.digest()
    moved(here, source, target)
    there = target.digest()

    again = moved(here, source, target)
    back = moved(here, target, source)

    for each in (again, back):
        assert each.returncode == 1
        assert "is not empty; name another place" in each.stderr
    assert (source.digest(), target.digest()) == (before, there)


def test_a_copy_that_was_broken_off_is_no_ledger(two, here):
    source, target = two
    with connected(source.places.people) as register:  # Which is copied last.
        schema = "main" if source.places.are_files else "people"
        register.execute(f"UPDATE {schema}.ledger_schema SET version = 7")  # noqa: S608  # Ours.

    said = moved(here, source, target)

    assert said.returncode == 1
    with pytest.raises(Exception, match="not copied to the end"):
        Ledger(target.places.ledger)


def test_nobody_writes_while_a_ledger_is_copied(two):
    source, _ = two
    with (
        closing(open_store(source.places.ledger, writes=False)) as store,
        store.alone(),
        connected(source.places.ledger) as other,
    ):
        if store.is_local:
            with pytest.raises(Exception, match="another process is writing"):
                Ledger(source.places.ledger)
        else:
            (free,) = other.execute("SELECT pg_try_advisory_lock(%s)", (0x1EF6,)).fetchone()
            assert free is False


# What the proof notices.


def registered():
    return FORM.to_stored_event(REGISTERED.stamped(1, new_id()))


CHANGES = [
    ("history", "UPDATE stored_events SET topic = 'donor.registered.2' WHERE position = 3"),
    ("history", "UPDATE stored_events SET originator_version = 9 WHERE position = 3"),
    ("events", "DELETE FROM stored_events WHERE position = 3"),
    ("tallies", "DELETE FROM tallies WHERE name = 'available'"),
    ("beside", "UPDATE tallies SET value = 7 WHERE name = 'available'"),
    ("beside", "UPDATE tallies SET floor = NULL WHERE name = 'available'"),
    ("days", "INSERT INTO tallies_by_day VALUES ('till 1', 'cash', '2026-03-01', 5, NULL)"),
    ("answers", "DELETE FROM answers"),
]


@pytest.mark.parametrize(("differs", "change"), CHANGES, ids=[each[1] for each in CHANGES])
def test_a_copy_that_differs_in_anything_is_refused(tmp_path, differs, change):
    source = Kept(tmp_path).fill()
    before, *_ = source.digest()
    with connected(source.places.ledger) as connection:
        connection.execute(change)

    with pytest.raises(CopyDiffers, match=differs):
        copying.compare(before, source.digest()[0])


def test_a_register_that_differs_is_noticed(tmp_path):
    source = Kept(tmp_path).fill()
    before = digest_people(source.places.people)
    with connected(source.places.people) as connection:
        connection.execute("UPDATE persons SET name_digest = 'somebody else'")

    assert digest_people(source.places.people) != before


@pytest.mark.parametrize("table", ["tiles", "checkpoints"])
def test_a_log_that_differs_is_noticed(tmp_path, table):
    source = Kept(tmp_path).fill()
    before = digest_log(source.places.log)
    with connected(source.places.log) as connection:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608  # Ours.

    assert digest_log(source.places.log) != before


@pytest.mark.parametrize(
    ("where", "copy", "digest"),
    [("people", copy_people, digest_people), ("log", copy_log, digest_log)],
)
def test_a_register_or_a_log_is_not_copied_onto_another(tmp_path, where, copy, digest):
    """Which is met where only the ledger was taken away from the place."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    source, target = (
        getattr(Kept(tmp_path / name).fill().places, where) for name in ("here", "there")
    )
    before = digest(target)

    with pytest.raises(NotEmpty):
        copy(source, target)
    assert digest(target) == before != digest(source)


def test_rows_are_read_in_one_order_whatever_a_database_says_of_words():
    asked = select(PERSONS).order_by(*in_order(PERSONS, "postgresql"))

    assert str(asked.compile(dialect=postgresql.dialect())).endswith(
        'ORDER BY persons.person COLLATE "C"'
    )


def test_events_are_appended_at_their_own_positions_or_not_at_all(place):
    with closing(open_store(place)) as store:
        store.append_exact(Verdict(events=[(1, registered()), (2, registered())]))

        for first in (2, 4):
            with pytest.raises(NotNext, match=f"event {first} does not follow event 2"):
                store.append_exact(Verdict(events=[(first, registered())]))
        assert [each.id for each in store.history(0, 10)] == [1, 2]
