"""What is shown is what the events add up to, on any day and as known at any position."""

from collections import Counter
from datetime import date, timedelta

from tests.stores import on_every_store
from tests.years import APRIL, JUNE, MARCH, MAY

pytestmark = on_every_store

COLUMNS = (
    "received",
    "reserved",
    "paid",
    "acknowledged",
    "pledged",
    "suspense",
    "receivable",
)


def recount(events):
    """Add up every fund's figures from the events alone, as an auditor would."""
    total = Counter()
    for event in events:
        said, kind = event["data"], event["type"].rsplit(".", 1)[0]
        fund, amount = said.get("fund"), said.get("amount", 0)
        for column, change in {
            "fund.transferred": {"received": -amount},
            "donation.pledged": {"pledged": amount},
            "donation.payment-received": {
                "received": amount - said.get("excess", 0),
                "pledged": said.get("excess", 0) - amount,
                "suspense": said.get("excess", 0),
            },
            "donation.withdrawn": {"pledged": -said.get("open", 0)},
            "donation.refunded": {"received": -amount},
            "donation.excess-given": {"received": amount, "suspense": -amount},
            "donation.excess-returned": {"suspense": -amount},
            "sale-order.placed": {"receivable": amount},
            "sale-order.goods-returned": {"receivable": -said.get("refund", 0)},
            "sale.settled": {
                "receivable": -said.get("partner_fee", 0) - said.get("channel_fee", 0)
            },
            "sale.remitted": {"received": amount, "receivable": -amount},
            "disbursement.reserved": {"reserved": amount},
            "disbursement.cancelled": {"reserved": -said.get("released", 0)},
            "disbursement.paid": {"reserved": -amount, "paid": amount},
            "disbursement.bounced": {"reserved": amount, "paid": -amount},
            "disbursement.acknowledged": {"acknowledged": amount},
            "disbursement.returned": {
                "paid": -amount,
                "acknowledged": -amount if said.get("acknowledged") else 0,
            },
        }.get(kind, {}).items():
            total[fund, column] += change
        if kind == "fund.transferred":
            total[said["to"], "received"] += amount
    return total


def test_the_history_has_everything_that_moves_a_figure(years):
    total = recount(years.events)

    assert all(total[years.hear, column] for column in ("received", "paid", "acknowledged"))
    assert all(total[years.warm, column] for column in ("reserved", "receivable"))


def test_balances_are_what_the_events_add_up_to_at_every_moment(office, years):
    """Every fund, by the end of many days, as known at many positions: both axes at once."""
    first, last = date(2026, 3, 7), date(2026, 7, 2)
    days = [None, *(str(first + timedelta(n)) for n in range(0, (last - first).days + 1, 9))]
    days += [MARCH, APRIL, MAY, JUNE, "2025-01-01", "2030-01-01"]
    for known_at in (None, 0, *range(3, years.last + 1, 7), years.last, years.last + 99):
        for as_of in days:
            asked = {"known_at": known_at, "as_of": as_of}
            counted = recount(
                event
                for event in years.events
                if (known_at is None or event["position"] <= known_at)
                and (as_of is None or event["on"] <= as_of)
            )
            for fund in (years.hear, years.warm):
                shown = office.balance(fund, **{k: v for k, v in asked.items() if v is not None})

                assert {name: shown[name] for name in COLUMNS} == {
                    name: counted[fund, name] for name in COLUMNS
                }, asked
                assert shown["balance"] == shown["received"] - shown["paid"]
                assert shown["available"] == shown["balance"] - shown["reserved"]
                assert shown["as_of"] == as_of


def test_a_balance_says_which_event_it_is_as_good_as(office, years):
    assert office.balance(years.hear)["position"] == years.last
    assert office.balance(years.hear, known_at=5)["position"] == 5
    assert office.balance(years.hear, known_at=10**9)["position"] == years.last


# Donations and donors.


def test_donations_are_listed_by_donor_fund_and_state(office, years):
    everything = office.bo.all("/v1/donations")
    assert len(everything) >= 2
    for name, said in (
        ("donor", years.donor),
        ("fund", years.warm),
        ("state", "withdrawn"),
        ("state", "fulfilled"),
        ("state", "pledged"),
    ):
        expected = [each for each in everything if each[name] == said]

        assert office.bo.all("/v1/donations", **{name: said}) == expected
    both = office.bo.all("/v1/donations", donor=years.donor, fund=years.hear)
    assert [each["id"] for each in both] == [years.gift]


