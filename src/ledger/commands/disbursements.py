"""Commands that pay money out to the people and causes it was given for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.disbursements.facts import PayeeKind
from ledger.books.tallies import Expectation, fund_is_open, fund_lets_go
from ledger.commands.command import Decision, command, step
from ledger.commands.policies import approval_policy
from ledger.commands.records import Records
from ledger.commands.relations import relations_of
from ledger.kernel.aggregate import Act
from ledger.kernel.money import Currency
from ledger.kernel.names import DisbursementId, FundCode, PartyId
from ledger.kernel.roles import Role


def _fund_is_open(disbursement: Disbursement) -> Sequence[Expectation]:
    return (fund_is_open(disbursement.fund),)


def _fund_lets_go(disbursement: Disbursement) -> Sequence[Expectation]:
    return fund_lets_go(disbursement.fund)


@command(by=(Role.CLERK,))
def request_aid(
    records: Records,
    act: Act,
    *,
    fund: FundCode,
    payee_kind: PayeeKind,
    payee: PartyId,
    payee_name: str | None,
    amount: int,
    currency: Currency,
    purpose: str,
    requested_on: date,
    grid: str | None = None,
) -> Decision:
    """Ask for aid out of a fund."""
    disbursement = Disbursement.request(
        act,
        fund=records.fund_terms(fund),
        payee_kind=payee_kind,
        payee=payee,
        payee_name=payee_name,
        amount=amount,
        currency=currency,
        purpose=purpose,
        requested_on=requested_on,
        grid=grid,
    )
    return Decision(disbursement, [fund_is_open(fund)])


@command(by=(Role.APPROVER,))
def approve(records: Records, act: Act, disbursement_id: DisbursementId, *, on: date) -> Decision:
    """Approve. The last approval needed, the second if no rule is set, sets the money aside."""
    disbursement = records.get(Disbursement, disbursement_id)
    needed = approval_policy(records).needed(disbursement.amount, on=on, today=act.today)
    ties = relations_of(records, act.actor).ties
    disbursement.approve(act, on=on, needed=needed, ties=ties)
    return Decision(disbursement, fund_lets_go(disbursement.fund))


reject = step(Disbursement, Disbursement.reject, by=(Role.APPROVER,))

cancel = step(
    Disbursement,
    Disbursement.cancel,
    by=(Role.CLERK,),
    purpose="Call the request off; money that was set aside is free again.",
)

pay = step(Disbursement, Disbursement.pay, by=(Role.CASHIER,), expects=_fund_lets_go)

confirm_payout = step(
    Disbursement,
    Disbursement.confirm,
    by=(Role.BOOKKEEPER, Role.TREASURER),
    name="confirm_payout",
    purpose="Record that the payment was found on a statement, by somebody who did not record it.",
)

bounce = step(
    Disbursement,
    Disbursement.bounce,
    by=(Role.CASHIER,),
    expects=_fund_is_open,
    purpose="Record that the money came back undelivered; it is set aside for a second try.",
)

acknowledge = step(Disbursement, Disbursement.acknowledge, by=(Role.CLERK,))

take_back = step(
    Disbursement,
    Disbursement.take_back,
    by=(Role.CASHIER,),
    expects=_fund_is_open,
    purpose="Record money that the payee gave back.",
)
