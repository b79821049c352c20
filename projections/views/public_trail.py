"""The public part of the audit trail: what everybody may know of an event.

The sums, days, funds and steps of the charity's money are public (慈善法 chapter 8); who gave,
whom the aid went to and what anybody wrote by hand are not. So a public sentence says no free
text, no reference of a bank or a shop, and no name but those of funds, sales and partners. An
event that is not named here is not shown at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import Fund
from ledger.aggregates.sales.orders import SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from projections.views.sentences import Sentence, sentence, told

AS_IN_THE_TRAIL = frozenset(
    {
        Fund.Opened,
        Donation.Pledged,
        Donation.ExcessGiven,
        Donation.ExcessReturned,
        CharitySale.Planned,
        CharitySale.Opened,
        CharitySale.Ended,
        CharitySale.Settled,
        Disbursement.ApprovalGiven,
        Disbursement.Reserved,
        Disbursement.Acknowledged,
    }
)
"""Events whose sentence says nothing that is not everybody's business."""

SHORTER: Mapping[type[Fact], Sentence] = {
    Fund.Frozen: Sentence("冻结{fund}", "Fund {fund} was frozen"),
    Fund.Thawed: Sentence("解冻{fund}", "Fund {fund} was thawed"),
    Fund.Transferred: Sentence(
        "{fund}向{to}调拨{amount}元", "{amount} moved from fund {fund} to {to}"
    ),
    Fund.Closed: Sentence("关闭{fund}", "Fund {fund} was closed"),
    Donation.PaymentReceived: Sentence(
        "{fund}经{channel_in_zh}到账{amount}元{excess_zh}",
        "{amount} arrived for fund {fund} by {channel_in_en}{excess_en}",
    ),
    Donation.Withdrawn: Sentence(
        "撤回对{fund}尚未到账的认捐{open}元",
        "The open {open} of a pledge to fund {fund} was withdrawn",
    ),
    Donation.Refunded: Sentence(
        "{fund}退捐{amount}元({cause_in_zh})",
        "{amount} of fund {fund} went back to its donor ({cause_in_en})",
    ),
    CharitySale.Remitted: Sentence(
        "合作方向{fund}汇来义卖款{amount}元", "The partner remitted {amount} to fund {fund}"
    ),
    SaleOrder.Placed: Sentence(
        "一笔订单:售出{units_zh},{amount}元({fund})",
        "An order: {units_en} sold for {amount}, for fund {fund}",
    ),
    SaleOrder.GoodsReturned: Sentence(
        "一笔退货:退回{units_zh},{refund}元({fund})",
        "Goods returned: {units_en} came back for {refund}, from fund {fund}",
    ),
    Disbursement.Requested: Sentence(
        "申请自{fund}拨付{amount}元", "{amount} of fund {fund} was asked for"
    ),
    Disbursement.Rejected: Sentence(
        "一项对{fund}的拨付申请被驳回", "A request to fund {fund} was turned down"
    ),
    Disbursement.Cancelled: Sentence(
        "一项对{fund}的拨付申请取消{released_zh}",
        "A request to fund {fund} was called off{released_en}",
    ),
    Disbursement.Paid: Sentence("自{fund}付出{amount}元", "{amount} of fund {fund} was paid out"),
    Disbursement.Bounced: Sentence(
        "付款未达,退回{fund}共{amount}元",
        "A payment of {amount} out of fund {fund} bounced and came back",
    ),
    Disbursement.Returned: Sentence(
        "受益方向{fund}退回{amount}元", "The payee gave {amount} back to fund {fund}"
    ),
}
"""Events of which everybody is told less than an auditor."""


def public_sentence(fact: Fact) -> Sentence | None:
    """Say what happened as everybody may know it; nothing, of what is not public."""
    kind = type(fact)
    if kind in AS_IN_THE_TRAIL:
        return sentence(fact)
    return told(fact, SHORTER[kind]) if kind in SHORTER else None


class Correction:
    """What in one stream was put right by what."""

    def __init__(self, stream: Iterable[tuple[Position, Fact]]) -> None:
        self.by: dict[Position, Position] = {}
        self.of: dict[Position, Position] = {}
        standing: list[tuple[Position, Fact]] = []
        for position, fact in stream:
            wrong = _last(standing, fact)
            if wrong is not None:
                self.by[wrong], self.of[position] = position, wrong
                standing = [each for each in standing if each[0] != wrong]
            standing.append((position, fact))


def _last(standing: list[tuple[Position, Fact]], correcting: Fact) -> Position | None:
    """Return the last event that ``correcting`` undoes in full, if it undoes any."""
    for position, fact in reversed(standing):
        match correcting, fact:
            case Disbursement.Bounced(), Disbursement.Paid():
                return position
            case Donation.Refunded(cause="duplicate" | "error"), Donation.PaymentReceived():
                if fact.amount - fact.excess == correcting.amount:
                    return position
    return None
