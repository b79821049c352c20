"""The log has every event once, in order, and never says two things under one name."""

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest

from ledger.commands.public_logs import announce_key
from ledger.kernel.errors import NotFound
from ledger.store.engine import is_url
from ledger.store.leaves import OutOfStep
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.cosignature import Cosigner
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.note import NotSigned, Signer, parse_note, signed_by
from ledger.transparency.tiles import ENTRIES, Tile
from projections.log import log as logs
from projections.log.keeper import Keeper
from projections.log.keys import KeyFile, KeyOpenToOthers, KeyUnreadable, MemoryLost
from projections.log.log import (
    AGAIN,
    Changed,
    KeyElsewhere,
    Log,
    NameTaken,
    NameUsed,
    NotExtended,
)
from projections.log.tables import open_log
from tests.charity import charity
from tests.logs import Clock, beside, consistent, opened, until, verified, verifiers
from tests.spec import act_for
from tests.stores import connected


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund()
        yield house


@pytest.fixture(name="keys")
def _keys(tmp_path):
    return KeyFile(tmp_path / "keys" / "log.key")


@pytest.fixture(name="clock")
def _clock():
    return Clock()


@pytest.fixture(name="log")
def _log(house, place, keys, clock):  # noqa: ARG001  # There has to be one.
    """The log of a house that has opened a fund, not yet published."""
    with opened(place, beside(place), keys, clock) as log:
        yield log


def gifts(house, count):
    for _ in range(count):
        house.gift(1_00)


def test_the_log_of_nothing_is_signed(place, keys):
    with charity(place), opened(place, beside(place), keys) as log:
        with pytest.raises(NotFound):
            log.newest()
        log.publish()

        assert verified(log, keys)[1:3] == (0, EMPTY_ROOT)


def test_every_event_is_in_the_log_and_every_checkpoint_extends_those_before(house, log, keys):
    earlier = []
    for _ in range(6):
        gifts(house, 25)
        log.publish()
        checkpoint = verified(log, keys)

        assert checkpoint.size == house.ledger.store.last_position()
        for each in earlier:
            consistent(log, each, checkpoint)
        earlier.append(checkpoint)


def test_the_tree_does_not_depend_on_when_it_grew(house, log, keys, place, tmp_path):
    for count in (1, 5, 120, 3):
        gifts(house, count)
        log.publish()
    elsewhere = KeyFile(tmp_path / "others" / "log.key")

    other = tmp_path / "other.db"
    with opened(place, other, elsewhere) as at_once:
        at_once.publish()

        assert verified(at_once, elsewhere)[1:] == verified(log, keys)[1:]


def test_a_long_history_is_taken_in_by_steps(house, log, keys, monkeypatch):
    gifts(house, 40)
    monkeypatch.setattr(logs, "STEP", 7)

    assert log.publish().checkpoint.size == house.ledger.store.last_position()
    verified(log, keys)


def test_what_is_in_the_log_already_is_not_signed_again_until_a_day_has_passed(house, log, clock):
    gifts(house, 1)
    first = log.publish()
    clock.now += AGAIN - timedelta(seconds=1)
    assert not log.is_stale
    assert log.publish() == first

    clock.now += timedelta(seconds=1)
    assert log.is_stale
    again = log.publish()

    assert again.note == first.note
    assert again.at == clock.now


def test_whoever_asks_for_an_event_gets_a_checkpoint_that_covers_it(house, log):
    published = log.covering(1)
    gifts(house, 1)

    assert log.covering(1) == published
    assert log.covering(2).checkpoint.size == house.ledger.store.last_position()


# Keys.


def test_the_first_key_is_made_once_for_its_owner_alone_under_a_name_nobody_has(
    log, place, keys, tmp_path
):
    log.publish()
    first = keys.path.read_bytes()
    with opened(place, beside(place), keys) as again:
        again.publish()
    another = KeyFile(tmp_path / "another" / "log.key")
    with opened(place, tmp_path / "another.db", another):
        pass

    assert keys.path.read_bytes() == first
    for each in keys.path.parent.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.path.parent.stat().st_mode) == 0o700
    assert another.read().name != keys.read().name


