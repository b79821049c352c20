"""What is not there, or is another kind of thing, can be neither changed nor read."""

import pytest

from tests.office import DAY
from tests.world import (
    ON,
    ONE_SOLD,
    PAYMENT,
    PAYOUT,
    PLEDGE,
    REFUND,
    RETURN,
    SETTLEMENT,
    TRANSFER,
    WHY,
    refused,
)

UNKNOWN = "0b5cf2a1-6d8e-4f30-9c47-1e2a3b4c5d6e"
STEPS = [
    ("sun", "funds/F-NONE/transfers", TRANSFER),
    ("sun", "funds/{rich}/transfers", TRANSFER | {"to": "F-NONE"}),
    ("sun", "funds/F-NONE/freezing", WHY | ON),
    ("sun", "funds/F-NONE/thawing", WHY | ON),
    ("sun", "funds/F-NONE/closing", WHY | ON),
    ("ada", f"donors/{UNKNOWN}/restriction", {"basis": "donor-request"}),
    ("ada", f"donors/{UNKNOWN}/erasure", {"basis": "consent-withdrawn"}),
    ("lin", "donations", PLEDGE | {"donor": UNKNOWN}),
    ("lin", "donations", PLEDGE | {"fund": "F-NONE"}),
    ("chen", f"donations/{UNKNOWN}/payments", PAYMENT),
    ("lin", f"donations/{UNKNOWN}/withdrawal", WHY),
    ("sun", f"donations/{UNKNOWN}/refunds", REFUND),
    ("lin", f"donations/{UNKNOWN}/excess", {"decision": "give", "amount": 1, "on": DAY}),
    ("sun", f"sales/{UNKNOWN}/opening", ON),
    ("sun", f"sales/{UNKNOWN}/ending", ON),
    ("sun", f"sales/{UNKNOWN}/settlement", SETTLEMENT),
    ("chen", f"sales/{UNKNOWN}/remittances", RETURN),
    ("zhao", f"disbursements/{UNKNOWN}/approvals", ON),
    ("zhao", f"disbursements/{UNKNOWN}/rejection", WHY),
    ("lin", f"disbursements/{UNKNOWN}/cancellation", WHY),
    ("chen", f"disbursements/{UNKNOWN}/payment", PAYOUT),
    ("chen", f"disbursements/{UNKNOWN}/bounce", WHY | ON),
    ("lin", f"disbursements/{UNKNOWN}/acknowledgement", ON | {"by": "院长"}),
    ("chen", f"disbursements/{UNKNOWN}/returns", RETURN),
    ("chen", "donations/{requested}/payments", PAYMENT),
    ("chen", "donations/no-id-at-all/payments", PAYMENT),
    ("sun", "sales/{open}/opening", ON),
]
"""Every step on something that is not there, or that is another kind of thing."""


@pytest.mark.parametrize(("who", "path", "body"), STEPS, ids=lambda said: str(said)[:60])
def test_what_is_unknown_cannot_be_changed(world, who, path, body):
    refused(world, world.post(who, path, body), 404, "not-found")


READS = [
    "/v1/funds/F-NONE",
    "/v1/funds/F-NONE/balance",
    f"/v1/sales/{UNKNOWN}",
    "/v1/sales/no-id-at-all",
    f"/v1/donations/{UNKNOWN}",
    f"/v1/disbursements/{UNKNOWN}",
    f"/v1/donors/{UNKNOWN}",
    f"/v1/donors/{UNKNOWN}/statement",
    f"/v1/donors/{UNKNOWN}/data",
    "/v1/nowhere",
]


@pytest.mark.parametrize("path", READS)
def test_what_is_unknown_cannot_be_read(world, path):
    reader = world.office.ada if path.endswith("/data") else world.office.lin

    refused(world, lambda: reader.get(path), 404, "not-found")


@pytest.mark.parametrize("what", ["orders", "returns"])
def test_no_feed_for_an_unknown_sale_nor_one_that_does_not_sell(world, what):
    def fed(sale):
        return lambda: world.office.sun.feed(f"/v1/sales/{sale}/{what}", b"{}\n")

    refused(world, fed(UNKNOWN), 404, "not-found")
    refused(world, fed(world.planned), 409, "wrong-state")


def test_nothing_new_is_sold_once_the_sale_is_settled(world):
    another = ONE_SOLD.replace(b"N-1", b"N-2")

    def fed():
        return world.office.sun.feed(f"/v1/sales/{world.settled}/orders", another)

    refused(world, fed, 409, "wrong-state")