def test_a_cursor_keeps_filters_and_page_size(office, years):
    for number in range(5):
        office.pledge(years.warm, 1_000 + number)
        office.pledge(years.hear, 1_000 + number)
    expected = office.bo.all("/v1/donations", fund=years.warm)

    pages = list(office.bo.pages("/v1/donations", fund=years.warm, limit=2))

    assert [each for page in pages for each in page] == expected
    assert {len(page) for page in pages[:-1]} == {2}
    assert len(pages) == -(-len(expected) // 2)


def test_a_page_that_is_just_full_is_the_last(office, years):
    count = len(office.bo.all("/v1/donations", fund=years.hear))

    assert office.bo.read("/v1/donations", fund=years.hear, limit=count)["next"] is None


def test_a_donation_tells_its_life(office, years):
    shown = office.bo.read(f"/v1/donations/{years.gift}")

    assert {name: shown[name] for name in ("state", "received", "open", "refunded", "excess")} == {
        "state": "fulfilled",
        "received": 103_000,
        "open": 0,
        "refunded": 7_000,
        "excess": 5_000,
    }
    assert [(each["kind"], each["amount"]) for each in shown["history"]] == [
        ("pledge", 100_000),
        ("payment", 40_000),
        ("payment", 90_000),
        ("excess-given", 10_000),
        ("excess-returned", 15_000),
        ("refund", 7_000),
    ]


def test_a_donor_is_told_what_they_promised_paid_and_got_back(office, years):
    path = f"/v1/donors/{years.donor}/statement"
    told = office.lin.read(path)

    assert {name: said for name, said in told.items() if name != "lines"} == {
        "donor": years.donor,
        "pledged": 130_000,
        "received": 115_000,
        "refunded": 7_000,
        "withdrawn": 18_000,
        "open": 0,
        "excess": 5_000,
    }
    assert [each["on"] for each in told["lines"]] == sorted(each["on"] for each in told["lines"])
    spring = office.lin.read(path, from_=MARCH, to=APRIL)["lines"]
    assert spring == [each for each in told["lines"] if MARCH <= each["on"] <= APRIL]
    assert 0 < len(spring) < len(told["lines"])


def test_funds_are_listed_by_code_a_page_at_a_time(office, years):
    codes = [each["code"] for each in office.public.all("/v1/funds", limit=1)]

    assert codes == sorted(codes)
    assert {years.hear, years.warm} <= set(codes)
    assert office.public.read(f"/v1/funds/{years.hear}")["state"] == "open"


def test_sales_and_disbursements_are_listed_and_filtered(office, years):
    assert years.sale in [each["id"] for each in office.public.all("/v1/sales", limit=1)]
    listed = office.bo.all("/v1/disbursements", limit=1)
    states = {each["id"]: each["state"] for each in listed}
    assert (states[years.paid], states[years.waiting]) == ("acknowledged", "approved")
    approved = office.bo.all("/v1/disbursements", state="approved", limit=1)
    assert [each["id"] for each in approved] == [years.waiting]
    assert office.bo.all("/v1/disbursements", fund=years.warm) == [
        each for each in listed if each["fund"] == years.warm
    ]


def test_a_disbursement_tells_how_far_it_is(office, years):
    shown = office.bo.read(f"/v1/disbursements/{years.paid}")

    assert len(set(shown["approved_by"])) == 2
    assert shown["requested_by"] not in shown["approved_by"]
    assert (shown["paid_on"], shown["acknowledged_on"], shown["returned"]) == (JUNE, JUNE, 500)
    assert shown["version"] == max(
        event["version"] for event in years.events if event["id"] == years.paid
    )


def test_the_sale_shows_its_running_total(office, years):
    shown = office.public.read(f"/v1/sales/{years.sale}")

    assert (shown["orders"], shown["units"], shown["units_returned"]) == (2, 4, 3)
    assert (shown["net_sales"], shown["net_proceeds"]) == (16_800, 16_447)
    assert (shown["remitted"], shown["outstanding"]) == (6_447, 10_000)