def test_a_key_that_others_may_read_is_not_used(log, keys):
    keys.path.chmod(0o640)

    with pytest.raises(KeyOpenToOthers, match="chmod 600"):
        log.publish()


@pytest.mark.parametrize("text", ["", "nonsense\n", "PRIVATE+KEY+a+00000000+AA==\n"])
def test_a_key_that_is_damaged_is_not_used(log, keys, text):
    keys.path.write_text(text, encoding="utf-8")

    with pytest.raises(KeyUnreadable):
        log.publish()


def test_what_was_signed_stands_beside_the_key_before_it_is_published(house, log, keys):
    gifts(house, 3)
    published = log.publish()

    assert keys.signed(keys.read().name) == published.checkpoint
    assert (keys.path.parent / "log.key.signed").read_text() == published.checkpoint.text


@pytest.mark.parametrize("text", [None, "", "x\n1\n", "other\n0\n" + "A" * 43 + "=\n"])
def test_a_key_without_what_it_signed_is_not_used(house, log, keys, text):
    log.publish()
    gifts(house, 1)
    memory = keys.path.parent / "log.key.signed"
    if text is None:
        memory.unlink()
    else:
        memory.write_text(text, encoding="utf-8")

    with pytest.raises(MemoryLost, match="new-log"):
        log.publish()


def test_a_log_has_one_name(log, keys):
    name = keys.read().name

    log.begin(name)
    with pytest.raises(NameTaken, match=name):
        log.begin("charity.example/log")


def test_a_name_may_be_chosen_when_the_log_begins(place, keys):
    with charity(place) as house:
        engine = open_log(beside(place))
        log = Log(house.ledger.store, engine, keys, Clock())
        log.begin("charity.example/log")
        log.publish()

        assert verified(log, keys).origin == "charity.example/log"
        engine.dispose()


def test_checkpoints_are_signed_with_the_newest_two_keys(house, log, keys):
    name = keys.read().name
    signers = [*keys.read().signers, Signer.generate(name), Signer.generate(name)]
    for each in signers[1:]:
        keys.add(each)
    gifts(house, 1)

    known = [each.verifier for each in signers]
    signed = signed_by(parse_note(log.publish().note), known)
    assert [key for key, _ in signed] == known[1:]


def test_a_key_of_another_log_is_no_second_key(log, keys):
    with pytest.raises(KeyUnreadable):
        keys.add(Signer.generate("other.example/log"))

    assert len(keys.read().signers) == 1
    log.publish()


def test_a_server_without_the_key_shows_the_log_and_does_not_sign(
    house, log, keys, place, tmp_path
):
    published = log.publish()
    gifts(house, 1)
    with opened(place, beside(place), KeyFile(tmp_path / "none" / "log.key")) as other:
        assert other.newest() == published
        with pytest.raises(KeyElsewhere, match=keys.read().name):
            other.publish()
    assert not (tmp_path / "none").exists()


def test_several_servers_with_one_key_write_one_history(house, log, keys, place):
    with opened(place, beside(place), keys) as other, ThreadPoolExecutor(4) as pool:
        asked = []
        for _ in range(8):
            gifts(house, 2)
            asked += [pool.submit(each.publish) for each in (log, other, log, other)]
        published = {each.result().checkpoint for each in asked}

    newest = verified(log, keys)
    assert newest.size == house.ledger.store.last_position()
    assert len({each.size for each in published}) == len(published)
    for each in published:
        consistent(log, each, newest)


# What a log refuses to sign.


def lose_events(place, last):
    """Take away what an older backup would not have."""
    with connected(place) as database:
        database.execute(f"DELETE FROM stored_events WHERE position > {last}")  # noqa: S608


