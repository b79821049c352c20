"""Whom a provider's account is bound to: by an invitation, one to one, until it is erased."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from ledger.kernel.roles import Role
from ledger.people.external_identities import ExternalIdentity, IdentityTaken
from ledger.people.identity import Identity, key_beside
from ledger.people.passwords import InvitationOver
from ledger.people.rotation import rotate

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

HERS = ExternalIdentity("https://id.example", "17")

DONOR = UUID("01a20737-75c3-7cc1-b1f2-e52f15c6c3a7")


@pytest.fixture(name="identity")
def _directory(place, tmp_path):
    with closing(Identity(place, key_beside(tmp_path))) as identity:
        yield identity


def invited(identity, name, *roles):
    person = identity.users.enrol(name, roles, NOW)
    return person, identity.passwords.invite(person, NOW)


def test_an_invitation_binds_once_and_in_its_time(identity):
    person, code = invited(identity, "林一", Role.CLERK)
    with pytest.raises(InvitationOver):
        identity.external_identities.bind(code, HERS, NOW + timedelta(days=7))
    assert identity.external_identities.person(HERS) is None

    assert identity.external_identities.bind(code, HERS, NOW) == person

    assert identity.external_identities.person(HERS) == person
    with pytest.raises(InvitationOver):
        identity.external_identities.bind(code, HERS, NOW)


def test_the_same_subject_of_another_issuer_is_somebody_else(identity):
    _, code = invited(identity, "林一", Role.CLERK)
    identity.external_identities.bind(code, HERS, NOW)

    assert (
        identity.external_identities.person(ExternalIdentity("https://id.example/", "17")) is None
    )
    assert identity.external_identities.person(ExternalIdentity("https://id.example", "1")) is None


def test_who_is_one_person_is_not_made_a_second(identity):
    _, code = invited(identity, "林一", Role.CLERK)
    identity.external_identities.bind(code, HERS, NOW)
    second, code = invited(identity, "王二", Role.APPROVER)

    with pytest.raises(IdentityTaken):
        identity.external_identities.bind(code, HERS, NOW)

    assert identity.passwords.invited(code, NOW) == second, "the invitation is still good"


def test_being_bound_anew_ends_what_was_before(identity):
    person, code = invited(identity, "林一", Role.CLERK)
    identity.external_identities.bind(code, HERS, NOW)
    session = identity.sessions.begin(person, NOW)
    other = ExternalIdentity("https://id.example", "18")

    identity.external_identities.bind(identity.passwords.invite(person, NOW), other, NOW)

    assert identity.external_identities.person(HERS) is None
    assert identity.external_identities.person(other) == person
    assert identity.sessions.signed_in(session, NOW) is None


def test_whoever_was_disabled_is_bound_to_nobody_who_comes_in(identity):
    _, code = invited(identity, "林一", Role.CLERK)
    identity.external_identities.bind(code, HERS, NOW)
    identity.users.disable("林一", NOW)

    assert identity.external_identities.person(HERS) is None


def test_another_key_of_the_vault_unbinds_nobody(identity):
    person, code = invited(identity, "林一", Role.CLERK)
    identity.external_identities.bind(code, HERS, NOW)

    rotate(identity.database, identity.vault, identity.keys, lambda *_: None)

    assert identity.external_identities.person(HERS) == person


def test_an_erased_donor_is_bound_to_nothing_any_more(identity):
    identity.create_token("梅女士", [Role.DONOR], at=NOW, donor=DONOR)
    person = identity.users.known("梅女士")
    identity.external_identities.bind(identity.passwords.invite(person, NOW), HERS, NOW)

    identity.erase([DONOR])

    assert identity.external_identities.person(HERS) is None
