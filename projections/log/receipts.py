"""Receipts of donors: their gift as the history records it, and what became of the fund's money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from ledger.kernel.names import Position
from projections.views.disbursements import disbursements
from projections.views.fund_balances import FundBalance, fund_balance, fund_row

SHOWN_MAX = 100
"""Disbursements that are listed one by one; the sums are over all."""

POOLED = {
    "zh": "专项资金统一管理,不逐元对应:以下是该专项自您的捐赠记入以来的收支总额。",
    "en": "Money of a fund is held together and no yuan is told from another: these are the sums"
    " for the whole fund since your gift was recorded.",
}

_FIGURES = ("received", "reserved", "paid", "acknowledged", "balance", "available")
_STEPS = ("id", "amount", "currency", "purpose", "state", "requested_on", "paid_on")


def since_gift(
    funds: Connection, aid: Connection, fund: str, gift: Position, now: Position
) -> dict[str, Any]:
    """Return what the money of ``fund`` became since the event at position ``gift``.

    Args:
        funds: Where the balances of funds are.
        aid: Where the disbursements are.
        fund: The code of the fund.
        gift: Where the donation's first event stands.
        now: What both views have reached.

    """
    described = fund_row(funds, fund)
    then = fund_balance(funds, fund, now, known_at=Position(gift - 1))
    today = fund_balance(funds, fund, now)
    if described is None or then is None or today is None:
        raise LookupError(f"a donation is to a fund, and there is no {fund}")
    given = disbursements(aid, fund=fund, after=gift, limit=SHOWN_MAX + 1)
    return {
        "code": fund,
        "name": described["name"],
        "purpose": described["purpose"],
        "currency": described["currency"],
        "pooled": POOLED,
        "since": gift,
        "until": now,
        "now": _figures(today),
        "change": _change(then, today),
        "disbursements": [{name: each[name] for name in _STEPS} for each in given[:SHOWN_MAX]],
        "more_disbursements": len(given) > SHOWN_MAX,
    }


def _figures(balance: FundBalance, names: Sequence[str] = _FIGURES) -> dict[str, int]:
    return {name: getattr(balance, name) for name in names}


def _change(then: FundBalance, now: FundBalance) -> dict[str, int]:
    before = _figures(then)
    return {name: value - before[name] for name, value in _figures(now).items()}