def forget_the_log(place):
    """Lose the database of the log, or have it as it was at first."""
    with connected(beside(place)) as database:
        for table in ("tiles", "checkpoints"):
            database.execute(f"DELETE FROM {'log.' if is_url(place) else ''}{table}")  # noqa: S608


@pytest.mark.parametrize("forgotten", [False, True], ids=["with its log", "without its log"])
def test_a_ledger_that_lost_events_is_not_signed_until_another_log_is_begun(
    house, log, keys, place, forgotten
):
    gifts(house, 4)
    signed = log.publish().checkpoint
    name = keys.read().name
    lose_events(place, signed.size - 3)
    if forgotten:
        forget_the_log(place)

    with pytest.raises(NotExtended, match=r"has signed a history of .* leifeng audit new-log"):
        log.publish()

    log.begin_another(Signer.generate("charity.example/second"))
    again = log.publish().checkpoint
    assert (again.origin, again.size) == ("charity.example/second", signed.size - 3)
    verified(log, keys)
    with pytest.raises(NameUsed):
        log.begin_another(Signer.generate(name))


@pytest.mark.parametrize("forgotten", [False, True], ids=["with its log", "without its log"])
def test_a_history_that_went_on_otherwise_is_not_signed(house, log, keys, place, forgotten):
    gifts(house, 4)
    before = keys.signed(keys.read().name)
    signed = log.publish().checkpoint
    with connected(place) as database:
        mark = "%s" if is_url(place) else "?"
        database.execute(
            f"UPDATE stored_events SET state = {mark} WHERE position = {signed.size}",  # noqa: S608
            (b"{}",),
        )
    if forgotten:
        forget_the_log(place)
    gifts(house, 2)

    with pytest.raises((NotExtended, Changed)):
        log.publish()

    assert before.size == 0
    assert keys.signed(keys.read().name) == signed
    with pytest.raises((Changed, NotFound)):
        log.entries(Tile(ENTRIES, 0, signed.size))


def test_an_event_that_is_changed_is_named_by_its_bundle_and_its_proof(house, log, place):
    gifts(house, 4)
    published = log.publish()
    with connected(place) as database:
        database.execute("UPDATE stored_events SET topic = 'a.b.1' WHERE position = 3")

    with pytest.raises(Changed, match="event 3 "):
        log.entries(Tile(ENTRIES, 0, published.checkpoint.size))
    with pytest.raises(Changed, match="event 3 "):
        log.prove(published, [2, 3])
    log.prove(published, [2])


def test_a_gap_is_found_before_the_log_goes_on(house, log, place):
    gifts(house, 4)
    log.publish()
    log.check()
    with connected(place) as database:
        database.execute("DELETE FROM stored_events WHERE position = 3")

    with pytest.raises(OutOfStep):
        log.check()
    with pytest.raises(Changed, match="event 3 "):
        log.prove(log.newest(), [3])


def test_a_gap_after_what_is_in_the_log_is_not_passed(house, log, place):
    published = log.publish()
    gifts(house, 4)
    with connected(place) as database:
        database.execute(
            f"DELETE FROM stored_events WHERE position = {published.checkpoint.size + 2}"  # noqa: S608
        )

    with pytest.raises(OutOfStep):
        log.publish()
    assert log.newest() == published


def test_a_log_that_is_lost_is_made_again_as_it_was(house, log, keys, place):
    gifts(house, 4)
    signed = log.publish()
    forget_the_log(place)

    assert log.publish().note == signed.note
    gifts(house, 1)
    log.publish()
    consistent(log, signed.checkpoint, verified(log, keys))


def test_what_was_signed_and_never_published_is_passed_and_not_signed_otherwise(
    house, log, keys, monkeypatch
):
    gifts(house, 2)
    log.publish()
    gifts(house, 20)
    with monkeypatch.context() as crash:
        crash.setattr(logs.tables, "publish", _crash)
        with pytest.raises(ZeroDivisionError):
            log.publish()
    signed = keys.signed(keys.read().name)
    assert signed.size > log.newest().checkpoint.size
    monkeypatch.setattr(logs, "STEP", 3)

    published = log.publish()

    assert published.checkpoint == signed
    verified(log, keys)


