"""What chances choose from: mostly what is allowed, now and then what is not."""

from ledger.kernel.ids import new_id
from tests.samples import GENERAL, HEAR, WARM

NOBODY = new_id()
"""What does not exist."""

FUNDS = (HEAR, HEAR, GENERAL, WARM)
AMOUNTS = (0, 1, 20_00, 33_33, 100_00, 100_00, 150_00)
NEWEST = (0, 0, 0, 1, 2)
DAYS_AGO = (*[0] * 12, 1, 9, 400, -1)
REFERENCES = (*[None] * 6, "B-1", "B 1")
REASONS = (*["as agreed"] * 6, "call 13812345678")
