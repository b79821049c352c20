"""Between two requests nothing is asked of a far database; what has to be asked is asked aside."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime

import pytest

from ledger.commands import Ledger
from ledger.commands.donations import withdraw_pledge
from ledger.kernel.errors import WrongState
from ledger.kernel.roles import Role
from ledger.people.identity import Identity, key_beside
from ledger.store.recorder import WouldWait
from tests.charity import Charity
from tests.samples import HEAR
from tests.spec import act_for

AN_HOUR_S = 3_600.0
AT = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def ledger(postgres_url):
    with closing(Ledger(postgres_url)) as ledger:
        yield ledger


def test_what_has_to_be_asked_is_not_asked_at_once(ledger):
    Charity(ledger).open_fund()

    with pytest.raises(WouldWait):
        ledger.store.at_once(ledger.store.last_position)

    assert ledger.store.last_position() == 1


def test_what_is_remembered_is_at_hand(ledger):
    Charity(ledger).open_fund(HEAR)
    terms = ledger.fund_terms(HEAR)

    assert ledger.store.at_once(lambda: ledger.fund_terms(HEAR)) is terms


def test_a_command_that_has_to_ask_is_carried_out_all_the_same(ledger, postgres_url):
    charity = Charity(ledger)
    charity.open_fund()
    donation = charity.pledge(100_00)

    async def withdraw():
        with closing(Ledger(postgres_url)) as elsewhere:  # Which remembers nothing yet.
            return await elsewhere.record_async(
                withdraw_pledge, act_for(withdraw_pledge), donation, reason="捐赠人迁居"
            )

    assert asyncio.run(withdraw()).version == 2
    with pytest.raises(WrongState):
        asyncio.run(withdraw())
    assert ledger.store.last_position() == 4


def test_a_token_is_remembered_until_it_is_time_to_look_again(postgres_url, tmp_path):
    with closing(Identity(postgres_url, key_beside(tmp_path), looks_s=AN_HOUR_S)) as identity:
        token = identity.create_token("lin", [Role.CLERK], at=AT)

        assert identity.remembered(token) is None
        known = identity.caller(token)
        assert identity.remembered(token) == known
    with closing(Identity(postgres_url, key_beside(tmp_path), looks_s=0)) as identity:
        assert identity.caller(token) == known
        assert identity.remembered(token) is None


def test_a_token_changed_here_is_not_remembered(postgres_url, tmp_path):
    with closing(Identity(postgres_url, key_beside(tmp_path), looks_s=AN_HOUR_S)) as identity:
        token = identity.create_token("lin", [Role.CLERK], at=AT)
        identity.caller(token)
        identity.create_token("lin", [Role.CASHIER], at=AT)

        assert identity.remembered(token) is None