def _crash(*_):
    raise ZeroDivisionError


# Showing.


def test_tiles_are_shown_as_wide_as_they_are_and_narrower(house, log):
    gifts(house, 40)
    size = log.publish().checkpoint.size
    whole = log.tile(Tile(0, 0, size))

    assert log.tile(Tile(0, 0, 3)) == whole[: 3 * 32]
    for missing in (Tile(0, 0, size + 1), Tile(0, 0), Tile(0, 1, 1), Tile(1, 0, 1), Tile(63, 0, 1)):
        with pytest.raises(NotFound):
            log.tile(missing)
        with pytest.raises(NotFound):
            log.entries(missing._replace(level=ENTRIES, width=size + 1))


def test_cosignatures_are_published_with_the_checkpoint_that_they_are_of(house, log, keys, clock):
    published = log.publish()
    witness = Cosigner("witness.example/w", bytes(32))
    cosignature = witness.cosign(published.checkpoint.text, 1)

    log.add_signatures(published, [cosignature])
    clock.now += AGAIN
    log.publish()

    note = parse_note(log.newest().note)
    assert signed_by(note, [witness.verifier]) == [(witness.verifier, cosignature)]
    assert open_checkpoint(log.newest().note, verifiers(keys)) == published.checkpoint
    gifts(house, 1)
    log.publish()
    assert signed_by(parse_note(log.newest().note), [witness.verifier]) == []


def test_a_stranger_believes_no_other_key(log, keys):
    published = log.publish()
    stranger = Signer.generate(keys.read().name)

    with pytest.raises(NotSigned):
        open_checkpoint(published.note, [stranger.verifier])


# In the background.


class Seconds:
    """A clock that nobody sets but the test."""

    passed = 0.0

    def __call__(self):
        return self.passed


def test_few_events_wait_for_some_seconds_and_many_for_nobody(house, log):
    seconds = Seconds()
    keeper = Keeper(log, house.ledger.store.last_position, seconds)
    keeper.look()
    assert keeper.lag == 0

    house.gift(1_00)
    for seconds.passed, lag in ((10.0, 3), (13.4, 3), (13.5, 0), (16.0, 0)):
        keeper.look()
        assert keeper.lag == lag
    gifts(house, 128)
    assert keeper.lag == 256
    keeper.look()
    assert keeper.lag == 0


def test_what_is_wrong_is_told_once_and_goes_on_when_it_is_mended(house, log, keys, caplog):
    keeper = Keeper(log, house.ledger.store.last_position, Seconds())
    keys.path.chmod(0o644)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            with pytest.raises(KeyOpenToOthers) as wrong:
                keeper.look()
            keeper._refuse(wrong.value)  # noqa: SLF001  # As its thread does.

    assert [record.getMessage() for record in caplog.records] == [
        f"the log is not signed: {wrong.value}"
    ]
    assert not keeper.is_elsewhere
    keys.path.chmod(0o600)
    keeper.look()
    assert keeper.lag == 0


def test_a_thread_publishes_what_was_missed_and_stops_when_told(house, log):
    gifts(house, 2)
    keeper = Keeper(log, house.ledger.store.last_position, Seconds())
    with closing(keeper):
        keeper.start()
        until(lambda: keeper.lag == 0)

    assert keeper.refusal is None
    assert log.newest().checkpoint.size == house.ledger.store.last_position()


def test_the_history_says_that_there_is_a_new_key(house, log, keys):
    log.publish()
    signer = Signer.generate(keys.read().name)
    key = str(signer.verifier)
    for _ in range(2):
        house.ledger.record(announce_key, act_for(announce_key), name=keys.read().name, key=key)

    announced = [fact for fact in house.facts() if fact.TOPIC.startswith("log.")]
    assert [(each.log, each.key, each.originator_version) for each in announced] == [
        (keys.read().name, key, 1),
        (keys.read().name, key, 2),
    ]
