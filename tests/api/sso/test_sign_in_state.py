"""What a browser holds between two steps of signing in: ours, for one step, for ten minutes."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from api.sso.sign_in_state import (
    GOOD_FOR,
    AuthorizationRequest,
    SecondFactorPending,
    SignInExpired,
    new_request,
    read,
    written,
)
from ledger.kernel.names import PersonId
from ledger.people.identity import Identity

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

SECOND = timedelta(seconds=1)


@pytest.fixture(name="vault")
def _vault(tmp_path):
    with closing(Identity(tmp_path / "people.db")) as identity:
        yield identity.vault


def test_a_slip_is_read_as_it_was_written_for_ten_minutes(vault):
    left = new_request(NOW, "/account?lang=en", "an invitation")
    held = written(vault, left)

    assert read(vault, held, AuthorizationRequest, NOW + GOOD_FOR) == left
    with pytest.raises(SignInExpired):
        read(vault, held, AuthorizationRequest, NOW + GOOD_FOR + SECOND)


def test_a_slip_is_for_one_step(vault):
    with pytest.raises(SignInExpired):
        read(vault, written(vault, new_request(NOW, "/", None)), SecondFactorPending, NOW)
    with pytest.raises(SignInExpired):
        read(
            vault,
            written(vault, SecondFactorPending(NOW, "/", PersonId("somebody"))),
            AuthorizationRequest,
            NOW,
        )


def test_a_slip_shows_nothing_and_is_changed_by_nobody(vault):
    left = new_request(NOW, "/", None)
    held = written(vault, left)

    assert left.state not in held
    for spoilt in (held[:-5] + "AAAA=", held[4:], ""):
        with pytest.raises(SignInExpired):
            read(vault, spoilt, AuthorizationRequest, NOW)


def test_a_slip_of_another_ledger_is_none(vault, tmp_path):
    (tmp_path / "other").mkdir()
    with closing(Identity(tmp_path / "other" / "people.db")) as other:
        held = written(other.vault, new_request(NOW, "/", None))

    with pytest.raises(SignInExpired):
        read(vault, held, AuthorizationRequest, NOW)
