"""A history with something of every kind that moves a fund's figures, on many days."""

import json

from tests.office import FIRST_DAY, LAST_DAY
from tests.world import ONE_SETTLED, ONE_SOLD

MARCH, APRIL, MAY, JUNE = "2026-03-20", "2026-04-01", "2026-05-06", "2026-06-25"


class Years:
    """Two funds, and what happened to them."""

    def __init__(self, office):
        self.office = office
        self.hear, self.warm = office.fund("F-HEAR"), office.fund("F-WARM")
        self.donor = office.donor("梅女士", phone="13800138000")
        self._gifts()
        self._sale()
        self._aid()
        office.sun.did(
            f"/v1/funds/{self.hear}/transfers",
            {"to": self.warm, "amount": 5_000, "basis": "consent 07", "on": MAY},
        )
        self.events = office.an.all("/v1/events", limit=50)
        self.last = self.events[-1]["position"]

    def _gifts(self):
        office = self.office
        gift = office.pledge(self.hear, 100_000, self.donor, pledged_on=FIRST_DAY)
        office.pay_in(gift, 40_000, received_on=MAY)
        office.pay_in(gift, 90_000, received_on=MARCH, channel="wechat")
        for decision, amount in (("give", 10_000), ("return", 15_000)):
            body = {"decision": decision, "amount": amount, "on": JUNE}
            office.lin.did(f"/v1/donations/{gift}/excess", body)
        office.sun.did(
            f"/v1/donations/{gift}/refunds",
            {"amount": 7_000, "cause": "own_fault", "reason": "spent otherwise"},
        )
        self.moved = office.pledge(self.warm, 30_000, self.donor, pledged_on=APRIL)
        office.pay_in(self.moved, 12_000, received_on=APRIL)
        office.lin.did(f"/v1/donations/{self.moved}/withdrawal", {"reason": "moved away"})
        self.gift = gift

    def _sale(self):
        office = self.office
        self.sale = sale = office.open_sale(self.warm)
        more = ONE_SOLD.replace(b"N-1", b"N-2").replace(b'"quantity": 1', b'"quantity": 3')
        back = json.dumps(
            {
                "order_no": "N-2",
                "return_no": "R-1",
                "returned_on": MARCH,
                "lines": [{"sku": "L1", "quantity": 3}],
                "refund": 50_400,
            }
        )
        office.sun.feed(f"/v1/sales/{sale}/orders", ONE_SOLD + b"\n" + more)
        office.sun.did(f"/v1/sales/{sale}/ending", {"on": LAST_DAY})
        assert office.sun.feed(f"/v1/sales/{sale}/returns", back).json()["accepted"] == 1
        office.sun.did(
            f"/v1/sales/{sale}/settlement",
            ONE_SETTLED | {"gross": 67_200, "refunds": 50_400, "agreed_on": "2026-03-28"},
        )
        office.chen.did(
            f"/v1/sales/{sale}/remittances",
            {"amount": 6_447, "external_ref": "RE-1", "received_on": APRIL},
        )

    def _aid(self):
        office = self.office
        paid = office.request(self.hear, 20_000, requested_on=MARCH)
        office.approve(paid, on=APRIL)
        office.pay_out(paid, on=APRIL)
        office.chen.did(f"/v1/disbursements/{paid}/bounce", {"reason": "closed", "on": MAY})
        office.pay_out(paid, on=JUNE)
        office.lin.did(f"/v1/disbursements/{paid}/acknowledgement", {"by": "院长", "on": JUNE})
        office.chen.did(
            f"/v1/disbursements/{paid}/returns",
            {"amount": 500, "external_ref": "BACK-1", "received_on": "2026-07-01"},
        )
        cancelled = office.approved(self.hear, 3_000)
        office.lin.did(f"/v1/disbursements/{cancelled}/cancellation", {"reason": "not needed"})
        self.waiting = office.approved(self.warm, 2_000)
        self.paid = paid
