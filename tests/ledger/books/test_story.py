"""The illustrative story of domain experts: our entries are their bookkeeper's, line by line."""

import json
from collections import Counter
from datetime import date

import pytest

from ledger.books.postings import Posting, postings
from ledger.kernel.money import fee
from ledger.kernel.payments import Returned as Back
from tests import samples
from tests.folders import DATA
from tests.samples import given_back, paid, refunded

STORY = json.loads((DATA / "story.json").read_text())
EVENTS = {each["seq"]: each for each in STORY["events"]}
CLASSES = {"U": "unrestricted", "R": "restricted"}

STOCK = {("1201", "F-HEAR"), ("5101.R", "F-HEAR")}
"""Accounts of the goods themselves, which the bookkeeper moves with a sale and we do not keep."""

OUT_OF_REACH = {
    1: "opening balances",
    5: "an instalment is overdue: a view, not an event",
    8: "cash taken to the bank",
    12: "goods accepted",
    13: "goods issued",
    14: "goods written off",
    15: "stock counted",
    16: "a service given",
    17: "volunteers' hours",
    18: "a sale proposed: ours begins with its plan",
    19: "a plan filed: its number is in our plan",
    21: "goods consigned, valued",
    22: "goods consigned, valued",
    23: "goods consigned, not valued",
    24: "goods consigned, valued",
    29: "a promise by the unit, its amount not yet known",
    34: "unsold goods given to another fund",
    35: "an expense of fundraising",
    36: "an expense of administration",
    48: "a wish fulfilled directly",
    49: "money held for somebody else",
    50: "money held for somebody else",
    54: "a payment platform's balance taken to the bank",
}
"""Events of the story that no command of ours records yet."""


def within(fund):
    return {"fund": fund, "restriction": CLASSES[STORY["funds"][fund]["cls"]]}


def pledge(seq, fund):
    return samples.PLEDGED.but(amount=EVENTS[seq]["data"]["amountFen"], **within(fund))


def gift(seq, fund, channel=None):
    said = EVENTS[seq]["data"]
    return paid(said["amountFen"], channel or said["channel"]).but(**within(fund))


def aid(seq, fund):
    return samples.PAID.but(amount=EVENTS[seq]["data"]["amountFen"], **within(fund))


def refund(seq, fund, cause, channel):
    amount = EVENTS[seq]["data"]["amountFen"]
    back = Back(channel, amount, prior_year=False)
    return refunded(amount, back, cause=cause).but(**within(fund))


def order(amount):
    return samples.PLACED.but(amount=amount)


SOLD, BACK, AGREED = (EVENTS[seq]["data"] for seq in (25, 26, 27))

TOLD = {
    (2,): [pledge(2, "F-YOUTH")],
    (3,): [gift(3, "F-YOUTH")],
    (4,): [gift(4, "F-YOUTH")],
    (6,): [gift(6, "F-GEN")],
    (7,): [gift(7, "F-GEN", "cash")],
    (9,): [gift(9, "F-GEN")],
    (10, 11): [refund(10, "F-GEN", "donor_or_law", "alipay")],
    (20,): [samples.PLANNED],
    (25,): [order(138_000), order(SOLD["grossFen"] - 138_000)],
    (26,): [samples.GOODS_RETURNED.but(refund=BACK["refundFen"])],
    (27,): [samples.SETTLED],
    (28,): [samples.REMITTED],
    (30,): [pledge(30, "F-HEAR")],
    (31,): [gift(31, "F-HEAR", "bank")],
    (32,): [pledge(32, "F-HEAR")],
    (33,): [gift(33, "F-HEAR", "wechat")],
    (37,): [aid(37, "F-HEAR")],
    (38,): [aid(38, "F-HEAR")],
    (39,): [aid(39, "F-HEAR")],
    (40,): [given_back(EVENTS[40]["data"]["amountFen"])],
    (41,): [aid(41, "F-RELIEF")],
    (42,): [aid(42, "F-RELIEF")],
    (43,): [samples.BOUNCED.but(amount=EVENTS[43]["data"]["amountFen"], **within("F-RELIEF"))],
    (44,): [aid(44, "F-RELIEF")],
    (45,): [samples.REJECTED],
    (46,): [aid(46, "F-ELDER")],
    (47,): [aid(47, "F-WISH")],
    (51,): [samples.TRANSFERRED.but(fund="F-ELDER", to="F-RELIEF", amount=100_000)],
    (52,): [gift(52, "F-YOUTH", "bank")],
}
"""Our facts for each event of the story, or for two that are one to us."""

APPROVED_ONLY = 53
"""A refund that the story approves and does not pay. Ours is both at once."""


def theirs(*seqs):
    """Return the bookkeeper's lines of these events, without the goods' own."""
    lines = Counter()
    for seq in seqs:
        for each in EVENTS[seq]["postings"]:
            account = each["acct"]
            if seq not in {25, 26} or (account, each["fund"]) not in STOCK:
                lines[Posting(account, each["fund"], each["dr"] - each["cr"])] += 1
    return lines


def ours(facts):
    return Counter(line for each in facts for line in postings(each.stamped()))


def added_up(lines):
    total = Counter()
    for line, times in lines.items():
        total[line.account, line.fund] += line.amount * times
    return total


@pytest.mark.parametrize("seqs", [each for each in TOLD if each != (25,)], ids=str)
def test_our_entry_is_the_bookkeepers(seqs):
    assert ours(TOLD[seqs]) == theirs(*seqs)


def test_our_orders_add_up_to_the_bookkeepers_entry():
    assert added_up(ours(TOLD[25,])) == added_up(theirs(25))
    assert sum(added_up(theirs(25)).values()) == 0


def test_a_refund_for_our_own_fault_is_owed_as_the_bookkeeper_says_and_paid_at_once():
    fact = refund(APPROVED_ONLY, "F-YOUTH", "own_fault", "bank")
    amount = EVENTS[APPROVED_ONLY]["data"]["amountFen"]
    owed, paid_out = postings(fact.stamped())[:2], postings(fact.stamped())[2:]

    assert Counter(owed) == theirs(APPROVED_ONLY)
    assert paid_out == (
        Posting("2209", "F-YOUTH", amount),
        Posting("1002", "F-YOUTH", -amount),
    )


def test_the_settlement_is_the_one_we_would_have_made():
    net = SOLD["grossFen"] - BACK["refundFen"]
    plan = EVENTS[20]["data"]

    assert samples.SETTLED.fields["net_proceeds"] == AGREED["netProceedsFen"]
    assert (fee(net, plan["serviceFeeBp"]), fee(net, plan["channelFeeBp"])) == (
        AGREED["serviceFeeFen"],
        AGREED["channelFeeFen"],
    )


def test_no_event_of_the_story_is_forgotten():
    told = sorted(seq for seqs in TOLD for seq in seqs)

    assert sorted([*told, APPROVED_ONLY, *OUT_OF_REACH]) == sorted(EVENTS)


def test_the_story_is_of_the_regimes_first_year():
    assert {date.fromisoformat(each["date"]).year for each in EVENTS.values()} == {2026}
