"""A request made again has no second effect, however many make it at once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.kernel.roles import Role
from tests.office import DAY
from tests.stores import on_every_store

pytestmark = on_every_store

AMOUNT = 1_234


@pytest.fixture(scope="module")
def fund(office):
    return office.fund()


@pytest.fixture(scope="module")
def donor(office):
    return office.donor()


@pytest.fixture
def pledge(fund, donor):
    return {
        "donor": donor,
        "fund": fund,
        "amount": AMOUNT,
        "currency": "CNY",
        "pledged_on": DAY,
        "instalments": [{"due_on": DAY, "amount": 1_000}, {"due_on": DAY, "amount": 234}],
        "note": "热线",
    }


def at_once(calls):
    """Make all ``calls`` at the same time."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [each.result() for each in [pool.submit(call) for call in calls]]


def test_eighty_calls_at_once_on_ten_keys_have_ten_effects(office, pledge):
    before = office.balance(pledge["fund"])["pledged"]
    position = office.server.position()

    answers = at_once(
        [
            lambda key=f"burst-{n % 10}": (key, office.lin.post("/v1/donations", pledge, key=key))
            for n in range(80)
        ]
    )

    assert {answer.status_code for _, answer in answers} == {201}
    assert len({(key, answer.text) for key, answer in answers}) == 10
    assert len({answer.headers["Location"] for _, answer in answers}) == 10
    assert sum("Idempotency-Replayed" not in answer.headers for _, answer in answers) == 10
    assert office.server.position() == position + 10
    assert office.balance(pledge["fund"])["pledged"] == before + 10 * AMOUNT


def test_money_that_arrives_eighty_times_at_once_counts_once(office, fund):
    donation = office.pledge(fund, AMOUNT)
    before = office.balance(fund)["received"]
    line = {"amount": AMOUNT, "channel": "bank", "external_ref": "ONCE", "received_on": DAY}

    answers = at_once(
        [lambda: office.chen.post(f"/v1/donations/{donation}/payments", line) for _ in range(80)]
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert office.balance(fund)["received"] == before + AMOUNT


def test_eighty_approvals_at_once_are_two_peoples(office, fund):
    office.gift(fund, 100_000)
    disbursement = office.request(fund, 40_000)
    path = f"/v1/disbursements/{disbursement}/approvals"
    before = office.balance(fund)["reserved"]

    answers = at_once(
        [
            lambda who=(office.wang, office.zhao)[n % 2]: who.post(path, {"on": DAY})
            for n in range(80)
        ]
    )

    refused = [answer.json()["type"] for answer in answers if answer.status_code != 200]
    assert sum(answer.status_code == 200 for answer in answers) == 2
    assert set(refused) == {"/problems/same-person"}
    assert office.balance(fund)["reserved"] == before + 40_000


def test_a_registered_donor_is_kept_once(office):
    body = {"name": "王先生", "phone": "13900139000", "anonymous": False}

    answers = at_once(
        [lambda: office.lin.post("/v1/donors", body, key="register-once") for _ in range(20)]
    )

    (donor,) = {answer.json()["id"] for answer in answers}
    assert office.lin.read(f"/v1/donors/{donor}") == body | {"id": donor}
    assert office.server.people_kept("王先生") == 1


def test_a_repeat_is_answered_as_the_first_time(office, pledge):
    first = office.lin.post("/v1/donations", pledge, key="again")
    office.pledge(pledge["fund"])

    again = office.lin.post("/v1/donations", pledge, key="again")

    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Content-Type"] == first.headers["Content-Type"]


def test_a_repeat_of_a_step_is_answered_though_the_step_is_no_longer_possible(office, fund):
    donation = office.pledge(fund)
    path, body = f"/v1/donations/{donation}/withdrawal", {"reason": "moved away"}
    first = office.lin.did(path, body, key="withdraw-once")

    assert office.lin.did(path, body, key="withdraw-once") == first
    assert office.lin.post(path, body).json()["type"] == "/problems/wrong-state"


def test_the_order_of_fields_and_the_spaces_do_not_matter(office, pledge):
    first = office.lin.post("/v1/donations", pledge, key="order").json()
    backwards = {
        name: [dict(reversed(each.items())) for each in said] if name == "instalments" else said
        for name, said in reversed(pledge.items())
    }
    content = json.dumps(backwards, indent=4, ensure_ascii=True).encode()

    again = office.lin.http.post(
        "/v1/donations",
        content=content,
        headers={"Idempotency-Key": "order", "Content-Type": "application/json"},
    )

    assert list(backwards) != list(pledge)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"amount": AMOUNT + 1}, ["amount"]),
        ({"note": None}, ["note"]),
        ({"public_promise": False}, ["public_promise"]),
        ({"instalments": []}, ["instalments"]),
        ({"instalments": [{"due_on": DAY, "amount": AMOUNT}]}, ["instalments"]),
        ({"amount": 1, "pledged_on": "2026-03-31"}, ["amount", "pledged_on"]),
    ],
)
def test_each_field_that_differs_is_named(office, pledge, change, named):
    office.lin.post("/v1/donations", pledge, key="differs")

    refused = office.lin.post("/v1/donations", pledge | change, key="differs")

    assert refused.status_code == 422
    assert refused.json()["type"] == "/problems/idempotency-mismatch"
    assert refused.json()["fields"] == named
    assert all(name in refused.json()["detail"] for name in named)


def test_a_key_is_ones_own(office, pledge):
    mine = office.lin.did("/v1/donations", pledge, key="shared")
    colleague = office.server.person("another clerk", Role.CLERK)

    theirs = colleague.did("/v1/donations", pledge, key="shared")

    assert theirs["id"] != mine["id"]


def test_a_refused_request_may_be_made_again_under_its_key_when_it_can_be_done(office):
    poor = office.fund()
    disbursement = office.request(poor, 700)
    office.approve(disbursement, office.wang)
    path, body = f"/v1/disbursements/{disbursement}/approvals", {"on": DAY}
    assert office.zhao.post(path, body, key="patience").status_code == 409

    office.gift(poor, 700)

    assert office.zhao.post(path, body, key="patience").status_code == 200
    assert office.balance(poor)["reserved"] == 700


def test_who_wrote_reads_it_at_once(office, fund):
    for n in range(1, 40):
        donation = office.pledge(fund, n)
        received = office.balance(fund)["received"]
        receipt = office.pay_in(donation, n)

        balance = office.balance(fund)

        assert balance["received"] == received + n
        assert balance["position"] >= receipt["position"]
        assert office.bo.read(f"/v1/donations/{donation}")["state"] == "fulfilled"


def test_everybody_reads_at_least_what_they_ask_for(office, fund):
    """One writes, others read at the position they were told of: none sees less."""

    def write_and_look(n):
        donation = office.pledge(fund, n)
        position = office.pay_in(donation, n)["position"]
        seen = office.public.read(f"/v1/funds/{fund}/balance", at_least=position)
        events = office.an.read("/v1/events", after=position - 1, at_least=position, limit=1)
        return position, seen["position"], events["items"][0]["position"]

    for wrote, seen, event in at_once([lambda n=n: write_and_look(n) for n in range(1, 21)]):
        assert seen >= wrote
        assert event == wrote


def test_the_receipt_says_where_in_the_ledger_and_in_its_stream_it_is(office, fund):
    donation = office.pledge(fund, 100)

    receipt = office.pay_in(donation, 100)

    (event,) = office.an.read("/v1/events", after=receipt["position"] - 1)["items"]
    assert (event["id"], event["version"]) == (donation, receipt["version"])
    assert receipt == {"id": donation, "version": 2, "position": event["position"]}
