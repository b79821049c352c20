"""Commands about a charity sale. Its orders and returns come in feeds (``ledger.feeds``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger.aggregates.sales.sale import CharitySale, Item
from ledger.aggregates.sales.settlements import Statement
from ledger.books.tallies import Expectation, fund_is_open, of_sale
from ledger.commands.application import Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import Conflict
from ledger.kernel.names import FundCode, SaleId


class SaleCommands(Records):
    """Plan, open, end, settle, remit, confirm."""

    def plan_sale(  # noqa: PLR0913  # The plan of Charity Law art. 24 has this many parts.
        self,
        act: Act,
        *,
        name: str,
        fund: FundCode,
        partner: str,
        starts_on: date,
        ends_on: date,
        return_days: int,
        partner_fee_bp: int,
        channel_fee_bp: int,
        items: Sequence[Item],
        plan_filing: str | None = None,
    ) -> Decision:
        """Agree on a sale for the good of a fund."""
        sale = CharitySale.plan(
            act,
            name=name,
            fund=self.fund_terms(fund),
            partner=partner,
            starts_on=starts_on,
            ends_on=ends_on,
            return_days=return_days,
            partner_fee_bp=partner_fee_bp,
            channel_fee_bp=channel_fee_bp,
            items=items,
            plan_filing=plan_filing,
        )
        return Decision(sale, [fund_is_open(fund)])

    def open_sale(self, act: Act, sale_id: SaleId, *, on: date) -> Decision:
        """Begin to take orders."""
        sale = self.sale(sale_id)
        sale.open(act, on=on)
        return Decision(sale, [fund_is_open(sale.fund)])

    def end_sale(self, act: Act, sale_id: SaleId, *, on: date) -> Decision:
        """Stop selling."""
        sale = self.sale(sale_id)
        sale.end(act, on=on)
        return Decision(sale)

    def settle_sale(
        self, act: Act, sale_id: SaleId, theirs: Statement, *, agreed_on: date
    ) -> Decision:
        """Agree with the partner's statement, if it is ours to the fen."""
        sale = self.sale(sale_id)
        gross, refunds = of_sale(sale_id, "gross"), of_sale(sale_id, "refunds")
        sold = self.store.tallies([gross, refunds])
        sale.settle(
            act,
            theirs,
            gross=sold.get(gross, 0),
            refunds=sold.get(refunds, 0),
            agreed_on=agreed_on,
        )
        unchanged = [
            Expectation(tally, sold.get(tally, 0), lambda _: Conflict("goods were just sold"))
            for tally in (gross, refunds)
        ]
        return Decision(sale, unchanged)

    def remit(
        self, act: Act, sale_id: SaleId, *, amount: int, external_ref: str, received_on: date
    ) -> Decision:
        """Record money that the partner paid over."""
        sale = self.sale(sale_id)
        repeat = sale.remit(act, amount=amount, external_ref=external_ref, received_on=received_on)
        return Decision(sale, [fund_is_open(sale.fund)], repeat)

    def confirm_remittance(
        self, act: Act, sale_id: SaleId, *, external_ref: str, statement_ref: str, on: date
    ) -> Decision:
        """Record that a remittance was found on the bank's statement."""
        sale = self.sale(sale_id)
        repeat = sale.confirm(act, external_ref=external_ref, statement_ref=statement_ref, on=on)
        return Decision(sale, repeat_of=repeat)
