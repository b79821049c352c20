"""What an event says, in one sentence, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donors import Donor
from ledger.aggregates.funds import Fund
from ledger.aggregates.policies import ApprovalPolicy
from ledger.aggregates.public_logs import PublicLog
from ledger.aggregates.relations import Relations
from ledger.aggregates.sales.orders import SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.staff import StaffMember
from ledger.kernel.aggregate import Fact
from ledger.kernel.money import yuan


class Sentence(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str


def sentence(fact: Fact) -> Sentence:
    """Say what happened, without naming a person.

    Raises:
        LookupError: No sentence is written for this kind of event.

    """
    try:
        zh, en = _SENTENCES[type(fact)]
    except KeyError:
        raise LookupError(f"no sentence for {type(fact).__qualname__}") from None
    return told(fact, Sentence(zh, en))


def told(fact: Fact, pattern: Sentence) -> Sentence:
    """Put the words of ``fact`` into a pattern of either language."""
    said = _Said(fact)
    return Sentence(pattern.zh.format_map(said), pattern.en.format_map(said))


_RESTRICTIONS = {
    "restricted": Sentence("限定性", "restricted"),
    "unrestricted": Sentence("非限定性", "unrestricted"),
}
_CHANNELS = {
    "bank": Sentence("银行", "the bank"),
    "wechat": Sentence("微信", "WeChat"),
    "alipay": Sentence("支付宝", "Alipay"),
    "cash": Sentence("现金", "cash"),
}
_CAUSES = {
    "duplicate": Sentence("重复付款", "paid twice"),
    "error": Sentence("付款有误", "paid in error"),
    "donor_or_law": Sentence("捐赠人或法律原因", "the donor or the law"),
    "own_fault": Sentence("本单位原因", "our own fault"),
}
_RELATIONS = {
    "family": Sentence("亲属", "a relative"),
    "work": Sentence("任职", "employed or in office there"),
    "ownership": Sentence("持有份额", "an owner"),
    "other": Sentence("其他", "close otherwise"),
}
_PEOPLE = {
    1: Sentence("一人", "One person"),
    2: Sentence("两人", "Two people"),
    3: Sentence("三人", "Three people"),
}
_PAYEES = {
    "organisation": Sentence("机构", "an organisation"),
    "person": Sentence("个人", "a person"),
    "supplier": Sentence("供应商", "a supplier"),
}


_RESTRICTION_BASES = {
    "donor-request": Sentence("捐赠人要求", "the donor asked for it"),
    "statutory-retention": Sentence("法定保存期限未满", "the law has them kept for a time"),
}
_ERASURE_BASES = {
    "consent-withdrawn": Sentence("撤回同意", "consent was withdrawn"),
    "purpose-achieved": Sentence("处理目的已实现", "their purpose was achieved"),
    "retention-expired": Sentence("保存期限届满", "they had to be kept no longer"),
    "unlawful-processing": Sentence("处理不合法", "they were not lawfully kept"),
}
_ERASURE_REASONS = {
    "asked-by-donor": Sentence("捐赠人本人提出", "asked by the donor"),
    "asked-by-relative": Sentence("近亲属提出", "asked by a relative"),
    "found-by-charity": Sentence("本单位主动删除", "found by the charity itself"),
}


class _Said(dict[str, Any]):
    """The words of an event, by the names that the sentences below use."""

    def __init__(self, fact: Fact) -> None:
        super().__init__()
        self._fact = fact

    def __missing__(self, name: str) -> str:
        word, _, language = name.partition("_in_")
        if language:
            field = _FIELDS.get(word, word)
            return str(getattr(_TABLES[word][getattr(self._fact, field)], language))
        if name in _WORKED_OUT:
            return _WORKED_OUT[name](self._fact)
        found = getattr(self._fact, name)
        return yuan(found) if name in _MONEY else str(found)


_MONEY = frozenset(
    {
        "amount",
        "open",
        "excess",
        "released",
        "refund",
        "gross",
        "refunds",
        "net_proceeds",
    }
)

_TABLES: Mapping[str, Mapping[Any, Sentence]] = {
    "restriction": _RESTRICTIONS,
    "channel": _CHANNELS,
    "cause": _CAUSES,
    "payee_kind": _PAYEES,
    "relation": _RELATIONS,
    "approvals": _PEOPLE,
    "restricted": _RESTRICTION_BASES,
    "erased": _ERASURE_BASES,
}

_FIELDS = {"restricted": "basis", "erased": "basis"}
"""Which field of the event a table is about, where it is called otherwise."""


def _units(fact: SaleOrder.Placed | SaleOrder.GoodsReturned) -> int:
    return sum(line.quantity for line in fact.lines)


_ROLES = {
    "donor": Sentence("捐赠人", "donor"),
    "clerk": Sentence("经办", "clerk"),
    "approver": Sentence("审批人", "approver"),
    "cashier": Sentence("出纳", "cashier"),
    "bookkeeper": Sentence("会计", "bookkeeper"),
    "treasurer": Sentence("司库", "treasurer"),
    "partner": Sentence("义卖合作方", "partner"),
    "auditor": Sentence("审计", "auditor"),
    "admin": Sentence("管理员", "admin"),
}


_WORKED_OUT: Mapping[str, Callable[[Any], str]] = {
    "fees": lambda fact: yuan(fact.partner_fee + fact.channel_fee),
    "units_zh": lambda fact: f"{_units(fact)}件",
    "units_en": lambda fact: "1 piece" if _units(fact) == 1 else f"{_units(fact)} pieces",
    "instalments_zh": lambda fact: f"，分{len(fact.instalments)}期" if fact.instalments else "",
    "instalments_en": lambda fact: (
        f" in {len(fact.instalments)} instalments" if fact.instalments else ""
    ),
    "promise_zh": lambda fact: "公开承诺" if fact.public_promise else "认捐",
    "promise_en": lambda fact: "promised in public" if fact.public_promise else "pledged",
    "excess_zh": lambda fact: (
        f"，其中超出认捐的{yuan(fact.excess)}元暂挂，待捐赠人决定" if fact.excess else ""
    ),
    "excess_en": lambda fact: (
        f", of which {yuan(fact.excess)} beyond the pledge waits for the donor's decision"
        if fact.excess
        else ""
    ),
    "basis_zh": lambda fact: f"，依据：{fact.basis}" if fact.basis else "",
    "basis_en": lambda fact: f", on the basis of: {fact.basis}" if fact.basis else "",
    "until_zh": lambda fact: f"至{fact.until}" if fact.until else "",
    "until_en": lambda fact: f" until {fact.until}" if fact.until else "",
    "brought_up_zh": lambda fact: f"，{_ERASURE_REASONS[fact.reason].zh}" if fact.reason else "",
    "brought_up_en": lambda fact: f"; {_ERASURE_REASONS[fact.reason].en}" if fact.reason else "",
    "roles_zh": lambda fact: "、".join(_ROLES[role].zh for role in fact.roles),
    "roles_en": lambda fact: ", ".join(_ROLES[role].en for role in fact.roles),
    "payee_zh": lambda fact: fact.payee_name or _PAYEES[fact.payee_kind].zh,
    "payee_en": lambda fact: fact.payee_name or _PAYEES[fact.payee_kind].en,
    "related_zh": lambda fact: f"「{fact.organisation}」" if fact.organisation else "一位当事人",
    "related_en": lambda fact: f"“{fact.organisation}”" if fact.organisation else "a party",
    "petty_zh": lambda fact: (
        f"{yuan(fact.one_approval_up_to)}元以内一人审批，" if fact.one_approval_up_to else ""
    ),
    "petty_en": lambda fact: (
        f"one person approves up to {yuan(fact.one_approval_up_to)}, "
        if fact.one_approval_up_to
        else ""
    ),
    "large_zh": lambda fact: (
        ""
        if fact.three_approvals_above is None
        else f"，超过{yuan(fact.three_approvals_above)}元三人审批"
    ),
    "large_en": lambda fact: (
        ""
        if fact.three_approvals_above is None
        else f", three above {yuan(fact.three_approvals_above)}"
    ),
    "released_zh": lambda fact: f"，释放预留{yuan(fact.released)}元" if fact.released else "",
    "released_en": lambda fact: (
        f", setting {yuan(fact.released)} free again" if fact.released else ""
    ),
}

_SENTENCES: Mapping[type[Fact], tuple[str, str]] = {
    Fund.Opened: (
        "设立{restriction_in_zh}专项资金{fund}「{name}」，用途：{purpose}",
        "Fund {fund} “{name}” was opened, {restriction_in_en}, for: {purpose}",
    ),
    Fund.Frozen: ("冻结{fund}：{reason}", "Fund {fund} was frozen: {reason}"),
    Fund.Thawed: ("解冻{fund}：{reason}", "Fund {fund} was thawed: {reason}"),
    Fund.Transferred: (
        "{fund}向{to}调拨{amount}元{basis_zh}",
        "{amount} moved from fund {fund} to {to}{basis_en}",
    ),
    Fund.Closed: ("关闭{fund}：{reason}", "Fund {fund} was closed: {reason}"),
    Donor.Registered: ("登记一位捐赠人", "A donor was registered"),
    PublicLog.KeyAnnounced: (
        "公开日志{log}此后并用新公钥签署：{key}",
        "The log {log} is from now on also signed with the key {key}",
    ),
    StaffMember.Added: ("登记一位可进入本系统的人", "A person was added to those who may come in"),
    StaffMember.RolesGranted: ("授予角色：{roles_zh}", "Roles were granted: {roles_en}"),
    StaffMember.RolesWithdrawn: ("收回角色：{roles_zh}", "Roles were withdrawn: {roles_en}"),
    StaffMember.Disabled: (
        "停用一人，其全部角色随之收回",
        "A person was disabled and has no roles",
    ),
    Donor.ProcessingRestricted: (
        "限制处理一位捐赠人的个人信息{until_zh}，依据：{restricted_in_zh}",
        "Use of a donor's details was restricted{until_en}, because {restricted_in_en}",
    ),
    Donor.Erased: (
        "删除一位捐赠人的个人信息，依据：{erased_in_zh}{brought_up_zh}",
        "A donor's details were erased, because {erased_in_en}{brought_up_en}",
    ),
    Donation.Pledged: (
        "向{fund}{promise_zh}{amount}元{instalments_zh}",
        "{amount} was {promise_en} to fund {fund}{instalments_en}",
    ),
    Donation.PaymentReceived: (
        "{fund}经{channel_in_zh}到账{amount}元（凭证{external_ref}）{excess_zh}",
        "{amount} arrived for fund {fund} by {channel_in_en} (ref. {external_ref}){excess_en}",
    ),
    Donation.PaymentConfirmed: (
        "{fund}经{channel_in_zh}到账的{amount}元（凭证{external_ref}）已与对账单{statement_ref}核对",
        (
            "{amount} for fund {fund} by {channel_in_en} (ref. {external_ref}) was found on"
            " statement {statement_ref}"
        ),
    ),
    Donation.Withdrawn: (
        "撤回对{fund}尚未到账的认捐{open}元：{reason}",
        "The open {open} of a pledge to fund {fund} was withdrawn: {reason}",
    ),
    Donation.Refunded: (
        "{fund}退捐{amount}元（{cause_in_zh}）：{reason}",
        "{amount} of fund {fund} went back to its donor ({cause_in_en}): {reason}",
    ),
    Donation.ExcessGiven: (
        "捐赠人决定将多付的{amount}元捐给{fund}",
        "The donor gave the {amount} paid beyond the pledge to fund {fund} as well",
    ),
    Donation.ExcessReturned: (
        "按捐赠人决定退还多付的{amount}元（{fund}）",
        "The {amount} paid beyond the pledge to fund {fund} went back, as its donor decided",
    ),
    CharitySale.Planned: (
        "与{partner}约定义卖「{name}」，{starts_on}至{ends_on}，所得归{fund}",
        "The sale “{name}” was planned with {partner}, {starts_on} to {ends_on}, for fund {fund}",
    ),
    CharitySale.Opened: ("义卖开始（{fund}）", "The sale for fund {fund} opened"),
    CharitySale.Ended: (
        "义卖结束，进入退货期（{fund}）",
        "The sale for fund {fund} ended; goods may still be returned",
    ),
    CharitySale.Settled: (
        "义卖结算：总额{gross}元，退货{refunds}元，费用{fees}元，净额{net_proceeds}元归{fund}",
        "The sale was settled: {gross} less {refunds} back, {fees} fees: {net_proceeds} for {fund}",
    ),
    CharitySale.Remitted: (
        "合作方向{fund}汇来义卖款{amount}元（凭证{external_ref}）",
        "The partner remitted {amount} to fund {fund} (ref. {external_ref})",
    ),
    CharitySale.RemittanceConfirmed: (
        "{fund}收到的义卖款{amount}元（凭证{external_ref}）已与对账单{statement_ref}核对",
        "{amount} remitted to {fund} (ref. {external_ref}) was found on statement {statement_ref}",
    ),
    SaleOrder.Placed: (
        "订单{order_no}：售出{units_zh}，{amount}元（{fund}）",
        "Order {order_no}: {units_en} sold for {amount}, for fund {fund}",
    ),
    SaleOrder.GoodsReturned: (
        "退货{return_no}：退回{units_zh}，{refund}元（{fund}）",
        "Return {return_no}: {units_en} came back for {refund}, from fund {fund}",
    ),
    Disbursement.Requested: (
        "申请自{fund}拨付{amount}元给{payee_zh}：{purpose}",
        "{amount} of fund {fund} was asked for {payee_en}: {purpose}",
    ),
    Disbursement.ApprovalGiven: (
        "审批同意自{fund}拨付{amount}元",
        "One person approved {amount} out of fund {fund}",
    ),
    Disbursement.Reserved: (
        "{approvals_in_zh}审批完成，{fund}预留{amount}元",
        "{approvals_in_en} had approved: {amount} of fund {fund} was set aside",
    ),
    Disbursement.Rejected: (
        "拨付申请被驳回（{fund}）：{reason}",
        "A request to fund {fund} was turned down: {reason}",
    ),
    Disbursement.Cancelled: (
        "拨付申请取消（{fund}）：{reason}{released_zh}",
        "A request to fund {fund} was called off: {reason}{released_en}",
    ),
    Disbursement.Paid: (
        "自{fund}付出{amount}元（凭证{external_ref}）",
        "{amount} of fund {fund} was paid out (ref. {external_ref})",
    ),
    Disbursement.PaymentConfirmed: (
        "自{fund}付出的{amount}元（凭证{external_ref}）已与对账单{statement_ref}核对",
        "{amount} paid out of {fund} (ref. {external_ref}) was found on statement {statement_ref}",
    ),
    Disbursement.Bounced: (
        "付款退回{fund}共{amount}元：{reason}",
        "A payment of {amount} out of fund {fund} bounced: {reason}",
    ),
    Disbursement.Acknowledged: (
        "受益方签收{fund}拨付的{amount}元",
        "The payee acknowledged {amount} of fund {fund}",
    ),
    Disbursement.Returned: (
        "受益方向{fund}退回{amount}元（凭证{external_ref}）",
        "The payee gave {amount} back to fund {fund} (ref. {external_ref})",
    ),
    ApprovalPolicy.Set: (
        "自{effective_from}起拨付审批：{petty_zh}一般两人审批{large_zh}，依据：{basis}",
        "From {effective_from}, {petty_en}two people approve{large_en}; basis: {basis}",
    ),
    Relations.Declared: (
        "有人申报与{related_zh}有关联（{relation_in_zh}）",
        "Somebody declared a relation to {related_en} ({relation_in_en})",
    ),
}
