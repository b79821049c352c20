"""``?dry_run=true`` answers what a request would record, and records nothing."""

import json
from uuid import uuid4

import pytest

from api.kernel.feeds import REHEARSED_LINES_MAX
from api.routes.sales import RETURN_LINE
from ledger.commands.every import COMMANDS
from ledger.kernel.roles import Role
from tests.office import CENTRE, DAY, FIRST_DAY, ITEMS, LAST_DAY, SETTLED_DAY
from tests.world import ONE_SOLD, refused

ELSEWHERE = {"announce_key", "enrol_person"}
"""Commands that are given at the command line alone."""

BESIDE_COMMANDS = {"batch", "orders", "returns", "tokens", "revocation", "rotation"}
"""What records by no command: feeds and tokens."""


def rehearsed(person, path, body):
    """Ask for a rehearsal, without a key."""
    return person.http.post(path, json=body, params={"dry_run": "true"})


def held(office, person, path, body):
    """Rehearse a request, make it, and hold what was foreseen to what came of it."""
    before = office.server.position()
    answer = rehearsed(person, path, body)
    assert answer.status_code == 200, answer.text
    foreseen = answer.json()
    assert office.server.position() == before

    made = person.post(path, body)

    assert foreseen["dry_run"] is True
    assert foreseen["status"] == made.status_code, made.text
    events = office.an.all("/v1/events", after=before)
    assert [each["type"] for each in foreseen["events"]] == [each["type"] for each in events]
    _hold_data(foreseen["events"], events)
    trail = office.an.all("/v1/audit-trail")[-len(events) :] if events else []
    assert foreseen["entry"] == [
        {name: line[name] for name in ("account", "fund", "debit", "credit")}
        for event in trail
        for line in event["entry"]
    ]
    for fund, after in foreseen["funds"].items():
        balance = office.balance(fund)
        assert after == {name: balance[name] for name in ("balance", "available")}
    return made.json()["id"]


def _hold_data(foreseen, recorded):
    """What is made up anew for each request, such as an id, is all that may differ."""
    for guess, event in zip(foreseen, recorded, strict=True):
        data = {"on": event["on"], **event["data"]}
        assert guess["data"].keys() == data.keys()
        for name, value in guess["data"].items():
            if name not in {"donor", "payee", "by", "person"}:
                assert value == data[name], name


def test_every_command_is_foreseen_as_it_then_happens(office):
    def did(who, path, **body):
        return held(office, getattr(office, who), f"/v1/{path}", body)

    money = {"amount": 10_000, "currency": "CNY"}
    fund = did("sun", "funds", code="F-DRY", name="专项", restriction="restricted", purpose="aid")
    other = did(
        "sun", "funds", code="F-OTHER", name="另一", restriction="restricted", purpose="aid"
    )
    did("sun", f"funds/{other}/freezing", reason="review", on=DAY)
    did("sun", f"funds/{other}/thawing", reason="done", on=DAY)
    limits = {"one_approval_up_to": 0, "three_approvals_above": None}
    did("sun", "policies/approval", **limits, currency="CNY", basis="board")
    did("zhao", "people/relations", organisation="别家", relation="family", on=DAY)
    donor = did("lin", "donors", name="李女士", anonymous=True)
    plan = [{"due_on": "2026-05-01", "amount": 4_000}, {"due_on": "2026-06-01", "amount": 6_000}]
    gift = {"donor": donor, "fund": fund, **money, "pledged_on": DAY}
    pledge = did("lin", "donations", **gift, instalments=plan)
    paid = {"channel": "bank", "external_ref": "DRY-1"}
    did("chen", f"donations/{pledge}/payments", amount=15_000, **paid, received_on=DAY)
    did("bo", f"donations/{pledge}/payments/confirmation", **paid, statement_ref="S", on=DAY)
    did("lin", f"donations/{pledge}/excess", decision="give", amount=1_000, on=DAY)
    did("sun", f"donations/{pledge}/refunds", amount=100, cause="error", reason="twice")
    did("lin", f"donations/{did('lin', 'donations', **gift)}/withdrawal", reason="moved")
    did("sun", f"funds/{fund}/transfers", to=other, amount=500, basis="agreed", on=DAY)
    aid = {"fund": fund, "payee": CENTRE, **money, "amount": 4_000, "purpose": "aid"}
    case = did("lin", "disbursements", **aid, requested_on=DAY)
    did("wang", f"disbursements/{case}/approvals", on=DAY)
    did("zhao", f"disbursements/{case}/approvals", on=DAY)
    did("chen", f"disbursements/{case}/payment", external_ref="DRY-P", paid_on=DAY)
    did("chen", f"disbursements/{case}/bounce", reason="wrong account", on=DAY)
    did("chen", f"disbursements/{case}/payment", external_ref="DRY-Q", paid_on=DAY)
    did("bo", f"disbursements/{case}/payment/confirmation", statement_ref="S", on=DAY)
    did("lin", f"disbursements/{case}/acknowledgement", by="院长", on=DAY)
    back = {"external_ref": "DRY-B", "received_on": DAY}
    did("chen", f"disbursements/{case}/returns", amount=500, **back)
    for step in ("rejection", "cancellation"):
        who = "wang" if step == "rejection" else "lin"
        another = did("lin", "disbursements", **aid, requested_on=DAY)
        did(who, f"disbursements/{another}/{step}", reason="not needed")
    _sell(did, fund)
    did("sun", f"funds/{did('sun', 'funds', **_spare())}/closing", reason="unused", on=DAY)
    known = did("lin", "donors", name="王", anonymous=False)
    did("ada", f"donors/{known}/restriction", basis="donor-request")
    did("ada", f"donors/{known}/erasure", basis="consent-withdrawn")
    person = did("ada", "people", name="新人", roles=["clerk"])
    did("ada", f"people/{person}/roles", roles=["bookkeeper"])
    did("ada", f"people/{person}/roles/withdrawal", roles=["clerk"])
    did("ada", f"people/{person}/disabling")


