"""How the events of a donation are told."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.aggregates.donations.donation import Donation
from ledger.kernel.money import yuan
from projections.kernel.sentences import Sentence, Sentences, private, public, shortened

_CHANNELS: Mapping[str, Sentence] = {
    "bank": Sentence("银行", "the bank"),
    "wechat": Sentence("微信", "WeChat"),
    "alipay": Sentence("支付宝", "Alipay"),
    "cash": Sentence("现金", "cash"),
}
_CAUSES: Mapping[str, Sentence] = {
    "duplicate": Sentence("重复付款", "paid twice"),
    "error": Sentence("付款有误", "paid in error"),
    "donor_or_law": Sentence("捐赠人或法律原因", "the donor or the law"),
    "own_fault": Sentence("本单位原因", "our own fault"),
}
_PROMISES: Mapping[bool, Sentence] = {
    True: Sentence("公开承诺", "promised in public"),
    False: Sentence("认捐", "pledged"),
}


def _instalments(fact: Donation.Pledged) -> Sentence:
    parts = len(fact.instalments)
    return Sentence(f"，分{parts}期", f" in {parts} instalments") if parts else Sentence("", "")


def _excess(fact: Donation.PaymentReceived) -> Sentence:
    if not fact.excess:
        return Sentence("", "")
    excess = yuan(fact.excess)
    return Sentence(
        f"，其中超出认捐的{excess}元暂挂，待捐赠人决定",
        f", of which {excess} beyond the pledge waits for the donor's decision",
    )


SENTENCES = Sentences(
    {
        Donation.Pledged: public(
            "向{fund}{promise}{amount}元{instalments}",
            "{amount} was {promise} to fund {fund}{instalments}",
        ),
        Donation.PaymentReceived: shortened(
            (
                "{fund}经{channel}到账{amount}元（凭证{external_ref}）{excess}",
                "{amount} arrived for fund {fund} by {channel} (ref. {external_ref}){excess}",
            ),
            (
                "{fund}经{channel}到账{amount}元{excess}",
                "{amount} arrived for fund {fund} by {channel}{excess}",
            ),
        ),
        Donation.PaymentConfirmed: private(
            "{fund}经{channel}到账的{amount}元（凭证{external_ref}）已与对账单{statement_ref}核对",
            "{amount} for fund {fund} by {channel} (ref. {external_ref})"
            " was found on statement {statement_ref}",
        ),
        Donation.Withdrawn: shortened(
            (
                "撤回对{fund}尚未到账的认捐{open}元：{reason}",
                "The open {open} of a pledge to fund {fund} was withdrawn: {reason}",
            ),
            (
                "撤回对{fund}尚未到账的认捐{open}元",
                "The open {open} of a pledge to fund {fund} was withdrawn",
            ),
        ),
        Donation.Refunded: shortened(
            (
                "{fund}退捐{amount}元（{cause}）：{reason}",
                "{amount} of fund {fund} went back to its donor ({cause}): {reason}",
            ),
            (
                "{fund}退捐{amount}元（{cause}）",
                "{amount} of fund {fund} went back to its donor ({cause})",
            ),
        ),
        Donation.ExcessGiven: public(
            "捐赠人决定将多付的{amount}元捐给{fund}",
            "The donor gave the {amount} paid beyond the pledge to fund {fund} as well",
        ),
        Donation.ExcessReturned: public(
            "按捐赠人决定退还多付的{amount}元（{fund}）",
            "The {amount} paid beyond the pledge to fund {fund} went back, as its donor decided",
        ),
    },
    {
        "channel": lambda fact: _CHANNELS[fact.channel],
        "cause": lambda fact: _CAUSES[fact.cause],
        "promise": lambda fact: _PROMISES[fact.public_promise],
        "instalments": _instalments,
        "excess": _excess,
    },
)
"""What its events say."""
