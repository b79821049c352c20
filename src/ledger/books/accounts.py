"""The chart of accounts: the part of 民间非营利组织会计制度 (2024 revision) that we use.

In force from 2026-01-01. ``.U`` and ``.R`` are the detail accounts for unrestricted (非限定性) and
restricted (限定性) income and expense, which that revision introduced for expenses too.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

from ledger.kernel.terms import Restriction

REGIME_START = date(2026, 1, 1)
"""First day of the regime whose account numbers these are. Earlier entries need other accounts."""


class Account(NamedTuple):
    """One account, in both languages, and the kind that other people's tools file it under."""

    code: str
    zh: str
    en: str
    kind: Literal["Assets", "Liabilities", "Equity", "Income", "Expenses"]


CASH = "1001"
BANK = "1002"
PLATFORMS = "1009"
DUE_FROM_PARTNER = "1121"
SUSPENSE = "2209"
PRIOR_YEARS = "3201"
NET_ASSETS = {"unrestricted": "3101", "restricted": "3102"}

DONATIONS = "4101"
SALES = "4501"
PROGRAMME = "5101"
ADMINISTRATION = "5301"
FUNDRAISING = "5401"

MONEY = frozenset({CASH, BANK, PLATFORMS})
"""Accounts that hold money the charity could pay with."""

_PLAIN = (
    Account(CASH, "库存现金", "Cash on hand", "Assets"),
    Account(BANK, "银行存款", "Bank deposits", "Assets"),
    Account(PLATFORMS, "其他货币资金", "Payment platforms", "Assets"),
    Account(DUE_FROM_PARTNER, "应收账款", "Due from sale partners", "Assets"),
    Account(SUSPENSE, "其他应付款", "Refunds due and suspense", "Liabilities"),
    Account("3101", "非限定性净资产", "Unrestricted net assets", "Equity"),
    Account("3102", "限定性净资产", "Restricted net assets", "Equity"),
    Account(PRIOR_YEARS, "以前年度净资产调整", "Prior-period adjustments", "Equity"),
)

_BY_CLASS = (
    Account(DONATIONS, "捐赠收入", "Donations", "Income"),
    Account(SALES, "商品销售收入", "Charity sales", "Income"),
    Account(PROGRAMME, "业务活动成本", "Aid and programmes", "Expenses"),
    Account(ADMINISTRATION, "管理费用", "Administration", "Expenses"),
    Account(FUNDRAISING, "筹资费用", "Fundraising", "Expenses"),
)

_CLASSES: tuple[tuple[Restriction, str, str], ...] = (
    ("unrestricted", "非限定性", "unrestricted"),
    ("restricted", "限定性", "restricted"),
)


def of_class(account: str, restriction: Restriction) -> str:
    """Return the detail of ``account`` for funds of this class.

    >>> of_class(DONATIONS, "restricted")
    '4101.R'

    """
    return _DETAILS[account, restriction]


_DETAILS: dict[tuple[str, Restriction], str] = {
    (account.code, restriction): f"{account.code}.{restriction[0].upper()}"
    for account in _BY_CLASS
    for restriction, _, _ in _CLASSES
}

ACCOUNTS: dict[str, Account] = {
    account.code: account
    for account in (
        *_PLAIN,
        *(
            Account(
                of_class(each.code, restriction),
                f"{each.zh}—{zh}",
                f"{each.en}, {en}",
                each.kind,
            )
            for each in _BY_CLASS
            for restriction, zh, en in _CLASSES
        ),
    )
}
"""Every account by its code."""
