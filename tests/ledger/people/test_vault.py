"""What people told us opens with the key that is kept apart, and only for whom it was sealed."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest

from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from ledger.people.copying import NotSealed, copy_people, digest_people, sealed_under
from ledger.people.database import PeopleDatabase
from ledger.people.identity import Identity, KeyPlaceUnknown, key_beside
from ledger.people.keys import Key, KeyFile, KeyLost, KeyUnreadable
from ledger.people.rotation import BATCH, rotate
from ledger.people.schema import PEOPLE, PLAIN_PARTIES
from ledger.people.sealing import SealBroken, new_key
from ledger.store.engine import engine_at, is_url, prepare
from ledger.store.schema import Older
from tests.stores import connected

LI, WU = PartyId("party-li"), PartyId("party-wu")
DETAILS = {"name": "李四光", "phone": "13912345678", "email": "li@example.org"}
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture(name="key")
def _key(tmp_path):
    return key_beside(tmp_path)


@pytest.fixture(name="identity")
def _register(place, key):
    """A register with somebody in it."""
    with closing(Identity(place, key)) as identity:
        identity.vault.keep(LI, DETAILS)
        yield identity


def opened(place, key, **said):
    return closing(Identity(place, key, **said))


def rows(place, asked):
    with connected(place) as connection:
        return connection.execute(asked).fetchall()


def everything(place, folder):
    """Return the bytes of every file of a folder, and of every row of a database."""
    found = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
    if is_url(place):
        for table in ("data_keys", "sealed", "persons", "tokens", "vault"):
            found += repr(rows(place, f"SELECT * FROM people.{table}")).encode()  # noqa: S608
    return found


# Sealed.


def test_what_is_kept_is_given_back(identity):
    assert identity.vault.details(LI) == DETAILS
    assert identity.vault.details(WU) is None


def test_nothing_of_it_stands_in_the_database(place, tmp_path, identity):
    identity.create_token("王五一", [Role.CLERK], at=NOW)

    found = everything(place, tmp_path)
    for word in (*DETAILS.values(), "王五一"):
        assert word.encode() not in found


def test_each_person_has_a_key_of_their_own_and_each_field_a_seal(place, identity):
    identity.vault.keep(WU, DETAILS)

    wrapped = rows(place, "SELECT wrapped FROM data_keys")
    boxes = rows(place, "SELECT box FROM sealed")
    assert len({bytes(each) for (each,) in wrapped}) == 3, "of both, and of names"
    assert len({bytes(each) for (each,) in boxes}) == 6


OTHERS = {
    "field's": "UPDATE sealed SET box = (SELECT box FROM sealed WHERE party = 'party-li'"
    " AND field = 'phone') WHERE party = 'party-li' AND field = 'name'",
    "person's": "UPDATE sealed SET box = (SELECT box FROM sealed WHERE party = 'party-wu'"
    " AND field = 'name') WHERE party = 'party-li' AND field = 'name'",
    "person's key": "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys"
    " WHERE party = 'party-wu') WHERE party = 'party-li'",
}


@pytest.mark.parametrize("change", OTHERS.values(), ids=[f"another {each}" for each in OTHERS])
def test_a_seal_in_another_place_does_not_open(place, identity, change):
    identity.vault.keep(WU, DETAILS)
    with connected(place) as connection:
        connection.execute(change)

    with pytest.raises(SealBroken):
        identity.vault.details(LI)


def test_a_seal_that_was_cut_short_does_not_open(place, identity):
    with connected(place) as connection:
        connection.execute("DELETE FROM sealed WHERE field <> 'name'")
        empty = "''::bytea" if is_url(place) else "x''"
        connection.execute(f"UPDATE sealed SET box = {empty}")  # noqa: S608  # Ours.

    with pytest.raises(SealBroken, match="the seal of field party-li name is broken"):
        identity.vault.details(LI)


def test_the_same_name_is_the_same_person_also_after_opening_again(place, key):
    with opened(place, key) as identity:
        tokens = [identity.create_token("王五一", [Role.CLERK], at=NOW)]
    with opened(place, key) as identity:
        tokens.append(identity.create_token("王五一", [Role.CASHIER], at=NOW))
        tokens.append(identity.create_token("王五", [Role.CASHIER], at=NOW))
        same, again, other = (identity.caller(each).person for each in tokens)

        assert same == again != other
        assert identity.vault.details(PartyId(same)) == {"name": "王五一"}
        assert len(identity.callers("王五一")) == 2
        assert identity.callers("王") == []


# The key.


@pytest.mark.usefixtures("identity")
def test_the_key_is_a_file_for_its_owner_alone(key):
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert [each.name for each in key.parent.iterdir()] == ["vault.key"]


def test_a_lost_key_is_named_and_nothing_is_written_over(place, key, identity):
    (made,) = KeyFile(key).read()
    identity.close()
    key.rename(key.with_name("elsewhere"))
    before = rows(place, "SELECT * FROM data_keys ORDER BY party")

    with pytest.raises(KeyLost, match=f"vault key {made.id}, which is not in {key}; put that file"):
        Identity(place, key)

    assert not key.exists()
    assert rows(place, "SELECT * FROM data_keys ORDER BY party") == before
    key.with_name("elsewhere").rename(key)
    with opened(place, key) as again:
        assert again.vault.details(LI) == DETAILS


@pytest.mark.usefixtures("identity")
def test_another_key_is_not_this_one(place, key):
    KeyFile(key).write([Key.of(new_key())])

    with pytest.raises(KeyLost):
        Identity(place, key)


@pytest.mark.usefixtures("identity")
@pytest.mark.parametrize(
    "line", ["", "leifeng-vault-key 00 AA==", "x y z", "leifeng-vault-key 0123 not-base64!", "ÿ"]
)
def test_a_key_that_was_damaged_is_no_key(place, key, line):
    (made,) = KeyFile(key).read()
    damaged = line or key.read_text(encoding="utf-8").replace(made.id, "0" * 16)
    key.write_bytes(damaged.encode("latin-1"))

    with pytest.raises(KeyUnreadable, match=r"line 1 of .* is no vault key"):
        Identity(place, key)


def test_a_database_has_no_place_for_its_key(postgres_url):
    with pytest.raises(KeyPlaceUnknown, match="LEIFENG_VAULT_KEY"):
        Identity(postgres_url)


def test_a_key_that_was_there_before_is_taken(place, key):
    first, made = KeyFile(key).first()
    with opened(place, key) as identity:
        identity.vault.keep(LI, DETAILS)

    assert made
    assert KeyFile(key).read() == [first]
    assert rows(place, "SELECT kek FROM vault") == [(first.id,)]


# Changing it.


class Interrupted(Exception):
    """What happens halfway."""


def changed(identity, told=lambda *_: None):
    return rotate(identity.database, identity.vault, identity.keys, told)


def sealed(place):
    return rows(place, "SELECT * FROM sealed ORDER BY party, field")


def test_a_new_key_wraps_every_data_key_and_touches_nothing_sealed(place, key, identity):
    (old,) = KeyFile(key).read()
    before = sealed(place)

    done = changed(identity)

    (new,) = KeyFile(key).read()
    assert (done.old, done.new, done.wrapped) == (old.id, new.id, 2)
    assert new.id != old.id
    assert sealed(place) == before
    assert rows(place, "SELECT DISTINCT kek FROM data_keys") == [(new.id,)]
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert identity.vault.details(LI) == DETAILS
    with opened(place, key) as again:
        assert again.vault.details(LI) == DETAILS


def test_a_change_of_keys_that_was_interrupted_is_finished_by_another(place, key, identity):
    for number in range(BATCH + 10):
        identity.vault.keep(PartyId(f"party-{number}"), {"name": f"人{number}"})
    (old,) = KeyFile(key).read()

    def stop(wrapped, _):
        raise Interrupted(wrapped)

    with pytest.raises(Interrupted, match=f"{BATCH}"):
        changed(identity, stop)
    new, kept = KeyFile(key).read()
    assert kept == old
    with opened(place, key) as halfway:
        assert halfway.vault.details(PartyId("party-3")) == {"name": "人3"}
        assert halfway.vault.details(PartyId(f"party-{BATCH + 3}")) == {"name": f"人{BATCH + 3}"}
        halfway.vault.keep(WU, DETAILS)  # Wrapped by the new key already.

        told = []
        done = changed(halfway, lambda *said: told.append(said))

    assert done.new == new.id
    assert told[0] == (12, 12)
    assert KeyFile(key).read() == [new]
    assert identity.vault.details(WU) == DETAILS
    assert rows(place, "SELECT DISTINCT kek FROM data_keys") == [(new.id,)]


def test_a_change_that_was_interrupted_before_the_database_knew_goes_on(place, key, identity):
    (old,) = KeyFile(key).read()
    new = Key.of(new_key())
    KeyFile(key).write([new, old])

    done = changed(identity)

    assert (done.old, done.new) == (old.id, new.id)
    assert rows(place, "SELECT kek FROM vault") == [(new.id,)]


def test_who_opened_it_before_goes_on_with_the_new_key(place, key, identity):
    with opened(place, key) as other:
        changed(other)

    identity.vault.keep(WU, DETAILS)
    (new,) = KeyFile(key).read()
    assert {kek for (kek,) in rows(place, "SELECT kek FROM data_keys")} == {new.id}
    assert identity.vault.details(LI) == identity.vault.details(WU) == DETAILS


def test_the_old_key_put_back_opens_what_was_saved_before(tmp_path, key):
    place = tmp_path / "people.db"
    with opened(place, key) as identity:
        identity.vault.keep(LI, DETAILS)
    (old,), saved = KeyFile(key).read(), place.read_bytes()
    with opened(place, key) as identity:
        changed(identity)
    place.write_bytes(saved)

    with pytest.raises(KeyLost, match=old.id):
        Identity(place, key)
    KeyFile(key).write([*KeyFile(key).read(), old])
    with opened(place, key) as identity:
        assert identity.vault.details(LI) == DETAILS


# What was kept in plain text.


def plain(place):
    """Make a register of version 1 with somebody in it, who changed their number once."""
    first = PEOPLE._replace(migrations=PEOPLE.migrations[:1])
    engine = engine_at(place, schema="people", durable=True)
    prepare(engine, first)
    engine.dispose()
    with connected(place) as connection:
        if is_url(place):
            connection.execute("SET search_path = people")
        connection.execute("INSERT INTO persons VALUES ('person-1', '王五一')")
        connection.execute(
            "INSERT INTO tokens (hash, person, roles, created_at)"
            " VALUES ('h', 'person-1', '[\"clerk\"]', '2026-04-01 12:00:00.000000')"
        )
        for number in range(200):
            connection.execute(
                f'INSERT INTO parties VALUES (\'p{number}\', \'{{"name": "老用户{number}",'  # noqa: S608
                f' "phone": "1380000{number:04}"}}\')'
            )
        connection.execute("DELETE FROM parties WHERE party = 'p7'")


def test_a_register_of_version_1_is_sealed_and_its_plain_text_is_gone(place, tmp_path, key):
    plain(place)
    if is_url(place):
        with pytest.raises(Older, match="run leifeng migrate"):
            Identity(place, key)

    with opened(place, key, upgrade=True) as identity:
        notices = identity.notices
        assert identity.vault.details(PartyId("p42")) == {
            "name": "老用户42",
            "phone": "13800000042",
        }
        assert identity.vault.details(PartyId("p7")) is None
        assert identity.callers("王五一")[0].person == "person-1"
        found = everything(place, tmp_path)
    found += everything(place, tmp_path)

    (made,) = KeyFile(key).read()
    assert notices == [
        "upgraded to version 2 people and tokens: details sealed with a key per person",
        "upgraded to version 3 people and tokens: a table for refused attempts",
        "upgraded to version 4 people and tokens: roles, tokens that end, and signing in",
        "upgraded to version 5 people and tokens: signing in at a provider",
        f"made vault key {made.id} in {key}: keep a copy apart",
        "sealed what was kept of 200 people",
    ]
    for word in ("王五一", "老用户", "1380000"):
        assert word.encode() not in found
        assert word.encode("unicode_escape") not in found
    with opened(place, key) as identity:
        assert identity.notices == []


def test_plain_text_is_written_away_also_after_a_crash_in_between(tmp_path, key, monkeypatch):
    place = tmp_path / "people.db"
    plain(place)
    with monkeypatch.context() as crashing:
        crashing.setattr("ledger.people.identity.take_away", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Identity(place, key)
    with connected(place) as connection:
        assert connection.execute(f"SELECT count(*) FROM {PLAIN_PARTIES}").fetchone() == (0,)  # noqa: S608

    with opened(place, key) as identity:
        assert identity.vault.details(PartyId("p1"))["name"] == "老用户1"

    assert "老用户".encode() not in everything(place, tmp_path)
    with connected(place) as connection, pytest.raises(sqlite3.OperationalError, match="no such"):
        connection.execute(f"SELECT * FROM {PLAIN_PARTIES}")  # noqa: S608  # Ours.


def test_postgresql_keeps_no_file_of_the_plain_tables(postgres_url, key):
    plain(postgres_url)
    with opened(postgres_url, key, upgrade=True):
        pass

    kept = rows(postgres_url, "SELECT relname FROM pg_class WHERE relname LIKE 'plain%'")
    assert kept == []


def test_what_is_not_sealed_yet_is_not_copied(tmp_path, key):
    place = tmp_path / "people.db"
    plain(place)
    with pytest.raises(Older):
        copy_people(place, tmp_path / "copy.db")
    with closing(PeopleDatabase(place)) as identity:
        identity.prepare(upgrade=True)  # The tables are there, and nothing was done with them.
    with pytest.raises(NotSealed, match="run leifeng migrate"):
        copy_people(place, tmp_path / "copy.db")
    assert sealed_under(place) is None

    with opened(place, key):
        pass
    assert copy_people(place, tmp_path / "copy.db") == digest_people(tmp_path / "copy.db")
    assert sealed_under(tmp_path / "copy.db") == KeyFile(key).read()[0].id


def test_where_nobody_was_ever_registered_there_is_nobody_to_copy(tmp_path):
    copied = copy_people(tmp_path / "none.db", tmp_path / "copy.db")

    assert copied == digest_people(tmp_path / "copy.db")
    assert sealed_under(tmp_path / "copy.db") is None
