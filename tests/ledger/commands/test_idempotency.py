"""A request is carried out once, however often and from however many sides it is made."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from uuid import uuid5

import pytest
from msgspec.structs import replace

from ledger.books.tallies import of_fund
from ledger.commands.application import IdempotencyMismatch
from ledger.commands.donations import receive_payment
from ledger.commands.funds import freeze_fund, open_fund, thaw_fund
from ledger.kernel.errors import Invalid
from tests.charity import charity
from tests.samples import CHEN, GENERAL, HEAR, MEI
from tests.spec import TODAY, act


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund(HEAR)
        yield house


def keyed(key, role="cashier", /, **body):
    """Return an act under an idempotency key, with the digest of each field of its body."""
    digests = {name: sha256(repr(value).encode()).hexdigest() for name, value in body.items()}
    return replace(act(CHEN, role=role), command=uuid5(MEI, key), fingerprint=digests)


def payment(amount=40_00, ref="B-1"):
    return {"amount": amount, "channel": "bank", "external_ref": ref, "received_on": TODAY}


def pay_in(house, key, donation, body):
    receive = receive_payment
    return house.ledger.record(receive, keyed(key, **body), donation, **body)


# The same request again.


def test_a_request_made_again_is_answered_as_the_first_time(house):
    donation = house.pledge(100_00)

    first = pay_in(house, "k", donation, payment())
    again = pay_in(house, "k", donation, payment())

    assert again == replace(first, repeated=True)
    assert not first.repeated
    assert house.kinds().count("donation.payment-received.1") == 1


def test_a_payment_told_again_under_another_key_uses_that_key_up(house):
    donation = house.pledge(100_00)
    first = pay_in(house, "k1", donation, payment())
    house.pledge(1)

    assert pay_in(house, "k2", donation, payment()) == replace(first, repeated=True)
    with pytest.raises(IdempotencyMismatch, match="external_ref"):
        pay_in(house, "k2", donation, payment(ref="B-2"))
    assert house.kinds().count("donation.payment-received.1") == 1


def test_a_request_that_made_something_new_is_answered_with_the_same_id(house):
    body = {"code": GENERAL, "name": "爱心资金", "purpose": "aid", "currency": "CNY"}

    first, again = (
        house.ledger.record(
            open_fund, keyed("k", "treasurer", **body), **body, restriction="unrestricted"
        )
        for _ in range(2)
    )

    assert again == replace(first, repeated=True)


def test_a_request_is_known_again_after_the_ledger_was_closed(place):
    with charity(place) as house:
        house.open_fund(HEAR)
        donation = house.pledge(100_00)
        first = pay_in(house, "k", donation, payment())

    with charity(place) as house:
        assert pay_in(house, "k", donation, payment()) == replace(first, repeated=True)


def test_a_key_with_another_body_is_refused_and_says_where_it_differs(house):
    donation = house.pledge(100_00)
    pay_in(house, "k", donation, payment())

    with pytest.raises(IdempotencyMismatch) as refusal:
        pay_in(house, "k", donation, payment(40_01, "B-2"))

    assert refusal.value.fields == ("amount", "external_ref")
    assert house.tally(of_fund(HEAR, "pledged")) == 60_00


@pytest.mark.parametrize(
    ("body", "again", "fields"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, ("b",)),
        ({"a": 1, "b": 2}, {"b": 2}, ("a",)),
        ({"a": 1}, {"b": 1}, ("a", "b")),
    ],
)
def test_a_field_more_or_less_is_a_difference(house, body, again, fields):
    freeze, thaw = freeze_fund, thaw_fund
    house.ledger.record(freeze, keyed("k", "treasurer", **body), HEAR, reason="review", on=TODAY)

    with pytest.raises(IdempotencyMismatch) as refusal:
        house.ledger.record(thaw, keyed("k", "treasurer", **again), HEAR, reason="review", on=TODAY)
    assert refusal.value.fields == fields


def test_what_was_refused_may_be_asked_again_under_the_same_key(house):
    donation = house.pledge(100_00)
    late = {**payment(), "received_on": date(2027, 1, 1)}
    with pytest.raises(Invalid):
        pay_in(house, "k", donation, late)

    assert not pay_in(house, "k", donation, payment()).repeated


# Many at the same moment.

CALLS = [(f"key-{n % 10}", payment(1_00 + n % 10, f"B-{n % 10}")) for n in range(80)]
EFFECTS = sum(1_00 + n for n in range(10))


def check_ten_effects(house, receipts):
    assert sorted(Counter(each.position for each in receipts).values()) == [8] * 10
    assert Counter(each.repeated for each in receipts) == {False: 10, True: 70}
    assert house.kinds().count("donation.payment-received.1") == 10
    assert house.available() == EFFECTS
    house.check_tallies()


def test_eighty_calls_on_ten_keys_have_ten_effects(house):
    donations = [house.pledge(100_00) for _ in range(10)]

    def call(each):
        key, body = each
        return pay_in(house, key, donations[int(key[-1])], body)

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(call, CALLS))

    check_ten_effects(house, receipts)


def test_eighty_calls_in_one_loop_have_ten_effects(house):
    donations = [house.pledge(100_00) for _ in range(10)]

    async def call(key, body):
        receive, donation = receive_payment, donations[int(key[-1])]
        return await house.ledger.record_async(receive, keyed(key, **body), donation, **body)

    async def all_at_once():
        return await asyncio.gather(*(call(*each) for each in CALLS))

    check_ten_effects(house, asyncio.run(all_at_once()))


def test_rival_payments_on_one_promise_all_count(house):
    donation = house.pledge(100_00)
    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(lambda _: house.pay_in(donation, 30_00), range(4)))

    assert {each.version for each in receipts} == {2, 3, 4, 5}
    assert (house.available(), house.tally(of_fund(HEAR, "suspense"))) == (100_00, 20_00)
    house.check_tallies()
