"""What is wrong in itself is refused by the name of its field, wherever it is sent."""

import json
from itertools import product
from typing import Any

import pytest

from tests.office import CENTRE, DAY, FIRST_DAY, ITEMS, LAST_DAY
from tests.world import (
    ON,
    PAYMENT,
    PAYOUT,
    PLEDGE,
    REFUND,
    RETURN,
    SETTLEMENT,
    TRANSFER,
    WHY,
    filled,
    refused,
)

pytestmark = pytest.mark.common_server

ID_CARD = "11010519491231002X"
MOBILE = "+86 138 0013 8000"
BANK_CARD = "6222 0202 0000 1234 567"

AMOUNTS = [0, -1, 0.5, 100.0, "100", True, None, [], {}, 10**12 + 1, 10**30, 1e400]
FIGURES = [-1, 1.5, "0", True, None, 10**12 + 1]
DAYS = ["", "2026-02-30", "20260401", "2026-04-01T00:00:00Z", "1/4/2026", 20260401, True, None]
NOT_YET = ["9999-12-31"]
BLANK = ["", " ", "\n\t"]
HIDDEN = ["a\x00b", "a\x1bb", "\u202eabc", "\ud800", "a\x7f"]
WORDS = [*BLANK, *HIDDEN, "字" * 501, 5, True, ["a"]]
HISTORY_WORDS = [*WORDS, f"card {ID_CARD}", f"call {MOBILE}", BANK_CARD]
REFERENCES = ["", "has space", "é", "参", "x" * 65, "a\x00b", 5, None]
CODES = ["", "f-hear", "F HEAR", "F-", "F_HEAR", "F-é", "F" * 33, "F-\x00", "\ud800", 5, None]
IDS = ["", "x", "\ud800", 5, None, "0" * 31]
FLAGS = ["true", 1, 0, None, "yes"]
WHICH = ["", "other", "BANK", 5, None, []]
CURRENCIES = ["USD", "cny", "", "CN¥", 156, None]

FUND = {
    "code": "F-NEW",
    "name": "专项",
    "restriction": "restricted",
    "purpose": "aid",
    "currency": "CNY",
}
DONOR = {"name": "李女士", "phone": MOBILE, "email": "li@example.org", "anonymous": True}
SALE = {
    "name": "义卖",
    "fund": "{rich}",
    "partner": "嘉丽购",
    "starts_on": FIRST_DAY,
    "ends_on": LAST_DAY,
    "return_days": 7,
    "partner_fee_bp": 150,
    "channel_fee_bp": 60,
    "items": ITEMS,
    "plan_filing": "DEMO-1",
}
ITEM = ITEMS[0]
AID = {
    "fund": "{rich}",
    "payee": CENTRE,
    "amount": 100,
    "currency": "CNY",
    "purpose": "aid",
    "grid": "G3",
    "requested_on": DAY,
}
EXCESS = {"decision": "give", "amount": 1, "on": DAY}

