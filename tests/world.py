"""One of everything in every state, and how to see that a request to change it was refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2

from ledger.kernel.roles import Role
from tests.office import CENTRE, DAY, LAST_DAY, SETTLED_DAY, Office
from tests.server import Person

ONE_SOLD = (
    b'{"order_no": "N-1", "placed_at": "2026-03-08T20:12:38+08:00",'
    b' "lines": [{"sku": "L1", "quantity": 1, "unit_price": 16800}]}'
)
ONE_SETTLED = {
    "gross": 16_800,
    "refunds": 0,
    "partner_fee": 252,
    "channel_fee": 101,
    "net_proceeds": 16_447,
}
"""Fees of 150 and 60 basis points; the second is 1.008 yuan, rounded up."""

PROBLEM = "application/problem+json"
COUSIN = {"kind": "supplier", "name": "嘉禾商行"}
"""A payee whom he has declared himself related to."""

NOTHING_SOLD = dict.fromkeys(("gross", "refunds", "partner_fee", "channel_fee", "net_proceeds"), 0)


class World:
    """One of everything, in every state, and one person who wears every hat."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.documented = office.public.read("/openapi.json")["paths"]
        self.he = office.server.person(
            "he", Role.CLERK, Role.APPROVER, Role.CASHIER, Role.BOOKKEEPER
        )
        self.rich, self.poor = office.fund(), office.fund()
        self.frozen, self.closed = office.fund(), office.fund()
        office.gift(self.rich, 1_000_000)
        office.gift(self.frozen, 1_000_000)
        self.donor, self.to_restrict, self.to_erase = (office.donor() for _ in range(3))
        self._promises()
        self._aid()
        self._sales()
        held = office.request(self.frozen)
        office.approve(held, office.wang)
        self.half_of_frozen = held
        for fund, step in ((self.frozen, "freezing"), (self.closed, "closing")):
            office.sun.did(f"/v1/funds/{fund}/{step}", {"reason": "review", "on": DAY})

    def _promises(self) -> None:
        office = self.office
        self.open = office.pledge(self.rich, donor=self.donor)
        self.public = office.pledge(self.rich, public_promise=True)
        self.fulfilled = office.pledge(self.rich)
        self.ref = uuid4().hex
        office.pay_in(self.fulfilled, 10_000, self.ref)
        self.to_withdraw = office.pledge(self.rich)
        self.overpaid = office.pledge(self.rich, 100)
        office.pay_in(self.overpaid, 150)
        self.withdrawn = office.pledge(self.rich)
        office.lin.did(f"/v1/donations/{self.withdrawn}/withdrawal", {"reason": "moved away"})

    def _aid(self) -> None:
        office = self.office
        self.requested = office.request(self.rich)
        self.to_reject, self.to_cancel = office.request(self.rich), office.request(self.rich)
        self.to_sign, self.to_bounce = office.paid(self.rich), office.paid(self.rich)
        self.half = office.request(self.rich)
        office.approve(self.half, office.wang)
        self.approved, self.paid = office.approved(self.rich), office.paid(self.rich)
        self.rejected, self.too_dear = office.request(self.rich), office.request(self.poor)
        office.wang.did(f"/v1/disbursements/{self.rejected}/rejection", {"reason": "no"})
        office.approve(self.too_dear, office.wang)
        body = {"fund": self.rich, "payee": CENTRE, "amount": 1, "currency": "CNY"}
        body |= {"purpose": "aid", "requested_on": DAY}
        self.his = self.he.did("/v1/disbursements", body)["id"]
        self.his_rejected = self.he.did("/v1/disbursements", body)["id"]
        office.wang.did(f"/v1/disbursements/{self.his_rejected}/rejection", {"reason": "no"})
        self.approved_by_him = office.request(self.rich)
        office.approve(self.approved_by_him, self.he, office.wang)
        self._confirmations()

    def _confirmations(self) -> None:
        """Leave one payment of each kind that he recorded, and a payee whom he is related to."""
        office = self.office
        self.paid_by_him = office.approved(self.rich)
        self.he.did(f"/v1/disbursements/{self.paid_by_him}/payment", filled(PAYOUT, self))
        self.confirmed = office.paid(self.rich)
        path = f"/v1/disbursements/{self.confirmed}/payment/confirmation"
        office.bo.did(path, {"statement_ref": "ST-1", "on": DAY})
        self.given_to_him = office.pledge(self.rich)
        self.he.did(
            f"/v1/donations/{self.given_to_him}/payments", PAYMENT | {"external_ref": "BK-HIM"}
        )
        relation = {"organisation": COUSIN["name"], "relation": "family", "on": DAY}
        self.he.did("/v1/people/relations", relation)
        self.for_his_cousin = office.request(self.rich, payee=COUSIN)

    def _sales(self) -> None:
        office = self.office
        self.planned = office.plan(self.rich)
        self.selling, self.ended = office.open_sale(self.rich), office.ended_sale(self.rich)
        self.settled = office.open_sale(self.rich)
        assert office.sun.feed(f"/v1/sales/{self.settled}/orders", ONE_SOLD).json()["accepted"] == 1
        office.sun.did(f"/v1/sales/{self.settled}/ending", {"on": LAST_DAY})
        office.sun.did(
            f"/v1/sales/{self.settled}/settlement", ONE_SETTLED | {"agreed_on": SETTLED_DAY}
        )
        self.he.did(f"/v1/sales/{self.settled}/remittances", RETURN | {"external_ref": "BK-HIM"})

    def person(self, name: str) -> Person:
        """Return one of the office, or the one who wears every hat."""
        person: Person = self.he if name == "he" else getattr(self.office, name)
        return person

    def post(self, who: str, path: str, body: Any) -> Callable[[], httpx2.Response]:
        """Return what asks for a step, with the world's ids where the names in braces stand."""
        there, content = filled(f"/v1/{path}", self), filled(body, self)
        return lambda: self.person(who).post(there, content)

    def knows(self, method: str, path: str, status: int, problem: str) -> bool:
        """Say whether this refusal is documented at the operation that gave it."""
        for template, operations in self.documented.items():
            if method.lower() in operations and re.fullmatch(
                re.sub(r"\{\w+\}", "[^/]+", template), path
            ):
                answers = operations[method.lower()]["responses"]
                content = answers.get(str(status), {}).get("content", {}).get(PROBLEM, {})
                return problem in content.get("examples", {})
        return False


