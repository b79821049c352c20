"""Who comes in, in which roles: each change is history, and takes effect at the next request."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import select

from ledger.aggregates.staff import OwnRoles, StaffMember
from ledger.commands import Ledger
from ledger.commands.outbox import Outbox
from ledger.commands.staff import (
    add_person,
    disable_person,
    grant_roles,
    staff_member,
    withdraw_roles,
)
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import NotFound, WrongState
from ledger.kernel.ids import new_id
from ledger.kernel.names import PersonId
from ledger.kernel.roles import MONEY_ROLES, OPERATOR, AdminHoldsMoneyRole, Role
from ledger.people.identity import Identity, key_beside
from ledger.people.passwords import InvitationOver
from ledger.people.second_factors import CodeWrong, HasSecondFactor
from ledger.people.tables import PASSWORDS
from ledger.people.tokens import BeyondRoles, Scope
from ledger.people.user_directory import PersonDisabled, PersonUnknown

NOW = datetime(2026, 4, 1, 4, tzinfo=UTC)

ADA = PersonId(str(new_id()))
"""An admin."""


class Clock:
    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at.timestamp()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def identity(place, tmp_path, clock):
    where = tmp_path / "people.db" if place == tmp_path / "ledger.db" else place
    with closing(Identity(where, key_beside(tmp_path), looks_s=0, clock=clock)) as opened:
        yield opened


@pytest.fixture
def ledger(place):
    with closing(Ledger(place)) as opened:
        yield opened


@pytest.fixture
def outbox(ledger, identity):
    return Outbox(ledger, identity.users, lambda: NOW)


def act(by=ADA):
    return Act(by, Role.ADMIN.value, new_id(), NOW)


def topics(ledger):
    return [(fact.TOPIC, fact.actor) for _, fact in ledger.history(0, 100)]


# From the command line: the roll first, then the history.


def test_a_grant_is_history_and_names_nobody(ledger, identity, outbox):
    identity.create_token("林一", [Role.CLERK, Role.APPROVER], at=NOW)
    outbox.deliver()

    assert topics(ledger) == [("person.added.1", OPERATOR), ("person.roles-granted.1", OPERATOR)]
    (_, (_, granted)) = ledger.history(0, 100)
    assert granted.roles == ("approver", "clerk")
    assert all("林一".encode() not in each for _, _, each in ledger.store.raw(0, 100))


def test_what_was_told_is_not_told_again(ledger, identity, outbox):
    for _ in range(2):
        identity.create_token("林一", [Role.CLERK], at=NOW)
        outbox.deliver()

    assert identity.users.pending() == []
    assert len(topics(ledger)) == 2


def test_a_crash_between_event_and_note_changes_nothing(ledger, identity, outbox, monkeypatch):
    """The process dies when the event is stored and the note is not struck out."""
    identity.users.enrol("林一", [Role.CLERK], NOW)
    identity.users.disable("林一", NOW)
    with monkeypatch.context() as dying:
        dying.setattr(identity.users, "follow", lambda *_, **__: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            outbox.deliver()
    assert len(identity.users.pending()) == 2

    outbox.deliver()
    outbox.deliver()

    assert identity.users.pending() == []
    assert [topic for topic, _ in topics(ledger)] == [
        "person.added.1",
        "person.roles-granted.1",
        "person.disabled.1",
    ]


def test_what_the_history_refuses_is_taken_back_on_the_roll(ledger, identity, outbox):
    """An admin made her a cashier over HTTP in the moment in which somebody made her an admin."""
    person = identity.users.enrol("林一", [], NOW)
    outbox.deliver()
    ledger.record(grant_roles, act(), person, [Role.CASHIER])
    identity.users.enrol("林一", [Role.ADMIN], NOW)

    outbox.deliver()

    assert identity.users.one(person).roles == (Role.CASHIER,)
    assert identity.users.pending() == []


def test_a_roll_that_is_older_than_the_history_is_brought_level(ledger, identity, outbox):
    person = identity.users.enrol("林一", [Role.CASHIER], NOW)
    other = identity.users.enrol("王二", [Role.CLERK], NOW)
    outbox.deliver()
    token = identity.create_token("林一", [Role.CASHIER], at=NOW)
    ledger.record(withdraw_roles, act(), person, [Role.CASHIER])
    ledger.record(disable_person, act(), other)

    outbox.reconcile_all()

    assert identity.users.one(person).roles == ()
    assert identity.users.one(other).disabled_at == NOW
    assert identity.caller(token).roles == frozenset()


def test_withdrawing_and_disabling_are_history_too(ledger, identity, outbox):
    identity.users.enrol("林一", [Role.CLERK, Role.AUDITOR], NOW)
    identity.users.withdraw("林一", [Role.AUDITOR], NOW)
    identity.users.disable("林一", NOW)
    outbox.deliver()

    assert [topic for topic, _ in topics(ledger)][2:] == [
        "person.roles-withdrawn.1",
        "person.disabled.1",
    ]
    with pytest.raises(PersonDisabled):
        identity.users.enrol("林一", [Role.CLERK], NOW)
    with pytest.raises(PersonUnknown):
        identity.users.withdraw("nobody", [Role.CLERK], NOW)


def test_what_somebody_does_not_hold_is_not_withdrawn(ledger, identity, outbox):
    identity.users.enrol("林一", [Role.CLERK], NOW)
    outbox.deliver()
    before = topics(ledger)

    person = identity.users.withdraw("林一", [Role.CASHIER], NOW)

    assert identity.users.pending() == []
    ledger.record(withdraw_roles, act(), person, [Role.CASHIER])
    assert topics(ledger) == before


# The rules.


@pytest.mark.parametrize("money", sorted(MONEY_ROLES))
def test_an_admin_holds_no_money_role(ledger, identity, money):
    person = PersonId(str(new_id()))
    ledger.record(add_person, act(), person, [Role.ADMIN])

    with pytest.raises(AdminHoldsMoneyRole):
        ledger.record(grant_roles, act(), person, [money])
    with pytest.raises(AdminHoldsMoneyRole):
        identity.create_token("both", [Role.ADMIN, money], at=NOW)
    identity.create_token("one", [money], at=NOW)
    with pytest.raises(AdminHoldsMoneyRole):
        identity.create_token("one", [Role.ADMIN], at=NOW)


def test_nobody_changes_their_own_roles(ledger):
    ledger.record(add_person, act(OPERATOR), ADA, [Role.ADMIN])

    for command, said in (
        (grant_roles, ([Role.CLERK],)),
        (withdraw_roles, ([Role.ADMIN],)),
        (disable_person, ()),
    ):
        with pytest.raises(OwnRoles):
            ledger.record(command, act(), ADA, *said)


def test_who_is_disabled_is_given_nothing_more(ledger):
    person = PersonId(str(new_id()))
    ledger.record(add_person, act(), person, [Role.CLERK])
    ledger.record(disable_person, act(), person)

    assert staff_member(ledger, person).roles == frozenset()
    with pytest.raises(WrongState):
        ledger.record(grant_roles, act(), person, [Role.CLERK])


def test_a_person_is_what_their_events_say():
    member = StaffMember.begin(PersonId(str(new_id())))
    member.add(act())
    member.grant(act(), [Role.CLERK, Role.CASHIER])
    member.withdraw(act(), [Role.CASHIER, Role.AUDITOR])
    facts = member.collect_events()

    assert StaffMember.replayed(facts).roles == {Role.CLERK}
    assert facts[-1].roles == ("cashier",)


# Tokens.


def scope(*roles, **said):
    return Scope(tuple(roles), **said)


def test_a_token_gives_only_what_its_person_still_is(identity):
    token = identity.create_token("林一", [Role.CLERK, Role.CASHIER], at=NOW)
    assert identity.caller(token).roles == {Role.CLERK, Role.CASHIER}

    identity.users.withdraw("林一", [Role.CASHIER], NOW)
    assert identity.caller(token).roles == {Role.CLERK}

    identity.users.disable("林一", NOW)
    assert identity.caller(token) is None


def test_a_token_is_never_made_beyond_the_roles_of_its_person(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)

    with pytest.raises(BeyondRoles):
        identity.tokens.create(person, scope(Role.CLERK, Role.CASHIER), at=NOW)
    assert identity.tokens.of(person) == []


def test_a_token_ends(identity, clock):
    ends = NOW + timedelta(days=30)
    token = identity.create_scoped("林一", scope(Role.CLERK, expires_at=ends), at=NOW)
    clock.at = ends - timedelta(seconds=1)
    assert identity.caller(token)
    assert identity.callers("林一")

    clock.at = ends
    assert identity.caller(token) is None
    assert identity.callers("林一") == []


def test_a_token_is_revoked_from_the_next_request_on(identity):
    token = identity.create_token("林一", [Role.CLERK], at=NOW)
    person = identity.caller(token).person
    (listed,) = identity.tokens.of(person)
    identity.tokens.revoke(person, listed.id, at=NOW)

    assert identity.caller(token) is None
    (listed,) = identity.tokens.of(person)
    assert listed.revoked_at == NOW


def test_the_old_token_works_beside_the_new_one_for_a_while(identity, clock):
    old = identity.create_scoped("林一", scope(Role.CLERK, name="feed"), at=NOW)
    person = identity.caller(old).person
    (listed,) = identity.tokens.of(person)
    new = identity.tokens.rotate(person, listed.id, at=NOW, overlap=timedelta(hours=2))

    clock.at = NOW + timedelta(hours=1)
    assert identity.caller(old) == identity.caller(new)
    clock.at = NOW + timedelta(hours=2)
    assert identity.caller(old) is None
    assert identity.caller(new)
    assert {each.scope.name for each in identity.tokens.of(person)} == {"feed"}


@pytest.mark.parametrize("ended", ["revoked", "expired", "never made"])
def test_only_a_token_that_works_is_rotated(identity, ended):
    ends = NOW + timedelta(days=1)
    identity.create_scoped("林一", scope(Role.CLERK, expires_at=ends), at=NOW)
    person = identity.users.known("林一")
    (listed,) = identity.tokens.of(person)
    if ended == "revoked":
        identity.tokens.revoke(person, listed.id, at=NOW)
    at = ends if ended == "expired" else NOW
    token_id = "0" * len(listed.id) if ended == "never made" else listed.id

    with pytest.raises(NotFound):
        identity.tokens.rotate(person, token_id, at=at)
    assert [each.id for each in identity.tokens.of(person)] == [listed.id]


def test_the_day_of_the_last_use_is_kept_without_a_write_a_request(identity, clock):
    token = identity.create_token("林一", [Role.CLERK], at=NOW)
    person = identity.caller(token).person
    assert [each.used_on for each in identity.tokens.of(person)] == [NOW.date()]

    writes = []
    writing = identity.database.writing
    identity.database.writing = lambda: writes.append(1) or writing()
    for _ in range(10):
        identity.caller(token)
    assert writes == []

    clock.at = NOW + timedelta(days=2)
    for _ in range(10):
        identity.caller(token)
    assert len(writes) == 1
    assert [each.used_on for each in identity.tokens.of(person)] == [clock.at.date()]


# Sessions.


def test_a_session_ends_when_nobody_was_there_and_when_it_was_long_enough(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    sessions = identity.sessions
    idle, busy = sessions.begin(person, NOW), sessions.begin(person, NOW)
    at = NOW
    while at < NOW + timedelta(hours=12):
        assert sessions.signed_in(busy, at), at
        at += timedelta(minutes=29)

    assert sessions.signed_in(busy, NOW + timedelta(hours=12)) is None
    assert sessions.signed_in(idle, NOW + timedelta(minutes=30)) is None


def test_a_session_gives_the_roles_of_the_moment(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    secret = identity.sessions.begin(person, NOW)
    identity.users.enrol("林一", [Role.AUDITOR], NOW)

    assert identity.sessions.signed_in(secret, NOW).caller.roles == {Role.CLERK, Role.AUDITOR}


def test_an_invitation_is_good_once_and_for_seven_days(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    void, code = (identity.passwords.invite(person, NOW) for _ in range(2))
    week = timedelta(days=7)

    for each, at in ((void, NOW), (code, NOW + week)):
        with pytest.raises(InvitationOver):
            identity.passwords.accept(each, "four words nobody knows", at)
    assert identity.passwords.accept(code, "four words nobody knows", NOW) == person
    with pytest.raises(InvitationOver):
        identity.passwords.accept(code, "four words nobody knows", NOW)


def test_a_code_counts_within_its_time_and_once(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    factors = identity.second_factors
    totp = pyotp.TOTP(factors.begin(person))
    factors.confirm(person, totp.at(NOW), NOW)
    later = NOW + timedelta(minutes=5)

    assert not factors.is_shown(person, totp.at(NOW), NOW)
    assert not factors.is_shown(person, totp.at(later - timedelta(minutes=2)), later)
    assert not factors.is_shown(person, totp.at(later + timedelta(minutes=2)), later)
    assert factors.is_shown(person, totp.at(later - timedelta(seconds=30)), later)
    assert factors.is_shown(person, totp.at(later), later)
    assert not factors.is_shown(person, totp.at(later - timedelta(seconds=30)), later)


def test_a_second_factor_is_set_up_once(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    factors = identity.second_factors
    totp = pyotp.TOTP(factors.begin(person))
    recovery = factors.confirm(person, totp.at(NOW), NOW)
    later = NOW + timedelta(minutes=5)

    with pytest.raises(HasSecondFactor):
        factors.begin(person)
    with pytest.raises(HasSecondFactor):
        factors.confirm(person, totp.at(later), later)
    assert factors.is_shown(person, totp.at(later), later)
    assert factors.is_shown(person, recovery[0], later)


def test_no_code_is_right_before_a_second_factor_is_set_up(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    factors = identity.second_factors

    with pytest.raises(CodeWrong):
        factors.confirm(person, "123456", NOW)
    totp = pyotp.TOTP(factors.begin(person))
    assert not factors.is_shown(person, totp.at(NOW), NOW)
    assert not factors.has(person)


def test_a_password_of_weaker_parameters_is_hashed_anew_when_it_is_used(identity):
    person = identity.users.enrol("林一", [Role.CLERK], NOW)
    passwords = identity.passwords
    passwords.choose(person, "four words nobody knows", NOW)
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
    before = weak.hash("four words nobody knows")
    with identity.database.writing() as connection:
        connection.execute(PASSWORDS.update().values(hash=before))

    assert not passwords.is_of(person, "four words somebody knows")
    assert _hashes(identity) == [before]
    assert passwords.is_of(person, "four words nobody knows")
    (after,) = _hashes(identity)
    assert "m=8," not in after
    assert passwords.is_of(person, "four words nobody knows")
    assert _hashes(identity) == [after]


def _hashes(identity):
    with identity.database.reading() as connection:
        return list(connection.execute(select(PASSWORDS.c.hash)).scalars())
