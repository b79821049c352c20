"""Whom a provider's account is bound to: by an invitation, one to one, until it is erased."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ledger.kernel.roles import Role
from ledger.people.directory import Directory, key_beside
from ledger.people.identities import Identity, IdentityTaken
from ledger.people.passwords import InvitationOver
from ledger.people.rotation import rotate

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

HERS = Identity("https://id.example", "17")

DONOR = UUID("01a20737-75c3-7cc1-b1f2-e52f15c6c3a7")


@pytest.fixture(name="directory")
def _directory(place, tmp_path):
    with closing(Directory(place, key_beside(tmp_path))) as directory:
        yield directory


def invited(directory, name, *roles):
    person = directory.roll.enrol(name, roles, NOW)
    return person, directory.passwords.invite(person, NOW)


def test_an_invitation_binds_once_and_in_its_time(directory):
    person, code = invited(directory, "林一", Role.CLERK)
    with pytest.raises(InvitationOver):
        directory.identities.bind(code, HERS, NOW + timedelta(days=7))
    assert directory.identities.person(HERS) is None

    assert directory.identities.bind(code, HERS, NOW) == person

    assert directory.identities.person(HERS) == person
    with pytest.raises(InvitationOver):
        directory.identities.bind(code, HERS, NOW)


def test_the_same_subject_of_another_issuer_is_somebody_else(directory):
    _, code = invited(directory, "林一", Role.CLERK)
    directory.identities.bind(code, HERS, NOW)

    assert directory.identities.person(Identity("https://id.example/", "17")) is None
    assert directory.identities.person(Identity("https://id.example", "1")) is None


def test_who_is_one_person_is_not_made_a_second(directory):
    _, code = invited(directory, "林一", Role.CLERK)
    directory.identities.bind(code, HERS, NOW)
    second, code = invited(directory, "王二", Role.APPROVER)

    with pytest.raises(IdentityTaken):
        directory.identities.bind(code, HERS, NOW)

    assert directory.passwords.invited(code, NOW) == second, "the invitation is still good"


def test_being_bound_anew_ends_what_was_before(directory):
    person, code = invited(directory, "林一", Role.CLERK)
    directory.identities.bind(code, HERS, NOW)
    session = directory.sessions.begin(person, NOW)
    other = Identity("https://id.example", "18")

    directory.identities.bind(directory.passwords.invite(person, NOW), other, NOW)

    assert directory.identities.person(HERS) is None
    assert directory.identities.person(other) == person
    assert directory.sessions.signed_in(session, NOW) is None


def test_whoever_was_disabled_is_bound_to_nobody_who_comes_in(directory):
    _, code = invited(directory, "林一", Role.CLERK)
    directory.identities.bind(code, HERS, NOW)
    directory.roll.disable("林一", NOW)

    assert directory.identities.person(HERS) is None


def test_another_key_of_the_vault_unbinds_nobody(directory):
    person, code = invited(directory, "林一", Role.CLERK)
    directory.identities.bind(code, HERS, NOW)

    rotate(directory.register, directory.vault, directory.keys, lambda *_: None)

    assert directory.identities.person(HERS) == person


def test_an_erased_donor_is_bound_to_nothing_any_more(directory):
    directory.create_token("梅女士", [Role.DONOR], at=NOW, donor=DONOR)
    person = directory.roll.known("梅女士")
    directory.identities.bind(directory.passwords.invite(person, NOW), HERS, NOW)

    directory.erase([DONOR])

    assert directory.identities.person(HERS) is None
