"""What the charity can do with a fund."""

from __future__ import annotations

from datetime import date

from ledger.aggregates.funds import Fund, FundExists
from ledger.books.tallies import fund_is_empty, fund_is_open, fund_lets_go
from ledger.commands.application import Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import FundCode
from ledger.kernel.terms import Restriction


class FundCommands(Records):
    """Open, freeze, thaw, transfer, close."""

    def open_fund(  # noqa: PLR0913  # What a fund is.
        self,
        act: Act,
        *,
        code: str,
        name: str,
        purpose: str,
        restriction: Restriction,
        currency: Currency,
    ) -> Decision:
        """Set up a fund under a code of its own."""
        fund = Fund.open(
            act, code=code, name=name, purpose=purpose, restriction=restriction, currency=currency
        )
        if self.find(Fund, fund.id) is not None:
            raise FundExists(fund.code)
        return Decision(fund, name=fund.code)

    def freeze_fund(self, act: Act, code: FundCode, *, reason: str, on: date) -> Decision:
        """Stop money from leaving a fund."""
        fund = self.fund(code)
        fund.freeze(act, reason=reason, on=on)
        return Decision(fund, name=code)

    def thaw_fund(self, act: Act, code: FundCode, *, reason: str, on: date) -> Decision:
        """Let money leave a fund again."""
        fund = self.fund(code)
        fund.thaw(act, reason=reason, on=on)
        return Decision(fund, name=code)

    def close_fund(self, act: Act, code: FundCode, *, reason: str, on: date) -> Decision:
        """End a fund that is empty."""
        fund = self.fund(code)
        fund.close(act, reason=reason, on=on)
        return Decision(fund, fund_is_empty(code), name=code)

    def transfer(  # noqa: PLR0913  # Both sides, and why.
        self,
        act: Act,
        code: FundCode,
        *,
        to: FundCode,
        amount: int,
        basis: str | None,
        on: date,
    ) -> Decision:
        """Give money of one fund to another."""
        fund = self.fund(code)
        fund.transfer(act, to=self.fund(to), amount=amount, basis=basis, on=on)
        return Decision(fund, (*fund_lets_go(code), fund_is_open(to)), name=code)
