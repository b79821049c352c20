"""The accounting manual, by worked entries: what a bookkeeper would write for every event."""

from collections import defaultdict

import pytest

from ledger.aggregates.donors import Donor
from ledger.books.accounts import ACCOUNTS, MONEY, of_class
from ledger.books.postings import MANUAL, postings
from ledger.kernel.aggregate import FACTS, aggregate_of
from ledger.kernel.money import yuan
from ledger.kernel.payments import Returned as Back
from tests import samples
from tests.samples import GENERAL, SAMPLES, WARM, given_back, paid, refunded
from tests.spec import EventBody

FREE = {"fund": GENERAL, "restriction": "unrestricted"}

THIS, EARLIER = {"prior_year": False}, {"prior_year": True}


def sent_back(cause, *back):
    return refunded(sum(each.amount for each in back), *back, cause=cause)


WORKED = {
    # Gifts, by channel and class.
    "a gift by bank": (paid(100_00), "Dr 1002 F-HEAR 100.00", "Cr 4101.R F-HEAR 100.00"),
    "a gift by wechat": (
        paid(100_00, "wechat"),
        "Dr 1009 F-HEAR 100.00",
        "Cr 4101.R F-HEAR 100.00",
    ),
    "a gift by alipay": (
        paid(100_00, "alipay"),
        "Dr 1009 F-HEAR 100.00",
        "Cr 4101.R F-HEAR 100.00",
    ),
    "a gift in cash": (paid(100_00, "cash"), "Dr 1001 F-HEAR 100.00", "Cr 4101.R F-HEAR 100.00"),
    "a gift without a purpose": (
        paid(100_00).but(**FREE),
        "Dr 1002 F-GEN 100.00",
        "Cr 4101.U F-GEN 100.00",
    ),
    "one fen": (paid(1), "Dr 1002 F-HEAR 0.01", "Cr 4101.R F-HEAR 0.01"),
    "a gift beyond its promise": (
        paid(130_00, excess=30_00),
        "Dr 1002 F-HEAR 130.00",
        "Cr 4101.R F-HEAR 100.00",
        "Cr 2209 F-HEAR 30.00",
    ),
    "all of it beyond": (
        paid(30_00, "cash", excess=30_00),
        "Dr 1001 F-HEAR 30.00",
        "Cr 2209 F-HEAR 30.00",
    ),
    "the excess given": (
        samples.EXCESS_GIVEN,
        "Dr 2209 F-HEAR 30.00",
        "Cr 4101.R F-HEAR 30.00",
    ),
    "the excess given, without a purpose": (
        samples.EXCESS_GIVEN.but(**FREE),
        "Dr 2209 F-GEN 30.00",
        "Cr 4101.U F-GEN 30.00",
    ),
    "the excess returned by two channels": (
        samples.EXCESS_RETURNED.but(back=(Back("cash", 5_00, **THIS), Back("bank", 25_00, **THIS))),
        "Dr 2209 F-HEAR 5.00",
        "Cr 1001 F-HEAR 5.00",
        "Dr 2209 F-HEAR 25.00",
        "Cr 1002 F-HEAR 25.00",
    ),
    "the excess returned in a later year": (
        samples.EXCESS_RETURNED.but(back=(Back("alipay", 30_00, **EARLIER),)),
        "Dr 2209 F-HEAR 30.00",
        "Cr 1009 F-HEAR 30.00",
    ),
    # Refunds, by cause, channel, class and year.
    **{
        f"a refund for {cause}": (
            sent_back(cause, Back("bank", 100_00, **THIS)),
            "Dr 4101.R F-HEAR 100.00",
            "Cr 2209 F-HEAR 100.00",
            "Dr 2209 F-HEAR 100.00",
            "Cr 1002 F-HEAR 100.00",
        )
        for cause in ("duplicate", "error", "donor_or_law")
    },
    **{
        f"a refund for {cause} of an earlier year": (
            sent_back(cause, Back("bank", 100_00, **EARLIER)),
            "Dr 3201 F-HEAR 100.00",
            "Cr 2209 F-HEAR 100.00",
            "Dr 2209 F-HEAR 100.00",
            "Cr 1002 F-HEAR 100.00",
        )
        for cause in ("duplicate", "error", "donor_or_law")
    },
    **{
        f"a refund for our own fault, {when}": (
            sent_back("own_fault", Back("bank", 100_00, **year)),
            "Dr 5301.R F-HEAR 100.00",
            "Cr 2209 F-HEAR 100.00",
            "Dr 2209 F-HEAR 100.00",
            "Cr 1002 F-HEAR 100.00",
        )
        for when, year in (("this year", THIS), ("an earlier year", EARLIER))
    },
    "a refund without a purpose": (
        sent_back("error", Back("wechat", 100_00, **THIS)).but(**FREE),
        "Dr 4101.U F-GEN 100.00",
        "Cr 2209 F-GEN 100.00",
        "Dr 2209 F-GEN 100.00",
        "Cr 1009 F-GEN 100.00",
    ),
    "a refund for our own fault, without a purpose": (
        sent_back("own_fault", Back("cash", 100_00, **THIS)).but(**FREE),
        "Dr 5301.U F-GEN 100.00",
        "Cr 2209 F-GEN 100.00",
        "Dr 2209 F-GEN 100.00",
        "Cr 1001 F-GEN 100.00",
    ),
    "a refund over two years and channels": (
        sent_back("duplicate", Back("alipay", 60_00, **THIS), Back("cash", 10_00, **EARLIER)),
        "Dr 4101.R F-HEAR 60.00",
        "Cr 2209 F-HEAR 60.00",
        "Dr 2209 F-HEAR 60.00",
        "Cr 1009 F-HEAR 60.00",
        "Dr 3201 F-HEAR 10.00",
        "Cr 2209 F-HEAR 10.00",
        "Dr 2209 F-HEAR 10.00",
        "Cr 1001 F-HEAR 10.00",
    ),
    # Transfers, by the classes of both sides.
    "a transfer between two purposes": (
        samples.TRANSFERRED,
        "Dr 3102 F-HEAR 1,000.00",
        "Cr 1002 F-HEAR 1,000.00",
        "Dr 1002 F-WARM 1,000.00",
        "Cr 3102 F-WARM 1,000.00",
    ),
    "a purpose released": (
        samples.TRANSFERRED.but(to=GENERAL, to_restriction="unrestricted"),
        "Dr 3102 F-HEAR 1,000.00",
        "Cr 1002 F-HEAR 1,000.00",
        "Dr 1002 F-GEN 1,000.00",
        "Cr 3101 F-GEN 1,000.00",
    ),
    "free money given to a purpose": (
        samples.TRANSFERRED.but(**FREE, to=WARM),
        "Dr 3101 F-GEN 1,000.00",
        "Cr 1002 F-GEN 1,000.00",
        "Dr 1002 F-WARM 1,000.00",
        "Cr 3102 F-WARM 1,000.00",
    ),
    # A sale.
    "an order": (samples.PLACED, "Dr 1121 F-HEAR 424.00", "Cr 4501.R F-HEAR 424.00"),
    "an order without a purpose": (
        samples.PLACED.but(**FREE),
        "Dr 1121 F-GEN 424.00",
        "Cr 4501.U F-GEN 424.00",
    ),
    "goods returned": (
        samples.GOODS_RETURNED,
        "Dr 4501.R F-HEAR 168.00",
        "Cr 1121 F-HEAR 168.00",
    ),
    "goods returned, without a purpose": (
        samples.GOODS_RETURNED.but(**FREE),
        "Dr 4501.U F-GEN 168.00",
        "Cr 1121 F-GEN 168.00",
    ),
    "a settlement": (
        samples.SETTLED,
        "Dr 5401.R F-HEAR 4,151.11",
        "Cr 1121 F-HEAR 4,151.11",
    ),
    "a settlement without a purpose": (
        samples.SETTLED.but(**FREE),
        "Dr 5401.U F-GEN 4,151.11",
        "Cr 1121 F-GEN 4,151.11",
    ),
    "a settlement with one fee": (
        samples.SETTLED.but(partner_fee=0, channel_fee=1),
        "Dr 5401.R F-HEAR 0.01",
        "Cr 1121 F-HEAR 0.01",
    ),
    "a settlement without fees": (samples.SETTLED.but(partner_fee=0, channel_fee=0),),
    "a remittance": (
        samples.REMITTED,
        "Dr 1002 F-HEAR 193,520.89",
        "Cr 1121 F-HEAR 193,520.89",
    ),
    # Aid.
    "aid paid": (samples.PAID, "Dr 5101.R F-HEAR 500.00", "Cr 1002 F-HEAR 500.00"),
    "aid paid without a purpose": (
        samples.PAID.but(**FREE),
        "Dr 5101.U F-GEN 500.00",
        "Cr 1002 F-GEN 500.00",
    ),
    "aid bounced": (samples.BOUNCED, "Dr 1002 F-HEAR 500.00", "Cr 5101.R F-HEAR 500.00"),
    "aid bounced, without a purpose": (
        samples.BOUNCED.but(**FREE),
        "Dr 1002 F-GEN 500.00",
        "Cr 5101.U F-GEN 500.00",
    ),
    "aid given back": (given_back(125_00), "Dr 1002 F-HEAR 125.00", "Cr 5101.R F-HEAR 125.00"),
    "aid given back, without a purpose": (
        given_back(125_00).but(**FREE),
        "Dr 1002 F-GEN 125.00",
        "Cr 5101.U F-GEN 125.00",
    ),
    "aid of an earlier year given back": (
        given_back(125_00, prior_year=True),
        "Dr 1002 F-HEAR 125.00",
        "Cr 3201 F-HEAR 125.00",
    ),
    # What moves no money.
    **{
        said.kind.TOPIC: (said,)
        for said in (
            samples.OPENED,
            samples.FROZEN,
            samples.THAWED,
            samples.CLOSED,
            samples.REGISTERED,
            samples.ANNOUNCED,
            samples.ADDED,
            samples.GRANTED,
            samples.ROLES_WITHDRAWN,
            samples.DISABLED,
            samples.RESTRICTED,
            samples.ERASED,
            samples.PLEDGED,
            samples.WITHDRAWN,
            samples.PLANNED,
            samples.SALE_OPENED,
            samples.SALE_ENDED,
            samples.REQUESTED,
            samples.WANG_APPROVED,
            samples.RESERVED,
            samples.REJECTED,
            samples.CANCELLED,
            samples.ACKNOWLEDGED,
            samples.PAYMENT_CONFIRMED,
            samples.REMITTANCE_CONFIRMED,
            samples.PAYOUT_CONFIRMED,
            samples.POLICY_SET,
            samples.DECLARED,
        )
    },
}