def _spare():
    return {"code": "F-SPARE", "name": "空", "restriction": "unrestricted", "purpose": "none"}


def _sell(did, fund):
    plan = {"name": "义卖", "fund": fund, "partner": "嘉丽购", "items": ITEMS}
    days = {"starts_on": FIRST_DAY, "ends_on": LAST_DAY, "return_days": 7}
    sale = did("sun", "sales", **plan, **days, partner_fee_bp=150, channel_fee_bp=60)
    did("sun", f"sales/{sale}/opening", on=FIRST_DAY)
    did("sun", f"sales/{sale}/ending", on=LAST_DAY)
    nothing = dict.fromkeys(("gross", "refunds", "partner_fee", "channel_fee", "net_proceeds"), 0)
    did("sun", f"sales/{sale}/settlement", **nothing, agreed_on=SETTLED_DAY)


def test_whatever_records_can_be_rehearsed(world):
    recording = {
        path: operations["post"]["parameters"]
        for path, operations in world.documented.items()
        if "post" in operations
    }

    assert len(recording) == len(COMMANDS.keys() - ELSEWHERE) + len(BESIDE_COMMANDS)
    for path, parameters in recording.items():
        assert "dry_run" in [each["name"] for each in parameters], path


@pytest.fixture(name="case")
def _case(office):
    return office.request(office.fund(), 5_000)


def test_a_rehearsal_is_refused_as_the_request_would_be(office, world, case):
    path = f"/v1/disbursements/{case}/payment"
    body = {"external_ref": "X", "paid_on": DAY}

    foreseen = refused(world, lambda: rehearsed(office.chen, path, body), 409, "wrong-state")

    assert foreseen == office.chen.post(path, body).json()
    refused(world, lambda: rehearsed(office.lin, path, body), 403, "role-forbidden")
    refused(world, lambda: rehearsed(office.chen, path, {}), 422, "invalid-request")
    refused(world, lambda: rehearsed(office.public, path, body), 401, "unauthenticated")


def test_a_rehearsal_uses_up_no_key(office, case):
    path, body = f"/v1/disbursements/{case}/approvals", {"on": DAY}
    headers = {"Idempotency-Key": "once"}

    office.wang.http.post(path, json=body, params={"dry_run": "true"}, headers=headers)
    answer = office.wang.post(path, body, key="once")

    assert answer.status_code == 200
    assert "Idempotency-Replayed" not in answer.headers


def test_a_rehearsal_keeps_nobody(office):
    people = office.server.identity.users.everybody(0, 1_000)
    assert rehearsed(office.ada, "/v1/people", {"name": "无人", "roles": []}).status_code == 200

    assert office.server.identity.users.everybody(0, 1_000) == people


@pytest.mark.parametrize("value", ["", "1", "True", "yes", "true&dry_run=true"])
def test_a_rehearsal_is_asked_for_in_one_way(office, world, value):
    def ask():
        return office.sun.http.post(f"/v1/funds?dry_run={value}", json=_spare())

    refused(world, ask, 422, "invalid-request")


# Feeds.


