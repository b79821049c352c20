"""PostgreSQL goes away at the worst moments: what was acknowledged is there once, and nobody
is told of a failure that was none."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from threading import Semaphore

import pytest
from msgspec.structs import replace

from ledger.aggregates.donations.donation import Donation
from ledger.kernel.ids import new_id
from ledger.kernel.roles import Role
from ledger.people.identity import Identity, key_beside
from ledger.store.commits import Answer, Commit, OutcomeUnknown, Receipt, StoreFailed
from ledger.store.outage import FunctionsEnabled
from ledger.store.postgres import PostgresStore
from tests.charity import charity
from tests.crowd import Pledgers
from tests.cutter import Cut, wire_to
from tests.office import DAY, Office
from tests.oracle import check
from tests.processes import leifeng
from tests.samples import REGISTERED
from tests.server import serving
from tests.spec import FORM
from tests.stores import lent

WORKERS, EACH = 6, 25

PATIENCE_S = 60.0
"""Seconds after which something stored is no longer to be expected."""

TROUBLES = {
    "connections cut": lambda postgres, url: postgres.cut(url),
    "server crashed and started": lambda postgres, _: postgres.restart("immediate"),
    "server restarted": lambda postgres, _: postgres.restart("fast"),
}


def commit(*events, command=None, **other):
    what = {"about": "it", "version": len(events), "changes": {}}
    return Commit(command=command or new_id(), events=events, **(what | other))


def registered(stream=None):
    return FORM.to_stored_event(REGISTERED.stamped(1, stream or new_id()))


def streams(store):
    return [each.originator_id for each in store.history(0, 10_000)]


@contextmanager
def opened(url, **said):
    with closing(PostgresStore(url, **said)) as store:
        yield store


# The wire is cut at the commit.


@pytest.mark.parametrize("when", Cut)
@pytest.mark.parametrize("fingerprint", [None, {"amount": "a1"}], ids=["unnamed", "keyed"])
def test_a_commit_whose_wire_is_cut_is_stored_once_and_acknowledged(
    postgres_url, when, fingerprint
):
    asked = [commit(registered(), fingerprint=fingerprint) for _ in range(3)]
    with wire_to(postgres_url) as (wire, url), opened(url) as store:
        wire.cut(when)
        outcomes = store.write(asked)

        assert wire.cuts == 1
        assert outcomes == [Receipt("it", 1, position) for position in (1, 2, 3)]
        assert streams(store) == [each.events[0].originator_id for each in asked]


@pytest.mark.parametrize("when", Cut)
def test_an_answer_without_events_is_kept_though_the_wire_was_cut(postgres_url, when):
    asked = commit(command=new_id(), fingerprint={"amount": "a1"}, summary={"lines": 7})
    with wire_to(postgres_url) as (wire, url), opened(url) as store:
        wire.cut(when)
        (outcome,) = store.write([asked])

        assert wire.cuts == 1
        assert store.answer(asked.command) == Answer({"amount": "a1"}, outcome)


def test_who_was_faster_meanwhile_is_not_taken_for_oneself(postgres_url):
    """The commit never arrives, and somebody else's event has its place when we look."""
    contested, rival = new_id(), commit(registered())
    with wire_to(postgres_url) as (wire, url), opened(url) as store, opened(postgres_url) as other:
        other.write([rival])
        wire.cut(Cut.BEFORE)
        with ThreadPoolExecutor(1) as pool:
            ours = pool.submit(store.write, [commit(registered(contested))])
            other.write([commit(registered()) for _ in range(5)])

        (receipt,) = ours.result()
        assert streams(store)[receipt.position - 1] == contested
        assert Counter(streams(store))[contested] == 1


def test_a_server_that_stays_away_leaves_the_outcome_unknown(postgres_url):
    asked = commit(registered())
    with wire_to(postgres_url) as (wire, url), opened(url, outage_max_s=0.2) as store:
        wire.cut(Cut.AFTER, for_good=True)
        with pytest.raises(OutcomeUnknown, match="went away while it was written"):
            store.write([asked])

    with opened(postgres_url) as store:
        assert len(streams(store)) == 1


def test_a_server_that_was_away_before_has_written_nothing(postgres_url):
    with wire_to(postgres_url) as (wire, url), opened(url, outage_max_s=0.2) as store:
        wire.close()
        with pytest.raises(StoreFailed, match="nothing was written") as failure:
            store.write([commit(registered())])
        with pytest.raises(StoreFailed):
            store.last_position()

    assert type(failure.value) is StoreFailed
    with opened(postgres_url) as store:
        assert streams(store) == []


# The server goes away under load.


def disturb(trouble, stored, times=5):
    """Make ``trouble`` each time that some more is stored."""
    for _ in range(times):
        for _ in range(20):
            assert stored.acquire(timeout=PATIENCE_S), "nothing is stored any more"
        trouble()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_command_is_there_once_whatever_happens_to_the_server(
    postgres, postgres_url, trouble
):
    stored = Semaphore(0)
    with charity(postgres_url) as house:
        house.open_fund()
        house.pledge()

        def work(_):
            made = []
            for _ in range(EACH):
                made.append(house.gift(1_00))
                stored.release()
            return made

        with ThreadPoolExecutor(WORKERS) as pool:
            working = [pool.submit(work, n) for n in range(WORKERS)]
            disturb(lambda: TROUBLES[trouble](postgres, postgres_url), stored)
            acknowledged = [donation for each in working for donation in each.result()]

        facts = house.facts()
        house.check_tallies()
        assert house.available() == WORKERS * EACH * 1_00

    paid = Counter(e.originator_id for e in facts if isinstance(e, Donation.PaymentReceived))
    assert paid == Counter(dict.fromkeys(acknowledged, 1))
    assert len(acknowledged) == WORKERS * EACH