OF_MONEY = {kind for kind in FACTS.values() if aggregate_of(kind).MOVES_MONEY}


def written(entry):
    """Write an entry as a bookkeeper does."""
    return [
        f"{'Dr' if each.amount > 0 else 'Cr'} {each.account} {each.fund} {yuan(abs(each.amount))}"
        for each in entry
    ]


@pytest.mark.parametrize("name", WORKED)
def test_the_manual_says_what_a_bookkeeper_would(name):
    said, *lines = WORKED[name]

    assert written(postings(said.stamped())) == lines


@pytest.mark.parametrize("name", WORKED)
def test_every_entry_balances_inside_each_fund(name):
    said, *_ = WORKED[name]
    balance = defaultdict(int)
    for each in postings(said.stamped()):
        assert each.account in ACCOUNTS
        assert each.amount
        balance[each.fund] += each.amount

    assert not any(balance.values())


def test_every_kind_of_event_is_in_the_manual_and_has_a_worked_entry():
    assert set(MANUAL) == OF_MONEY
    assert {said.kind for said, *_ in WORKED.values()} >= OF_MONEY


@pytest.mark.parametrize(
    "kind", sorted(set(FACTS.values()) - OF_MONEY, key=lambda kind: kind.TOPIC)
)
def test_what_moves_no_money_makes_no_entry(kind):
    (sample,) = (each for each in SAMPLES if each.kind is kind)

    assert postings(sample.stamped()) == ()


def test_there_is_one_sample_of_every_kind():
    assert sorted(each.kind.TOPIC for each in SAMPLES) == sorted(FACTS)


def test_an_unknown_event_is_a_bug_and_not_a_zero():
    class Unheard(Donor.Registered, frozen=True):
        TOPIC = "donor.unheard.1"

    unheard = EventBody(Unheard, samples.REGISTERED.fields)

    with pytest.raises(LookupError, match=r"no posting rule for .*Unheard"):
        postings(unheard.decided())


def test_every_account_has_two_names_and_a_detail_for_each_class():
    assert {len({each.code, each.zh, each.en}) for each in ACCOUNTS.values()} == {3}
    assert of_class("5101", "unrestricted") == "5101.U"
    assert {code for code in ACCOUNTS if ACCOUNTS[code].kind == "Assets"} == MONEY | {"1121"}
    assert (ACCOUNTS["4101.R"].zh, ACCOUNTS["4101.R"].en) == (
        "捐赠收入—限定性",
        "Donations, restricted",
    )
