"""Whoever the history says was erased stays erased, whatever crashed or was put back since."""

import shutil
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.app import open_site
from api.places import DATABASE_URL, Places
from ledger.aggregates.donors import Donor, ProcessingStopped
from ledger.commands import Ledger
from ledger.commands.donations import pledge, withdraw_pledge
from ledger.commands.donors import erase_donor, register_donor, restrict_donor
from ledger.kernel.ids import new_id
from ledger.kernel.names import DonationId, DonorId, PartyId
from ledger.kernel.roles import Role
from ledger.people.erasure import erased
from ledger.people.identity import Identity, key_beside
from ledger.people.keys import KeyFile
from ledger.store.engine import is_url
from ledger.store.recorder import streams_asked
from tests.charity import charity
from tests.samples import HEAR
from tests.spec import TODAY, act_for
from tests.stores import FILES_FIRST, connected

DETAILS = {"name": "李四光", "phone": "13912345678"}
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(name="site", params=FILES_FIRST)
def _site(request, tmp_path, monkeypatch):
    """Return what opens the parts of a server, as it does at each start."""
    if request.param == "postgres":
        monkeypatch.setenv(DATABASE_URL, request.getfixturevalue("postgres_url"))

    @contextmanager
    def opened():
        with open_site(tmp_path / "data") as site:
            yield site

    return opened


def registered(site):
    """Register somebody, with a token of their own."""
    donor = DonorId(new_id())
    site.identity.vault.keep(PartyId(str(donor)), DETAILS)
    site.ledger.record(register_donor, act_for(register_donor), donor, anonymous=True)
    site.identity.create_token("李四光", [Role.DONOR], at=NOW, donor=donor)
    return donor


def erase(site, donor):
    """Record that somebody is erased, and crash before anything is destroyed."""
    site.ledger.record(
        erase_donor, act_for(erase_donor), donor, basis="consent-withdrawn", donations=[]
    )


def kept(site, donor):
    return site.identity.vault.details(PartyId(str(donor)))


def test_a_crash_between_the_event_and_the_destruction_is_made_up_for(site):
    with site() as before:
        gone, stays = registered(before), registered(before)
        erase(before, gone)
        assert kept(before, gone) == DETAILS

    with site() as after:
        assert kept(after, gone) is None
        assert kept(after, stays) == DETAILS


def test_an_older_register_that_is_put_back_resurrects_nobody(tmp_path):
    data = tmp_path / "data"
    with open_site(data) as site:
        donors = [registered(site) for _ in range(3)]
    shutil.copytree(data, tmp_path / "older")
    with open_site(data) as site:
        for donor in donors[:2]:
            erase(site, donor)
        site.identity.erase(donors[:2])

    shutil.copy(tmp_path / "older" / "people.db", data / "people.db")
    shutil.copy(key_beside(tmp_path / "older"), key_beside(data))

    with open_site(data) as site:
        assert [kept(site, each) for each in donors] == [None, None, DETAILS]
    everything = b"".join(each.read_bytes() for each in data.rglob("*") if each.is_file())
    with connected(tmp_path / "older" / "people.db") as older:
        boxes = older.execute("SELECT party, box FROM sealed").fetchall()
    there = {party for party, box in boxes if box in everything}
    assert str(donors[2]) in there
    assert not {str(each) for each in donors[:2]} & there


def test_nor_does_a_backup_whose_register_is_older_than_its_ledger(tmp_path, here):
    data, saved = tmp_path / "data", tmp_path / "saved"
    with open_site(data) as site:
        donor = registered(site)
    here("backup", "--data", data, "-o", saved)
    older = (saved / "people.db").read_bytes()
    with open_site(data) as site:
        erase(site, donor)
        site.identity.erase([donor])
    shutil.rmtree(saved)
    here("backup", "--data", data, "-o", saved)
    (saved / "people.db").write_bytes(older)

    said = here("restore", saved, "--data", tmp_path / "again")

    assert "erased again what was kept of 2 people" in said.stdout  # As donor, and by their token.
    assert "put that file there before it is served" in said.stdout
    with connected(tmp_path / "again" / "people.db") as register:
        assert register.execute("SELECT count(*) FROM sealed").fetchone() == (0,)