@pytest.mark.slow
def test_nobody_at_the_doors_notices_more_than_a_wait(postgres, tmp_path):
    stored = Semaphore(0)
    with (
        postgres.database() as url,
        serving(tmp_path / "data", url, undisturbed=False) as server,
    ):
        office = Office(server)
        fund, donor = office.fund(), office.donor()
        money = {"donor": donor, "fund": fund, "amount": 1_00, "currency": "CNY"}

        def work(worker):
            said = []
            for n in range(EACH):
                key = f"{worker}-{n}"
                said.append(office.lin.post("/v1/donations", money | {"pledged_on": DAY}, key=key))
                stored.release()
            return said

        with ThreadPoolExecutor(WORKERS) as pool:
            working = [pool.submit(work, n) for n in range(WORKERS)]
            for trouble in TROUBLES.values():
                disturb(lambda trouble=trouble: trouble(postgres, url), stored, times=2)
            answers = [answer for each in working for answer in each.result()]

        assert Counter(each.status_code for each in answers) == {201: WORKERS * EACH}
        assert len({each.json()["id"] for each in answers}) == WORKERS * EACH
        assert office.balance(fund)["pledged"] == WORKERS * EACH * 1_00
        said = leifeng("replay", "--data", tmp_path, database=url)

    assert said.returncode == 0, said


COMMITS_CUT = 3
"""Times that each kind of cut is made."""


@pytest.mark.slow
def test_commits_that_are_cut_under_load_are_acknowledged_once_each(request, tmp_path):
    with lent(request, "postgres") as direct, wire_to(direct) as (wire, url):
        with serving(tmp_path / "data", url, undisturbed=False) as server:
            office = Office(server)
            with Pledgers(office, office.fund()) as pledgers:
                for n, when in enumerate([*Cut] * COMMITS_CUT, 1):
                    wire.cut(when)
                    wire.wait_for(n, PATIENCE_S)
                    pledgers.wait_for(5)
            last = office.server.position()

        assert wire.cuts == COMMITS_CUT * len(Cut)
        assert check(direct, direct, pledgers.commands()) == last


# The register of people.


def test_who_is_known_is_let_in_while_the_register_is_away_and_nobody_else(postgres_url, tmp_path):
    with (
        wire_to(postgres_url) as (wire, url),
        closing(Identity(url, key_beside(tmp_path), looks_s=0)) as identity,
        closing(Identity(postgres_url, key_beside(tmp_path))) as office,
    ):
        known, unknown = (
            office.create_token(name, [Role.CLERK], at=datetime.now(UTC)) for name in ("a", "b")
        )
        caller = identity.caller(known)
        wire.close()

        assert caller is not None
        assert identity.caller(known) == caller
        with pytest.raises(StoreFailed):
            identity.caller(unknown)


def test_who_is_known_is_not_let_in_for_ever_while_the_register_is_away(postgres_url, tmp_path):
    with (
        wire_to(postgres_url) as (wire, url),
        closing(Identity(url, key_beside(tmp_path), looks_s=0, trusted_s=0)) as identity,
    ):
        known = identity.create_token("a", [Role.CLERK], at=datetime.now(UTC))
        assert identity.caller(known) is not None
        wire.close()

        with pytest.raises(StoreFailed):
            identity.caller(known)


def test_the_register_is_read_again_when_it_is_back(postgres, postgres_url, tmp_path):
    with closing(Identity(postgres_url, key_beside(tmp_path), looks_s=0)) as identity:
        known = identity.create_token("a", [Role.CLERK], at=datetime.now(UTC))
        before = identity.caller(known)
        postgres.restart()
        donor = new_id()
        identity.is_donor(before.person, donor, at=datetime.now(UTC))

        assert identity.caller(known) == replace(before, donor=donor)


# What is refused at the start.


@pytest.mark.parametrize("said", ["y", "true", "1", "perhaps"])
def test_storing_without_a_lock_is_refused(postgres_url, monkeypatch, said):
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", said)

    with pytest.raises(FunctionsEnabled, match="POSTGRES_ENABLE_DB_FUNCTIONS is set"):
        PostgresStore(postgres_url)


@pytest.mark.parametrize("said", ["n", ""])
def test_storing_with_a_lock_is_not(postgres_url, monkeypatch, said):
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", said)

    with opened(postgres_url) as store:
        assert store.last_position() == 0


def test_a_server_that_is_not_there_is_told_in_one_sentence(tmp_path):
    url = f"postgresql://postgres@/none?host={tmp_path}"

    said = leifeng("serve", "--data", tmp_path, "--port", 0, database=url)

    assert said.returncode == 1
    (sentence,) = said.stderr.splitlines()
    assert sentence.startswith("leifeng: ")
    assert "connection" in sentence


# What a database says of itself does not matter.


def test_a_database_with_another_isolation_and_no_durability_is_used_rightly(postgres):
    with postgres.database() as url:
        name = url.partition("?")[0].rpartition("/")[2]
        postgres.sql(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
        postgres.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
        with opened(url) as store, opened(url) as other:
            with ThreadPoolExecutor(2) as pool:
                for outcomes in pool.map(
                    lambda each: [each.write([commit(registered())])[0] for _ in range(50)],
                    [store, other],
                ):
                    assert {type(each) for each in outcomes} == {Receipt}
            assert store.last_position() == 100
            assert store._rows("SHOW synchronous_commit") == [("on",)]  # noqa: SLF001  # Its own.
