"""Commands about a fund."""

from __future__ import annotations

from datetime import date

from ledger.aggregates.funds import Fund, FundExists
from ledger.books.tallies import fund_is_empty, fund_is_open, fund_lets_go
from ledger.commands.command import Decision, command, step
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import FundCode
from ledger.kernel.roles import Role
from ledger.kernel.terms import Restriction


@command(by=(Role.TREASURER,))
def open_fund(
    records: Records,
    act: Act,
    *,
    code: str,
    name: str,
    purpose: str,
    restriction: Restriction,
    currency: Currency,
) -> Decision:
    """Open a fund; its id is its code."""
    fund = Fund.open(
        act, code=code, name=name, purpose=purpose, restriction=restriction, currency=currency
    )
    if records.find(Fund, fund.id) is not None:
        raise FundExists(fund.code)
    return Decision(fund)


freeze_fund = step(
    Fund,
    Fund.freeze,
    by=(Role.TREASURER,),
    name="freeze_fund",
    purpose="Stop money from leaving the fund.",
)

thaw_fund = step(
    Fund,
    Fund.thaw,
    by=(Role.TREASURER,),
    name="thaw_fund",
    purpose="Let money leave the fund again.",
)

close_fund = step(
    Fund,
    Fund.close,
    by=(Role.TREASURER,),
    expects=lambda fund: fund_is_empty(fund.code),
    name="close_fund",
    purpose="Close a fund that has nothing, owes nothing and awaits nothing.",
)


@command(by=(Role.TREASURER,))
def transfer(
    records: Records,
    act: Act,
    code: FundCode,
    *,
    to: FundCode,
    amount: int,
    basis: str | None,
    on: date,
) -> Decision:
    """Give money of this fund to another; out of a restricted fund only with a basis."""
    fund = records.get(Fund, code)
    fund.transfer(act, to=records.get(Fund, to), amount=amount, basis=basis, on=on)
    return Decision(fund, (*fund_lets_go(code), fund_is_open(to)))
