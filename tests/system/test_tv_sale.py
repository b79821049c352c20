"""The televised sale, whole, through the real server: every figure the story's, to the fen."""

import json

import pytest

from ledger.kernel.roles import Role
from tests.folders import DATA
from tests.office import ITEMS, LAST_DAY, SETTLED_DAY
from tests.stores import on_files_first

pytestmark = on_files_first

FOLDER = DATA / "tv-sale"
ORDERS = (FOLDER / "orders.ndjson").read_bytes()
RETURNS = (FOLDER / "returns.ndjson").read_bytes()
EXPECTED = json.loads((FOLDER / "sale.json").read_text(encoding="utf-8"))

FIGURES = {
    "gross": 20_138_000,
    "refunds": 370_800,
    "partner_fee": 296_508,
    "channel_fee": 118_603,
    "net_proceeds": 19_352_089,
}
REJECTED = [
    "order.conflict",
    "sku.unknown",
    "amount.invalid",
    "quantity.invalid",
    "price.mismatch",
    "line.malformed",
]

MERCHANT = 1_600_000
HOTLINE = [50_000] * 13
HOTLINE_PAID = [50_000] * 10 + [20_000]

STAGES = (
    (11_880_000, "2026-04-01", "2026-04-10"),
    (5_940_000, "2026-05-12", "2026-05-20"),
    (1_980_000, "2026-06-20", "2026-06-25"),
)
GIVEN_BACK = 125_000


class Partner:
    """Who feeds a sale, as the sale's own partner."""

    def __init__(self, office, sale):
        self.sale = sale
        self.desk = office.server.person("jialigou", Role.PARTNER, sale=sale)

    def feed(self, what, lines, key):
        return self.desk.feed(f"/v1/sales/{self.sale}/{what}", lines, key=key)


@pytest.fixture(scope="module")
def hear(office):
    return office.fund("F-HEAR")


@pytest.fixture(scope="module")
def partner(office, hear):
    return Partner(office, office.open_sale(hear))


@pytest.fixture(scope="module")
def orders(partner):
    return partner.feed("orders", ORDERS, "orders-1").json()


@pytest.fixture(scope="module")
def returns(office, partner, orders):
    assert orders["accepted"] == EXPECTED["feed"]["orders"]
    office.sun.did(f"/v1/sales/{partner.sale}/ending", {"on": LAST_DAY})
    return partner.feed("returns", RETURNS, "returns-1").json()


def settle(office, sale, **other):
    body = FIGURES | {"agreed_on": SETTLED_DAY} | other
    return office.sun.post(f"/v1/sales/{sale}/settlement", body)


def remit(office, sale, amount, ref, on="2026-03-30"):
    body = {"amount": amount, "external_ref": ref, "received_on": on}
    return office.chen.did(f"/v1/sales/{sale}/remittances", body)


@pytest.fixture(scope="module")
def remitted(office, partner, returns):
    assert returns["accepted"] == 29
    assert settle(office, partner.sale).status_code == 200
    return remit(office, partner.sale, FIGURES["net_proceeds"], "DEMO-BK-330")


def test_every_line_of_the_feed_is_accounted_for(orders):
    assert len(ORDERS.splitlines()) == EXPECTED["feed"]["lines"] == 1_125
    assert (orders["accepted"], orders["duplicates"]) == (1_079, 40)
    assert sorted(each["code"] for each in orders["rejected"]) == sorted(REJECTED)
    assert sorted(REJECTED) == sorted(EXPECTED["feed"]["rejected"])


def test_each_rejected_line_is_named_by_its_number(orders):
    lines = ORDERS.splitlines()
    named = {each["code"]: lines[each["line"] - 1] for each in orders["rejected"]}

    with pytest.raises(json.JSONDecodeError):
        json.loads(named["line.malformed"])
    skus = {each["sku"] for each in json.loads(named["sku.unknown"])["lines"]}
    assert skus - {each["sku"] for each in ITEMS}
    conflicting = json.loads(named["order.conflict"])["order_no"]
    assert sum(conflicting in line.decode() for line in lines) >= 2
    assert all(each["detail"] for each in orders["rejected"])


def test_what_came_back_is_taken_off(office, partner, returns):
    shown = office.public.read(f"/v1/sales/{partner.sale}", at_least=returns["position"])

    assert (returns["accepted"], returns["duplicates"], returns["rejected"]) == (29, 0, [])
    assert shown["orders"] == EXPECTED["feed"]["orders"]
    assert shown["net_sales"] == EXPECTED["net_sales"] == 20_138_000 - 370_800
    assert {name: shown[name] for name in FIGURES} == FIGURES


