"""The history and the books as auditors read them: whole, in order, and in words."""

import json
from collections import Counter

import pytest

from tests.office import Office
from tests.server import serving
from tests.years import APRIL, MARCH, MAY, Years

NDJSON = {"Accept": "application/x-ndjson"}


def streamed(person, **asked):
    """Read the history as a stream."""
    answer = person.http.get("/v1/events", params=asked, headers=NDJSON)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


# Events.


def test_events_are_numbered_without_gaps_and_in_order(years):
    assert [each["position"] for each in years.events] == list(range(1, years.last + 1))
    for stream in {each["id"] for each in years.events}:
        versions = [each["version"] for each in years.events if each["id"] == stream]
        assert versions == list(range(1, len(versions) + 1))


def test_an_event_says_who_when_and_what(years):
    event = next(each for each in years.events if each["type"] == "fund.transferred.1")

    assert event.keys() >= {
        "position",
        "id",
        "version",
        "type",
        "recorded_at",
        "actor",
        "data",
    }
    assert event["recorded_at"].endswith("Z")
    assert event["data"]["basis"] == "consent 07"
    assert (event["on"], event["role"]) == (MAY, "treasurer")
    assert "sun" not in event["actor"]


def test_a_page_goes_on_where_the_last_ended(office, years):
    first = office.an.read("/v1/events", limit=7)

    rest = office.an.all("/v1/events", cursor=first["next"])

    assert first["items"] + rest == years.events
    assert office.an.read("/v1/events", after=years.last)["items"] == []
    assert office.an.all("/v1/events", after=years.last - 3, limit=2) == years.events[-3:]


def test_events_are_found_by_type_and_by_stream(office, years):
    kind = "donation.payment-received.1"
    expected = [each for each in years.events if each["type"] == kind]
    assert len(expected) == 3

    assert office.an.all("/v1/events", type=kind, limit=1) == expected
    one = [each for each in years.events if each["id"] == years.gift]
    assert office.an.all("/v1/events", stream=years.gift, limit=2) == one
    assert office.an.all("/v1/events", stream=years.gift, type=kind) == expected[:2]


def test_the_whole_rest_comes_as_a_stream(office, years):
    assert streamed(office.an) == years.events
    assert streamed(office.an, after=10) == years.events[10:]
    assert streamed(office.an, after=years.last) == []
    assert streamed(office.an, limit=1) == years.events


def test_a_stream_is_filtered_as_a_page_is(office, years):
    kind = "donation.payment-received.1"

    assert streamed(office.an, type=kind) == office.an.all("/v1/events", type=kind)
    assert streamed(office.an, stream=years.gift, after=20) == [
        each for each in years.events if each["id"] == years.gift and each["position"] > 20
    ]


# The books.


def test_every_entry_balances_in_total_and_inside_each_fund(office, years):
    entries = office.bo.all("/v1/journal", limit=7)

    for entry in entries:
        by_fund = Counter()
        for line in entry["lines"]:
            by_fund[line["fund"]] += line["debit"] - line["credit"]
            assert (line["debit"] > 0) != (line["credit"] > 0)
        assert set(by_fund.values()) == {0}
    assert [each["position"] for each in entries] == sorted({each["position"] for each in entries})
    on = {each["position"]: (each["on"], each["type"]) for each in years.events}
    assert all((each["on"], each["type"]) == on[each["position"]] for each in entries)


def test_the_journal_is_read_by_day_and_by_fund(office, years):
    entries = office.bo.all("/v1/journal")

    assert office.bo.all("/v1/journal", from_=APRIL, to=MAY, limit=2) == [
        each for each in entries if APRIL <= each["on"] <= MAY
    ]
    assert office.bo.all("/v1/journal", fund=years.warm, limit=1) == [
        each for each in entries if years.warm in {line["fund"] for line in each["lines"]}
    ]


