"""Commands about a charity sale. Its orders and returns come in feeds (``ledger.feeds``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.sales.settlements import Statement
from ledger.books.tallies import Expectation, fund_is_open, of_sale
from ledger.commands.command import Decision, command, step
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import Conflict
from ledger.kernel.names import FundCode, SaleId
from ledger.kernel.roles import Role


def _fund_is_open(sale: CharitySale) -> Sequence[Expectation]:
    return (fund_is_open(sale.fund),)


@command(by=(Role.TREASURER,))
def plan_sale(
    records: Records,
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
    """Plan a sale for the good of a fund."""
    sale = CharitySale.plan(
        act,
        name=name,
        fund=records.fund_terms(fund),
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


open_sale = step(
    CharitySale, CharitySale.open, by=(Role.TREASURER,), expects=_fund_is_open, name="open_sale"
)

end_sale = step(CharitySale, CharitySale.end, by=(Role.TREASURER,), name="end_sale")


@command(by=(Role.TREASURER,))
def settle_sale(
    records: Records, act: Act, sale_id: SaleId, theirs: Statement, *, agreed_on: date
) -> Decision:
    """Agree with the partner's statement, if every figure is ours to the fen."""
    sale = records.get(CharitySale, sale_id)
    gross, refunds = of_sale(sale_id, "gross"), of_sale(sale_id, "refunds")
    sold = records.store.tallies([gross, refunds])
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


remit = step(
    CharitySale,
    CharitySale.remit,
    by=(Role.CASHIER,),
    expects=_fund_is_open,
    purpose="Record money that the partner paid over; it may come in parts.",
)

confirm_remittance = step(
    CharitySale,
    CharitySale.confirm,
    by=(Role.BOOKKEEPER, Role.TREASURER),
    name="confirm_remittance",
    purpose="Record that a remittance was found on a statement, by somebody who did not record it.",
)
