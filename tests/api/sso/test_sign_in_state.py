"""What a browser holds between two steps of signing in: ours, for one step, for ten minutes."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from api.sso.sign_in_state import GOOD_FOR, CameBack, Left, SlipOver, leaving, read, written
from ledger.kernel.names import PersonId
from ledger.people.identity import Identity

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)

SECOND = timedelta(seconds=1)


@pytest.fixture(name="vault")
def _vault(tmp_path):
    with closing(Identity(tmp_path / "people.db")) as identity:
        yield identity.vault


def test_a_slip_is_read_as_it_was_written_for_ten_minutes(vault):
    left = leaving(NOW, "/account?lang=en", "an invitation")
    held = written(vault, left)

    assert read(vault, held, Left, NOW + GOOD_FOR) == left
    with pytest.raises(SlipOver):
        read(vault, held, Left, NOW + GOOD_FOR + SECOND)


def test_a_slip_is_for_one_step(vault):
    with pytest.raises(SlipOver):
        read(vault, written(vault, leaving(NOW, "/", None)), CameBack, NOW)
    with pytest.raises(SlipOver):
        read(vault, written(vault, CameBack(NOW, "/", PersonId("somebody"))), Left, NOW)


def test_a_slip_shows_nothing_and_is_changed_by_nobody(vault):
    left = leaving(NOW, "/", None)
    held = written(vault, left)

    assert left.state not in held
    for spoilt in (held[:-5] + "AAAA=", held[4:], ""):
        with pytest.raises(SlipOver):
            read(vault, spoilt, Left, NOW)


def test_a_slip_of_another_ledger_is_none(vault, tmp_path):
    (tmp_path / "other").mkdir()
    with closing(Identity(tmp_path / "other" / "people.db")) as other:
        held = written(other.vault, leaving(NOW, "/", None))

    with pytest.raises(SlipOver):
        read(vault, held, Left, NOW)