def test_a_settlement_that_differs_by_a_fen_is_refused_with_both_figures(office, partner, returns):
    assert returns["accepted"] == 29

    refused = settle(office, partner.sale, channel_fee=118_602, net_proceeds=19_352_090)

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/settlement-mismatch"
    assert refused.json()["figures"] == [
        {"figure": "channel_fee", "theirs": 118_602, "ours": 118_603},
        {"figure": "net_proceeds", "theirs": 19_352_090, "ours": 19_352_089},
    ]


def test_all_of_it_is_remitted(office, partner, remitted):
    shown = office.public.read(f"/v1/sales/{partner.sale}", at_least=remitted["position"])

    assert (shown["state"], shown["remitted"], shown["outstanding"]) == ("settled", 19_352_089, 0)
    assert shown["units"] == sum(each["sold"] for each in shown["items"])


@pytest.mark.usefixtures("remitted")
def test_the_same_feed_under_the_same_key_is_answered_as_the_first_time(office, partner, orders):
    before = office.server.position()

    again = partner.feed("orders", ORDERS, "orders-1")

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == orders
    assert office.server.position() == before


def test_a_feed_under_a_fresh_key_is_all_duplicates(office):
    partner = Partner(office, office.open_sale(office.fund()))
    first = partner.feed("orders", ORDERS, "twice-orders-1").json()
    office.sun.did(f"/v1/sales/{partner.sale}/ending", {"on": LAST_DAY})
    back = partner.feed("returns", RETURNS, "twice-returns-1").json()
    shown = office.public.read(f"/v1/sales/{partner.sale}")

    again = partner.feed("orders", ORDERS, "twice-orders-2")
    back_again = partner.feed("returns", RETURNS, "twice-returns-2")

    assert "Idempotency-Replayed" not in again.headers
    assert again.json() == first | {
        "accepted": 0,
        "duplicates": 1_079 + 40,
        "position": back["position"],
    }
    assert back_again.json() == back | {"accepted": 0, "duplicates": 29}
    assert office.public.read(f"/v1/sales/{partner.sale}") == shown


def test_what_is_not_yet_remitted_shows(office):
    fund = office.fund()
    partner = Partner(office, office.open_sale(fund))
    partner.feed("orders", ORDERS, "parts-orders")
    office.sun.did(f"/v1/sales/{partner.sale}/ending", {"on": LAST_DAY})
    partner.feed("returns", RETURNS, "parts-returns")
    assert settle(office, partner.sale).status_code == 200

    remit(office, partner.sale, 10_000_000, "PART-1")

    shown = office.public.read(f"/v1/sales/{partner.sale}")
    assert (shown["remitted"], shown["outstanding"]) == (10_000_000, 9_352_089)
    assert office.balance(fund)["received"] == 10_000_000

    too_much = {"amount": 9_352_090, "external_ref": "PART-2", "received_on": "2026-03-31"}
    refused = office.chen.post(f"/v1/sales/{partner.sale}/remittances", too_much)
    assert refused.status_code == 409
    remit(office, partner.sale, 9_352_089, "PART-2", "2026-03-31")

    shown = office.public.read(f"/v1/sales/{partner.sale}")
    assert (shown["remitted"], shown["outstanding"]) == (19_352_089, 0)
    assert office.balance(fund)["received"] == 19_352_089
    assert office.balance(fund, as_of="2026-03-30")["received"] == 10_000_000


@pytest.mark.usefixtures("remitted")
def test_the_fund_holds_what_the_story_says(office, hear):
    promise = office.pledge(hear, MERCHANT, pledged_on="2026-02-25", public_promise=True)
    office.pay_in(promise, MERCHANT, received_on="2026-03-30")
    pledges = [office.pledge(hear, each, public_promise=True) for each in HOTLINE]
    for pledge, amount in zip(pledges, HOTLINE_PAID, strict=False):
        office.pay_in(pledge, amount, channel="wechat")
    for amount, asked, paid in STAGES:
        stage = office.request(hear, amount, requested_on=asked)
        office.approve(stage, on=asked)
        office.pay_out(stage, on=paid)
        office.lin.did(f"/v1/disbursements/{stage}/acknowledgement", {"by": "院长", "on": paid})
    body = {"amount": GIVEN_BACK, "external_ref": "DEMO-BK-628", "received_on": "2026-06-28"}
    last = office.chen.did(f"/v1/disbursements/{stage}/returns", body)

    balance = office.balance(hear)

    assert sum(HOTLINE) == 650_000
    assert sum(HOTLINE_PAID) == 520_000
    assert balance == {
        "fund": "F-HEAR",
        "currency": "CNY",
        "position": last["position"],
        "as_of": None,
        "received": 21_472_089,
        "reserved": 0,
        "paid": 19_800_000 - 125_000,
        "acknowledged": 19_800_000 - 125_000,
        "balance": 1_797_089,
        "available": 1_797_089,
        "pledged": 130_000,
        "suspense": 0,
        "receivable": 0,
    }
