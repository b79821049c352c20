"""Everything of one ledger hangs on one object: two are open in one process and share nothing."""

from contextlib import ExitStack
from uuid import UUID

import pytest

from api.app import open_site
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donors import ProcessingStopped
from ledger.aggregates.funds import FundFrozen
from ledger.commands.donors import restrict_donor
from ledger.kernel.errors import NotFound
from ledger.kernel.names import PartyId
from tests.charity import Charity
from tests.samples import HEAR, MEI
from tests.spec import TODAY, act_for


@pytest.fixture(name="two")
def _two(tmp_path):
    """Two charities in two folders, each with a fund of the same code and the same donor's id."""
    with ExitStack() as opened:
        sites = [opened.enter_context(open_site(tmp_path / name)) for name in ("one", "other")]
        houses = [Charity(site.ledger) for site in sites]
        for house in houses:
            house.open_fund()
        yield list(zip(sites, houses, strict=True))


def test_what_is_recorded_in_one_is_not_in_the_other(two):
    (_, one), (_, other) = two
    one.gift(100_00)
    case = one.request(40_00)

    assert (one.available(), other.available()) == (100_00, 0)
    assert other.kinds() == ["fund.opened.1"]
    with pytest.raises(NotFound):
        other.approve(case)


def test_what_one_remembers_is_not_what_the_other_does(two):
    (_, one), (_, other) = two
    one.pledge()
    other.pledge()  # Both now remember the donor and the fund.
    one.ledger.record(restrict_donor, act_for(restrict_donor), MEI, basis="donor-request")

    with pytest.raises(ProcessingStopped):
        one.pledge()
    assert other.ledger.get(Donation, other.pledge()).open == 100_00


def test_a_fund_frozen_in_one_lets_money_go_in_the_other(two):
    (_, one), (_, other) = two
    for house in (one, other):
        house.gift(100_00)
    case = one.request(), other.request()
    one.do("freeze_fund", HEAR, reason="review", on=TODAY)

    with pytest.raises(FundFrozen):
        one.approve(case[0])
    other.approve(case[1])
    other.approve(case[1], who="zhao")


def test_views_logs_and_people_are_kept_apart(two):
    (one, house), (other, _) = two
    house.gift(100_00)
    party = PartyId(str(UUID(int=7)))
    one.identity.vault.keep(party, {"name": "李女士"})
    for site in (one, other):
        site.follower.catch_up()

    assert one.follower.reached > other.follower.reached
    assert other.identity.vault.details(party) is None
    assert one.identity.vault.derived(b"x") != other.identity.vault.derived(b"x")
