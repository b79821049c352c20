"""The people of a charity at their desks, and the steps that tests take with them over HTTP."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import uuid4

from ledger.kernel.roles import Role
from tests.server import Person, Server

DAY = "2026-04-01"
"""The business day of whatever does not matter."""

FIRST_DAY, LAST_DAY, SETTLED_DAY = "2026-03-08", "2026-03-14", "2026-03-28"

ITEMS = [
    {"sku": "L1", "name": "电饭煲", "consigned": 500, "unit_price": 16_800},
    {"sku": "L2", "name": "图书套装", "consigned": 400, "unit_price": 8_800},
    {"sku": "L3", "name": "手工风筝", "consigned": 600, "unit_price": 5_000},
    {"sku": "L4", "name": "茶油礼盒", "consigned": 300, "unit_price": 19_800},
]

CENTRE = {"kind": "organisation", "name": "爱丽聋儿康复中心"}


DESKS = {
    "lin": Role.CLERK,
    "wang": Role.APPROVER,
    "zhao": Role.APPROVER,
    "chen": Role.CASHIER,
    "sun": Role.TREASURER,
    "bo": Role.BOOKKEEPER,
    "ada": Role.ADMIN,
    "an": Role.AUDITOR,
}
"""Who works there, and as what."""


class Office:
    """Everybody with a role of their own, and short words for what they do all day."""

    lin: Person
    wang: Person
    zhao: Person
    chen: Person
    sun: Person
    bo: Person
    ada: Person
    an: Person

    def __init__(self, server: Server) -> None:
        self.server = server
        self._codes = count(1)
        for name, role in DESKS.items():
            setattr(self, name, server.newcomer(name, role))
        server.wait_until_told()  # All are there from the beginning, since each coming is history.

    def go_on_at(self, server: Server) -> None:
        """Work on with the tokens of before, at a server that was started anew."""
        self.server = server
        for name in DESKS:
            setattr(self, name, server.bearer(getattr(self, name).token))

    @property
    def public(self) -> Person:
        return self.server.public

    def fund(self, code: str | None = None, restriction: str = "restricted") -> str:
        body = {"code": code or f"F-{next(self._codes)}", "restriction": restriction}
        opened = self.sun.did(
            "/v1/funds", body | {"name": "专项", "purpose": "社区公益", "currency": "CNY"}
        )
        return str(opened["id"])

    def balance(self, fund: str, **query: Any) -> Any:
        return self.public.read(f"/v1/funds/{fund}/balance", **query)

    def donor(self, name: str = "李女士", **details: Any) -> str:
        registered = self.lin.did("/v1/donors", {"name": name, "anonymous": True} | details)
        return str(registered["id"])

    def pledge(
        self, fund: str, amount: int = 10_000, donor: str | None = None, **fields: Any
    ) -> str:
        body = {"donor": donor or self.donor(), "fund": fund, "amount": amount, "currency": "CNY"}
        return str(self.lin.did("/v1/donations", body | {"pledged_on": DAY} | fields)["id"])

    def pay_in(self, donation: str, amount: int, ref: str | None = None, **fields: Any) -> Any:
        body = {"amount": amount, "channel": "bank", "external_ref": ref or uuid4().hex}
        return self.chen.did(
            f"/v1/donations/{donation}/payments", body | {"received_on": DAY} | fields
        )

    def gift(self, fund: str, amount: int = 10_000) -> str:
        donation = self.pledge(fund, amount)
        self.pay_in(donation, amount)
        return donation

    def request(self, fund: str, amount: int = 5_000, **fields: Any) -> str:
        body = {"fund": fund, "payee": CENTRE, "amount": amount, "currency": "CNY"}
        answer = self.lin.did(
            "/v1/disbursements", body | {"purpose": "测听室设备", "requested_on": DAY} | fields
        )
        return str(answer["id"])

    def approve(self, disbursement: str, *who: Person, on: str = DAY) -> None:
        for person in who or (self.wang, self.zhao):
            person.did(f"/v1/disbursements/{disbursement}/approvals", {"on": on})

    def approved(self, fund: str, amount: int = 5_000) -> str:
        disbursement = self.request(fund, amount)
        self.approve(disbursement)
        return disbursement

    def pay_out(self, disbursement: str, on: str = DAY) -> Any:
        body = {"external_ref": f"P-{uuid4().hex}", "paid_on": on}
        return self.chen.did(f"/v1/disbursements/{disbursement}/payment", body)

    def paid(self, fund: str, amount: int = 5_000) -> str:
        disbursement = self.approved(fund, amount)
        self.pay_out(disbursement)
        return disbursement

    def plan(self, fund: str, **fields: Any) -> str:
        body = {
            "name": "让爱发声",
            "fund": fund,
            "partner": "嘉丽购",
            "starts_on": FIRST_DAY,
            "ends_on": LAST_DAY,
            "return_days": 7,
            "partner_fee_bp": 150,
            "channel_fee_bp": 60,
            "items": ITEMS,
        }
        return str(self.sun.did("/v1/sales", body | fields)["id"])

    def open_sale(self, fund: str, **fields: Any) -> str:
        sale = self.plan(fund, **fields)
        self.sun.did(f"/v1/sales/{sale}/opening", {"on": FIRST_DAY})
        return sale

    def ended_sale(self, fund: str) -> str:
        sale = self.open_sale(fund)
        self.sun.did(f"/v1/sales/{sale}/ending", {"on": LAST_DAY})
        return sale
