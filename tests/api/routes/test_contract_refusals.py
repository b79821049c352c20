"""Whatever the contract says is refused is refused by that name, and leaves not one event."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.office import DAY, FIRST_DAY, ITEMS, LAST_DAY
from tests.stores import on_every_store
from tests.world import (
    CONFIRMED,
    ON,
    PAYMENT,
    PAYOUT,
    PLEDGE,
    POLICY,
    REFUND,
    RETURN,
    SETTLEMENT,
    TRANSFER,
    WHY,
    refused,
)

pytestmark = on_every_store


class Row(NamedTuple):
    """Who asks for what, the refusal, and what it says beyond its name."""

    says: str
    who: str
    path: str
    body: dict[str, Any]
    refusal: str
    facts: Mapping[str, Any] = MappingProxyType({})


RULES = [
    Row(*row)
    for row in (
        (
            "a promise to a closed fund",
            "lin",
            "donations",
            PLEDGE | {"fund": "{closed}"},
            "409 fund-closed",
        ),
        (
            "a transfer to a closed fund",
            "sun",
            "funds/{rich}/transfers",
            TRANSFER | {"to": "{closed}"},
            "409 fund-closed",
        ),
        (
            "a transfer out of a frozen fund",
            "sun",
            "funds/{frozen}/transfers",
            TRANSFER,
            "409 fund-frozen",
        ),
        (
            "a transfer of more than there is",
            "sun",
            "funds/{poor}/transfers",
            TRANSFER | {"to": "{rich}"},
            "409 insufficient-funds",
        ),
        (
            "a transfer without a basis",
            "sun",
            "funds/{rich}/transfers",
            TRANSFER | {"basis": None},
            "409 basis-required",
        ),
        (
            "a fund's code twice",
            "sun",
            "funds",
            {"code": "{rich}", "name": "n", "restriction": "restricted", "purpose": "p"},
            "409 fund-exists",
        ),
        (
            "closing a fund that has money",
            "sun",
            "funds/{rich}/closing",
            WHY | ON,
            "409 fund-not-empty",
        ),
        (
            "thawing what is not frozen",
            "sun",
            "funds/{rich}/thawing",
            WHY | ON,
            "409 wrong-state",
            {"state": "open", "allowed": ["freeze", "transfer", "close"]},
        ),
        (
            "money on a withdrawn promise",
            "chen",
            "donations/{withdrawn}/payments",
            PAYMENT,
            "409 wrong-state",
            {"state": "withdrawn", "allowed": ["refund"]},
        ),
        (
            "a payment that counted elsewhere",
            "chen",
            "donations/{open}/payments",
            PAYMENT | {"external_ref": "{ref}"},
            "409 payment-counted",
        ),
        (
            "a payment with another amount",
            "chen",
            "donations/{fulfilled}/payments",
            PAYMENT | {"external_ref": "{ref}", "amount": 9_999},
            "409 payment-differs",
        ),
        (
            "withdrawing a public promise",
            "lin",
            "donations/{public}/withdrawal",
            WHY,
            "409 public-promise-binds",
        ),
        (
            "withdrawing what is fulfilled",
            "lin",
            "donations/{fulfilled}/withdrawal",
            WHY,
            "409 wrong-state",
            {"state": "fulfilled"},
        ),
        (
            "a refund before any payment",
            "sun",
            "donations/{open}/refunds",
            REFUND,
            "409 wrong-state",
            {"state": "pledged"},
        ),
        (
            "a refund of more than came",
            "sun",
            "donations/{fulfilled}/refunds",
            REFUND | {"amount": 10_001},
            "409 refund-exceeds-received",
        ),
        (
            "deciding on money that is not there",
            "lin",
            "donations/{fulfilled}/excess",
            {"decision": "give", "amount": 1, "on": DAY},
            "409 nothing-in-suspense",
        ),
        (
            "opening a sale twice",
            "sun",
            "sales/{selling}/opening",
            ON,
            "409 wrong-state",
            {"state": "open"},
        ),
        (
            "ending a sale before it opened",
            "sun",
            "sales/{planned}/ending",
            ON,
            "409 wrong-state",
            {"state": "planned", "allowed": ["opening"]},
        ),
        (
            "settling a sale that still sells",
            "sun",
            "sales/{selling}/settlement",
            SETTLEMENT,
            "409 wrong-state",
            {"state": "open"},
        ),
        (
            "settling on the last day of returns",
            "sun",
            "sales/{ended}/settlement",
            SETTLEMENT | {"agreed_on": "2026-03-21"},
            "409 return-window-open",
        ),
        (
            "settling on other figures",
            "sun",
            "sales/{ended}/settlement",
            SETTLEMENT | {"gross": 1, "net_proceeds": 1},
            "409 settlement-mismatch",
            {
                "figures": [
                    {"figure": "gross", "theirs": 1, "ours": 0},
                    {"figure": "net_proceeds", "theirs": 1, "ours": 0},
                ]
            },
        ),
        (
            "a remittance before the settlement",
            "chen",
            "sales/{ended}/remittances",
            RETURN,
            "409 wrong-state",
            {"state": "ended"},
        ),
        (
            "a remittance beyond what is due",
            "chen",
            "sales/{settled}/remittances",
            RETURN | {"amount": 16_348},
            "409 remittance-exceeds-outstanding",
        ),
        (
            "approving one's own request",
            "he",
            "disbursements/{his}/approvals",
            ON,
            "403 same-person",
        ),
        (
            "approving one's own request, whatever became of it",
            "he",
            "disbursements/{his_rejected}/approvals",
            ON,
            "403 same-person",
        ),
        ("approving twice", "wang", "disbursements/{half}/approvals", ON, "403 same-person"),
        (
            "approving twice, when two have approved",
            "wang",
            "disbursements/{approved}/approvals",
            ON,
            "403 same-person",
        ),
        (
            "paying what one approved",
            "he",
            "disbursements/{approved_by_him}/payment",
            PAYOUT,
            "403 same-person",
        ),
        (
            "approving for a payee to whom one is related",
            "he",
            "disbursements/{for_his_cousin}/approvals",
            ON,
            "403 same-person",
        ),
        (
            "confirming a payment that one recorded",
            "he",
            "donations/{given_to_him}/payments/confirmation",
            CONFIRMED,
            "403 same-person",
        ),
        (
            "confirming a payment to a payee that one recorded",
            "he",
            "disbursements/{paid_by_him}/payment/confirmation",
            ON | {"statement_ref": "ST-9"},
            "403 same-person",
        ),
        (
            "confirming a remittance that one recorded",
            "he",
            "sales/{settled}/remittances/confirmation",
            ON | {"external_ref": "BK-HIM", "statement_ref": "ST-9"},
            "403 same-person",
        ),
        (
            "confirming a remittance that is not there",
            "bo",
            "sales/{settled}/remittances/confirmation",
            ON | {"external_ref": "BK-NONE", "statement_ref": "ST-9"},
            "404 not-found",
        ),
        (
            "confirming a payment that is not there",
            "bo",
            "donations/{given_to_him}/payments/confirmation",
            CONFIRMED | {"external_ref": "BK-NONE"},
            "404 not-found",
        ),
        (
            "confirming what is not paid",
            "bo",
            "disbursements/{approved}/payment/confirmation",
            ON | {"statement_ref": "ST-9"},
            "409 wrong-state",
            {"state": "approved"},
        ),
        (
            "confirming by another statement",
            "bo",
            "disbursements/{confirmed}/payment/confirmation",
            ON | {"statement_ref": "ST-9"},
            "409 confirmation-differs",
        ),
        (
            "a rule of approval from the past on",
            "sun",
            "policies/approval",
            POLICY | {"effective_from": DAY},
            "422 invalid-request",
            {"errors": [{"field": "effective_from"}]},
        ),
        (
            "a rule of approval that contradicts itself",
            "sun",
            "policies/approval",
            POLICY | {"three_approvals_above": 1},
            "422 invalid-request",
            {"errors": [{"field": "three_approvals_above"}]},
        ),
        (
            "a relation to nobody",
            "wang",
            "people/relations",
            ON | {"relation": "family"},
            "422 invalid-request",
            {"errors": [{"field": "organisation"}]},
        ),
        (
            "approving beyond what is available",
            "zhao",
            "disbursements/{too_dear}/approvals",
            ON,
            "409 insufficient-funds",
        ),
        (
            "approving out of a frozen fund",
            "zhao",
            "disbursements/{half_of_frozen}/approvals",
            ON,
            "409 fund-frozen",
        ),
        (
            "paying after one approval",
            "chen",
            "disbursements/{half}/payment",
            PAYOUT,
            "409 wrong-state",
            {"state": "partly-approved"},
        ),
        (
            "approving what was rejected",
            "zhao",
            "disbursements/{rejected}/approvals",
            ON,
            "409 wrong-state",
            {"state": "rejected", "allowed": []},
        ),
        (
            "cancelling what is paid",
            "lin",
            "disbursements/{paid}/cancellation",
            WHY,
            "409 wrong-state",
        ),
        (
            "signing for what is not paid",
            "lin",
            "disbursements/{approved}/acknowledgement",
            ON | {"by": "院长"},
            "409 wrong-state",
        ),
        (
            "more back than was paid",
            "chen",
            "disbursements/{paid}/returns",
            RETURN | {"amount": 5_001},
            "409 return-exceeds-paid",
        ),
        (
            "a return before the payment",
            "chen",
            "disbursements/{paid}/returns",
            RETURN | {"received_on": "2026-03-31"},
            "422 invalid-request",
            {"errors": [{"field": "received_on"}]},
        ),
        (
            "instalments that do not add up",
            "lin",
            "donations",
            PLEDGE | {"instalments": [{"due_on": DAY, "amount": 99}]},
            "422 invalid-request",
            {"errors": [{"field": "instalments"}]},
        ),
        (
            "a sale that ends before it starts",
            "sun",
            "sales",
            {
                "name": "义卖",
                "fund": "{rich}",
                "partner": "p",
                "starts_on": LAST_DAY,
                "ends_on": FIRST_DAY,
                "partner_fee_bp": 0,
                "channel_fee_bp": 0,
                "items": ITEMS,
            },
            "422 invalid-request",
            {"errors": [{"field": "ends_on"}]},
        ),
        (
            "giving money to the same fund",
            "sun",
            "funds/{rich}/transfers",
            TRANSFER | {"to": "{rich}"},
            "422 invalid-request",
            {"errors": [{"field": "to"}]},
        ),
        (
            "money from before the books open",
            "chen",
            "donations/{open}/payments",
            PAYMENT | {"received_on": "2025-12-31"},
            "422 invalid-request",
            {"errors": [{"field": "received_on"}]},
        ),
    )
]


def within(expected: Any, found: Any) -> bool:
    """Say whether ``found`` says at least what is expected."""
    if isinstance(expected, Mapping):
        return all(name in found and within(expected[name], found[name]) for name in expected)
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(within, expected, found))
    return bool(expected == found)


@pytest.mark.parametrize("row", RULES, ids=lambda row: row.says)
def test_a_rule_stands_in_the_way(world, row):
    status, problem = row.refusal.split()

    said = refused(world, world.post(row.who, row.path, row.body), int(status), problem)

    assert within(row.facts, said), said


def test_all_that_is_refused_names_the_rule_in_words(world):
    asked = world.post("lin", "donations/{public}/withdrawal", WHY)

    said = refused(world, asked, 409, "public-promise-binds")

    assert said["title"] == "A promise made in public must be kept (慈善法 art. 41)."
    assert world.public in said["detail"]