ROUTES: dict[str, tuple[str, dict[str, Any], dict[str, list[Any]]]] = {
    "funds": (
        "sun",
        FUND,
        {
            "code": CODES,
            "name": [*HISTORY_WORDS, None],
            "purpose": [*HISTORY_WORDS, None],
            "restriction": WHICH,
            "currency": CURRENCIES,
        },
    ),
    "funds/{rich}/transfers": (
        "sun",
        TRANSFER,
        {"to": CODES, "amount": AMOUNTS, "basis": HISTORY_WORDS, "on": DAYS + NOT_YET},
    ),
    "funds/{poor}/freezing": (
        "sun",
        WHY | ON,
        {"reason": [*HISTORY_WORDS, None], "on": DAYS + NOT_YET},
    ),
    "donors": (
        "lin",
        DONOR,
        {
            "name": [*WORDS, None, "x" * 201],
            "phone": [*WORDS, "1" * 41],
            "email": [*WORDS, "a" * 255],
            "anonymous": FLAGS,
        },
    ),
    "donors/{to_restrict}/restriction": (
        "ada",
        {"basis": "statutory-retention", "until": "2056-12-31"},
        {"basis": WHICH, "until": [*DAYS, "2020-01-01"]},
    ),
    "donors/{to_erase}/erasure": (
        "ada",
        {"basis": "consent-withdrawn"},
        {"basis": WHICH, "reason": ["", "李女士要求", 5, []]},
    ),
    "donations": (
        "lin",
        PLEDGE | {"note": "第一期"},
        {
            "donor": IDS,
            "fund": CODES,
            "amount": AMOUNTS,
            "currency": CURRENCIES,
            "pledged_on": DAYS + NOT_YET,
            "public_promise": FLAGS,
            "note": HISTORY_WORDS,
            "instalments": [{}, "x", [{}], [{"due_on": DAY}], [{"due_on": 5, "amount": 100}], [5]],
        },
    ),
    "donations/{open}/payments": (
        "chen",
        PAYMENT,
        {
            "amount": AMOUNTS,
            "channel": WHICH,
            "external_ref": REFERENCES,
            "received_on": DAYS + NOT_YET,
        },
    ),
    "donations/{to_withdraw}/withdrawal": ("lin", WHY, {"reason": [*HISTORY_WORDS, None]}),
    "donations/{fulfilled}/refunds": (
        "sun",
        REFUND,
        {"amount": AMOUNTS, "cause": WHICH, "reason": [*HISTORY_WORDS, None]},
    ),
    "donations/{overpaid}/excess": (
        "lin",
        EXCESS,
        {"decision": WHICH, "amount": AMOUNTS, "on": DAYS + NOT_YET},
    ),
    "sales": (
        "sun",
        SALE,
        {
            "name": [*HISTORY_WORDS, None],
            "fund": CODES,
            "partner": [*HISTORY_WORDS, None],
            "starts_on": DAYS,
            "ends_on": [*DAYS, "3000-01-01", "9999-12-31"],
            "return_days": [-1, 91, 1.5, "7", True, None],
            "partner_fee_bp": [-1, 10_001, 1.5, "7", True, None, 9_999],
            "channel_fee_bp": [-1, 10_001, 1.5, "7", True, None],
            "plan_filing": HISTORY_WORDS,
            "items": [
                [],
                {},
                None,
                [ITEM, ITEM],
                *([ITEM | {"sku": bad}] for bad in [*BLANK, *HIDDEN, "x" * 65, 5, None]),
                *([ITEM | {"name": bad}] for bad in [*HISTORY_WORDS, None]),
                *([ITEM | {"unit_price": bad}] for bad in AMOUNTS),
                *([ITEM | {"consigned": bad}] for bad in [0, -1, 1.5, "5", True, None, 1_000_001]),
                [ITEM | {"colour": "red"}],
            ],
        },
    ),
    "sales/{planned}/opening": ("sun", ON, {"on": DAYS + NOT_YET}),
    "sales/{selling}/ending": ("sun", ON, {"on": [*DAYS, *NOT_YET, "2026-03-07"]}),
    "sales/{ended}/settlement": (
        "sun",
        SETTLEMENT,
        {name: FIGURES for name in SETTLEMENT if name != "agreed_on"}
        | {"agreed_on": DAYS + NOT_YET},
    ),
    "sales/{settled}/remittances": (
        "chen",
        RETURN,
        {"amount": AMOUNTS, "external_ref": REFERENCES, "received_on": DAYS},
    ),
    "disbursements": (
        "lin",
        AID,
        {
            "fund": CODES,
            "amount": AMOUNTS,
            "currency": CURRENCIES,
            "purpose": [*HISTORY_WORDS, None],
            "grid": HISTORY_WORDS,
            "requested_on": DAYS + NOT_YET,
            "payee": [
                {},
                None,
                "x",
                *(CENTRE | {"name": bad} for bad in [*HISTORY_WORDS, None]),
                *(CENTRE | {"kind": bad} for bad in WHICH),
            ],
        },
    ),
    "disbursements/{requested}/approvals": ("wang", ON, {"on": DAYS + NOT_YET}),
    "disbursements/{to_reject}/rejection": ("wang", WHY, {"reason": [*HISTORY_WORDS, None]}),
    "disbursements/{to_cancel}/cancellation": ("lin", WHY, {"reason": [*HISTORY_WORDS, None]}),
    "disbursements/{approved}/payment": (
        "chen",
        PAYOUT,
        {"external_ref": REFERENCES, "paid_on": DAYS + NOT_YET},
    ),
    "disbursements/{to_bounce}/bounce": (
        "chen",
        WHY | ON,
        {"reason": [*HISTORY_WORDS, None], "on": [*DAYS, *NOT_YET, "2026-03-31"]},
    ),
    "disbursements/{to_sign}/acknowledgement": (
        "lin",
        ON | {"by": "院长"},
        {"by": [*WORDS, None], "on": [*DAYS, *NOT_YET, "2026-03-31"]},
    ),
    "disbursements/{paid}/returns": (
        "chen",
        RETURN,
        {"amount": AMOUNTS, "external_ref": REFERENCES, "received_on": DAYS + NOT_YET},
    ),
}
"""Who may do each step, a body that would do, and what may not stand in each of its fields."""

FIELDS = [(path, field) for path, (_, _, bad) in ROUTES.items() for field in bad]


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_a_field_that_is_wrong_in_itself_is_named(world, path, field):
    who, body, bad = ROUTES[path]

    for value in bad[field]:
        said = refused(world, sent(world, who, path, body | {field: value}), 422, "invalid-request")

        assert {each["field"].split(".")[0] for each in said["errors"]} == {field}, (value, said)
        assert all(each["message"] for each in said["errors"])


@pytest.mark.parametrize("path", ROUTES)
def test_a_missing_field_is_named(world, path):
    who, body, _ = ROUTES[path]
    optional = {"note", "grid", "plan_filing", "phone", "email", "basis", "return_days"}
    assumed = {"currency"} if path == "funds" else set()

    for field in body.keys() - optional - assumed:
        rest = {name: said for name, said in body.items() if name != field}
        said = refused(world, sent(world, who, path, rest), 422, "invalid-request")

        assert [each["field"] for each in said["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "field"), list(product(ROUTES, ["colour", "id", "", "字", "\ud800", "x" * 10_000]))
)
def test_an_unknown_field_is_refused_and_not_repeated_at_length(world, path, field):
    who, body, _ = ROUTES[path]

    said = refused(world, sent(world, who, path, body | {field: "x"}), 422, "invalid-request")

    assert len(said["errors"]) == 1
    assert len(str(said)) < 1_000


def sent(world, who, path, body):
    """Return what sends ``body`` just as it is, even if it is no Unicode or no number."""
    content = json.dumps(filled(body, world)).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "bad-input"}
    return lambda: world.person(who).http.post(
        filled(f"/v1/{path}", world), content=content, headers=headers
    )


@pytest.mark.parametrize("path", ROUTES)
def test_all_of_it_would_have_been_done_had_the_field_been_right(world, path):
    """Keep last: these steps are taken."""
    who, body, _ = ROUTES[path]
    before = world.office.server.position()

    answer = world.post(who, path, body)()

    assert answer.is_success, answer.text
    assert answer.json()["position"] == world.office.server.position() > before