@pytest.mark.parametrize("as_of", [None, "2026-01-01", MARCH, APRIL, MAY, "2030-12-31"])
@pytest.mark.parametrize("fund", [None, "F-HEAR", "F-WARM", "F-NONE"])
@pytest.mark.usefixtures("years")
def test_the_trial_balance_is_what_the_journal_adds_up_to(office, as_of, fund):
    asked = {"as_of": as_of, "fund": fund}
    debit, credit = Counter(), Counter()
    for entry in office.bo.all("/v1/journal"):
        for line in entry["lines"]:
            if (as_of is None or entry["on"] <= as_of) and fund in {None, line["fund"]}:
                debit[line["account"]] += line["debit"]
                credit[line["account"]] += line["credit"]

    shown = office.bo.read(
        "/v1/trial-balance", **{name: said for name, said in asked.items() if said}
    )

    assert {each["account"]: each["debit"] for each in shown["accounts"]} == dict(debit)
    assert {each["account"]: each["credit"] for each in shown["accounts"]} == dict(credit)
    assert shown["debit"] == shown["credit"] == sum(debit.values())
    assert sum(each["balance"] for each in shown["accounts"]) == 0
    assert all(each["name_zh"] and each["name_en"] for each in shown["accounts"])


def test_the_money_accounts_hold_the_balances_and_what_waits_in_suspense(office, years):
    money = {"1001", "1002", "1009"}
    for fund in (years.hear, years.warm):
        accounts = office.bo.read("/v1/trial-balance", fund=fund)["accounts"]
        held = sum(each["balance"] for each in accounts if each["account"] in money)
        balance = office.balance(fund)

        assert held == balance["balance"] + balance["suspense"]


# The audit trail.


def test_every_event_has_a_sentence_with_its_entry(office, years):
    trail = office.bo.all("/v1/audit-trail", limit=9)
    entries = {each["position"]: each["lines"] for each in office.bo.all("/v1/journal")}

    assert [each["position"] for each in trail] == list(range(1, years.last + 1))
    for told, event in zip(trail, years.events, strict=True):
        assert (told["stream"], told["version"], told["actor"], told["type"], told["on"]) == (
            event["id"],
            event["version"],
            event["actor"],
            event["type"],
            event["on"],
        )
        assert told["entry"] == entries.get(told["position"], [])
        assert told["zh"]
        assert told["en"]


@pytest.mark.parametrize("limit", [1, 100])
def test_the_trail_is_searched_by_fund_stream_actor_and_day(office, years, limit):
    whole = office.bo.all("/v1/audit-trail")
    touches = {
        each["position"]: {each["data"].get("fund"), each["data"].get("to")}
        for each in years.events
    }
    cashier = next(each["actor"] for each in years.events if each["role"] == "cashier")
    for asked, wanted in (
        ({"fund": years.warm}, lambda each: years.warm in touches[each["position"]]),
        ({"stream": years.gift}, lambda each: each["stream"] == years.gift),
        ({"actor": cashier}, lambda each: each["actor"] == cashier),
        ({"from": APRIL}, lambda each: each["on"] >= APRIL),
        ({"to": APRIL}, lambda each: each["on"] <= APRIL),
        (
            {"fund": years.hear, "actor": cashier, "from": MARCH, "to": MAY},
            lambda each: (
                years.hear in touches[each["position"]]
                and each["actor"] == cashier
                and MARCH <= each["on"] <= MAY
            ),
        ),
    ):
        expected = [each for each in whole if wanted(each)]

        assert 0 < len(expected) < len(whole)
        assert office.bo.all("/v1/audit-trail", limit=limit, **asked) == expected, asked


# Those who keep the server running.


def test_the_server_says_that_it_lives_and_is_ready(office, years):
    assert office.public.read("/healthz") == {"status": "alive"}
    ready = office.public.read("/readyz")
    assert ready["status"] == "ready"
    assert ready["position"] >= years.last


def test_figures_for_prometheus(office, years):
    answer = office.public.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    (position,) = (line for line in answer.text.splitlines() if line.startswith("leifeng_position"))
    assert float(position.split()[1]) >= years.last
    assert "leifeng_view_lag" in answer.text
    assert "leifeng_queue 0.0" in answer.text


def test_all_of_it_is_still_there_after_a_restart(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data) as server:
        office = Office(server)
        years = Years(office)
        before = [office.balance(each) for each in (years.hear, years.warm)]
        token = office.an.token

    with serving(data) as server:
        office = Office(server)
        assert [office.balance(each) for each in (years.hear, years.warm)] == before
        assert server.bearer(token).all("/v1/events") == years.events