def fed(person, path, *lines, dry_run="true"):
    content = b"\n".join(json.dumps(each).encode() for each in lines)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": uuid4().hex}
    if dry_run == "true":
        del headers["Idempotency-Key"]
    query = {"dry_run": dry_run}
    return person.http.post(path, content=content, headers=headers, params=query)


def promised(office, fund, **other):
    said = {"ref": uuid4().hex, "donor": office.donor(), "fund": fund, "amount": 100}
    return said | {"currency": "CNY", "pledged_on": DAY} | other


def test_a_batch_is_foreseen_as_it_then_happens(office):
    fund = office.fund()
    he = office.server.person("he who tries", Role.CLERK, Role.CASHIER)
    paid = {"amount": 40, "channel": "wechat", "external_ref": uuid4().hex, "received_on": DAY}
    lines = [
        promised(office, fund, payment=paid),
        promised(office, fund, payment=paid),
        {"ref": "?"},
    ]
    lines.insert(1, lines[0])
    before = office.server.position()

    answer = fed(he, "/v1/donations:batch", *lines)
    assert answer.status_code == 200, answer.text
    assert office.server.position() == before
    foreseen = answer.json()
    made = fed(he, "/v1/donations:batch", *lines, dry_run="false").json()

    counts = ("accepted", "duplicates", "rejected", "donations", "repeats")
    assert {each: foreseen[each] for each in counts} == {each: made[each] for each in counts}
    assert (foreseen["dry_run"], foreseen["status"]) == (True, 200)
    events = office.an.all("/v1/events", after=before)
    assert [each["type"] for each in foreseen["events"]] == [each["type"] for each in events]
    _hold_data(foreseen["events"], events)
    debit, credit = foreseen["entry"]
    assert (debit["fund"], debit["debit"], credit["credit"]) == (fund, 40, 40)
    balance = office.balance(fund)
    assert foreseen["funds"] == {fund: {name: balance[name] for name in ("balance", "available")}}


def test_orders_and_returns_are_foreseen(office):
    fund = office.fund()
    sale = office.open_sale(fund)
    before = office.server.position()
    order, back = json.loads(ONE_SOLD), json.loads(RETURN_LINE)

    sold = fed(office.sun, f"/v1/sales/{sale}/orders", order, order).json()
    returned = fed(office.sun, f"/v1/sales/{sale}/returns", back).json()

    assert (sold["accepted"], sold["duplicates"], sold["rejected"]) == (1, 1, [])
    assert [each["code"] for each in returned["rejected"]] == ["order.unknown"]
    assert office.server.position() == before


def test_a_feed_is_refused_in_a_dry_run_as_it_would_be(office, world):
    sale = office.plan(office.fund())
    path = f"/v1/sales/{sale}/orders"

    refused(world, lambda: fed(office.sun, path, {}), 409, "wrong-state")
    refused(world, lambda: fed(office.lin, path, {}), 403, "role-forbidden")


def test_a_dry_run_takes_ten_thousand_lines(office, world):
    lines = [{}] * REHEARSED_LINES_MAX

    assert fed(office.lin, "/v1/donations:batch", *lines).status_code == 200
    answer = refused(
        world, lambda: fed(office.lin, "/v1/donations:batch", *lines, {}), 413, "too-large"
    )
    assert answer["facts"] == {"most": REHEARSED_LINES_MAX}


# Tokens.


def test_a_token_is_rehearsed_and_no_secret_is_made(office, world):
    person = office.server.identity.users.known("lin")
    path, tokens = f"/v1/people/{person}/tokens", office.server.identity.tokens
    made = office.ada.did(path, {"name": "kept", "roles": ["clerk"], "days": 1})
    held_before = tokens.of(person)
    token = {"name": "x", "roles": ["clerk"], "days": 1}

    def rehearsed_at(step, body, status):
        answer = rehearsed(office.ada, path + step, body)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "dry_run": True,
            "status": status,
            "events": [],
            "entry": [],
            "funds": {},
        }

    rehearsed_at("", token, 201)
    rehearsed_at(f"/{made['id']}/rotation", {"overlap_hours": 1}, 201)
    rehearsed_at(f"/{made['id']}/revocation", {}, 200)

    def tried(step, body):
        return lambda: rehearsed(office.ada, path + step, body)

    beyond = token | {"roles": ["treasurer"]}
    refused(world, tried("", beyond), 409, "beyond-roles")
    refused(world, tried(f"/{'0' * 16}/revocation", {}), 404, "not-found")
    refused(world, tried(f"/{'0' * 16}/rotation", {"overlap_hours": 1}), 404, "not-found")
    assert tokens.of(person) == held_before