def test_a_copy_takes_those_along_who_were_not_erased(tmp_path, here):
    data, to = tmp_path / "data", tmp_path / "to"
    with open_site(data) as site:
        gone, stays = registered(site), registered(site)
        erase(site, gone)  # Not yet destroyed when it is copied.
    assert here("copy", "--from", data, "--to", to).returncode == 0
    key_beside(to).parent.mkdir()
    shutil.copy(key_beside(data), key_beside(to))

    with open_site(to) as site:
        assert kept(site, gone) is None
        assert kept(site, stays) == DETAILS


def test_erasures_are_found_without_reading_the_history(place):
    with charity(place) as house:
        donor = DonorId(new_id())
        house.ledger.record(register_donor, act_for(register_donor), donor, anonymous=True)
        house.ledger.record(
            erase_donor, act_for(erase_donor), donor, basis="consent-withdrawn", donations=[]
        )
        assert erased(house.ledger.store) == [donor]
        house.check_tallies()

    with connected(place) as connection:
        if is_url(place):
            connection.execute("SET enable_seqscan = off")  # As if there were many events.
        how = "EXPLAIN" if is_url(place) else "EXPLAIN QUERY PLAN"
        plan = repr(connection.execute(f"{how} {streams_asked(Donor.Erased.TOPIC)}").fetchall())
    assert "erasures" in plan


def test_a_process_that_remembers_a_donor_learns_that_another_stopped_them(postgres_url):
    with charity(postgres_url) as house, closing(Ledger(postgres_url)) as other:
        house.open_fund()
        donor = DonorId(new_id())
        house.ledger.record(register_donor, act_for(register_donor), donor, anonymous=True)

        def promise():
            return house.ledger.record(
                pledge,
                act_for(pledge),
                donor=donor,
                fund=HEAR,
                amount=1,
                currency="CNY",
                pledged_on=TODAY,
            )

        given = promise()
        other.record(
            withdraw_pledge,
            act_for(withdraw_pledge),
            DonationId(UUID(given.id)),
            reason="moved away",
        )
        other.record(restrict_donor, act_for(restrict_donor), donor, basis="donor-request")

        with pytest.raises(ProcessingStopped):
            promise()
        house.check_tallies()


# The key is not in a backup.


def test_a_backup_has_no_key_and_says_where_it_is(tmp_path, here):
    data, saved, again = tmp_path / "data", tmp_path / "saved", tmp_path / "again"
    with open_site(data) as site:
        donor = registered(site)
    (key,) = KeyFile(key_beside(data)).read()

    told = here("backup", "--data", data, "-o", saved).stdout
    restored = here("restore", saved, "--data", again).stdout
    served = here("serve", "--data", again, "--port", 0)

    assert sorted(each.name for each in saved.iterdir()) == ["ledger.db", "log.db", "people.db"]
    assert f"not in it: vault key {key.id}, in {key_beside(data)}; keep a copy" in told
    assert f"under vault key {key.id}, which is not in {key_beside(again)}" in restored
    assert served.returncode == 1
    assert served.stderr.startswith(
        f"leifeng: the register of people is sealed under vault key {key.id}"
    )
    key_beside(again).parent.mkdir()
    shutil.copy(key_beside(data), key_beside(again))
    with open_site(again) as site:
        assert kept(site, donor) == DETAILS


def test_the_key_may_be_kept_where_an_environment_variable_says(tmp_path, here, monkeypatch):
    monkeypatch.setenv("LEIFENG_VAULT_KEY", str(tmp_path / "safe" / "k"))
    here("token", "create", "--data", tmp_path / "data", "--person", "王", "--role", "clerk")

    assert (tmp_path / "safe" / "k").is_file()
    assert not key_beside(tmp_path / "data").parent.exists()
    assert Places.of(tmp_path / "data").vault_key == tmp_path / "safe" / "k"


def test_the_key_is_changed_from_the_command_line(tmp_path, here):
    data = tmp_path / "data"
    with open_site(data) as site:
        donor = registered(site)
    (old,) = KeyFile(key_beside(data)).read()

    said = here("vault", "rotate", "--data", data)

    (new,) = KeyFile(key_beside(data)).read()
    assert said.stdout.splitlines() == [
        f"3 data keys are wrapped by vault key {new.id}, in {key_beside(data)}",
        f"vault key {old.id} is no longer there; backups made before this open only with it",
    ]
    with closing(Identity(data / "people.db")) as identity:
        assert identity.vault.details(PartyId(str(donor))) == DETAILS
    nowhere = here("vault", "rotate", "--data", tmp_path / "none")
    assert (nowhere.returncode, list(tmp_path.iterdir())) == (1, [data])