def refused(world: World, ask: Callable[[], Any], status: int, problem: str) -> Any:
    """See that ``ask`` is refused so, and that nothing was written; return the document."""
    before = world.office.server.position()
    answer = ask()
    document = answer.json()

    assert (answer.status_code, document["type"]) == (status, f"/problems/{problem}"), answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert document["status"] == status
    assert document["title"].strip()
    assert document["detail"].strip()
    assert world.office.server.position() == before
    if status != 405 and not answer.request.url.path.endswith("/nowhere"):
        request = answer.request
        assert world.knows(request.method, request.url.path, status, problem), "not documented"
    return document


def filled(template: Any, world: World) -> Any:
    """Put the world's ids where the names in braces stand."""
    if isinstance(template, str) and "{" in template:
        return template.format_map(vars(world))
    if isinstance(template, dict):
        return {name: filled(value, world) for name, value in template.items()}
    return template


# Bodies that are right as they stand; names in braces are the world's.

ON = {"on": DAY}
WHY = {"reason": "review"}
PAYMENT = {"amount": 10_000, "channel": "bank", "external_ref": "BK-9", "received_on": DAY}
CONFIRMED = {"channel": "bank", "external_ref": "BK-HIM", "statement_ref": "ST-9", "on": DAY}
PAYOUT = {"external_ref": "P-9", "paid_on": DAY}
RETURN = {"amount": 100, "external_ref": "R-9", "received_on": DAY}
REFUND = {"amount": 10_000, "cause": "error", "reason": "sent twice"}
SETTLEMENT = NOTHING_SOLD | {"agreed_on": SETTLED_DAY}
PLEDGE = {"donor": "{donor}", "fund": "{rich}", "amount": 100, "currency": "CNY", "pledged_on": DAY}
TRANSFER = {"to": "{poor}", "amount": 100, "basis": "consent 07", "on": DAY}
POLICY = {
    "one_approval_up_to": 20_000,
    "three_approvals_above": None,
    "currency": "CNY",
    "basis": "resolution 2026-03",
}
