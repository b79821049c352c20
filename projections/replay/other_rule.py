"""A simulation: payments of the past that another rule of approval would have stopped."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from msgspec import Struct, field

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.policies import ApprovalRule
from ledger.commands.records import Records
from ledger.kernel.aggregate import Fact
from ledger.kernel.money import Currency, Fen
from ledger.kernel.names import FundCode, PersonId, Position
from projections.kernel.follow import Progress, silent
from projections.kernel.history import rest

REPORTED_EVERY = 1_000


class Stopped(Struct, frozen=True):
    """A payment that would have lacked approvals.

    Attributes:
        position: Where the payment is written.
        approvals: How many people had approved it.
        needed: How many the other rule asks for.

    """

    position: Position
    disbursement: UUID
    fund: FundCode
    amount: Fen
    currency: Currency
    paid_on: date
    approvals: int
    needed: int


class OtherRule(Struct):
    """Holds each payment to a rule, as the history goes by.

    Attributes:
        rule: The other one.
        paid: Payments seen so far.
        stopped: Those that it would have stopped.

    """

    rule: ApprovalRule
    paid: int = 0
    stopped: list[Stopped] = field(default_factory=list)
    _approved: dict[UUID, set[PersonId]] = field(default_factory=dict)

    def take_in(self, position: Position, fact: Fact) -> None:
        """Look at the next event. Who approved is kept only of what is not yet over."""
        match fact:
            case Disbursement.ApprovalGiven():
                self._approved.setdefault(fact.originator_id, set()).add(fact.actor)
            case Disbursement.Paid():
                self._hold(position, fact)
            case (
                Disbursement.Rejected()
                | Disbursement.Cancelled()
                | Disbursement.Acknowledged()
                | Disbursement.Returned()
            ):
                self._approved.pop(fact.originator_id, None)

    def _hold(self, position: Position, fact: Disbursement.Paid) -> None:
        self.paid += 1
        approvals = len(self._approved.get(fact.originator_id, ()))
        needed = self.rule.needed(fact.amount)
        if approvals < needed:
            self.stopped.append(
                Stopped(
                    position,
                    fact.originator_id,
                    fact.fund,
                    fact.amount,
                    fact.currency,
                    fact.on,
                    approvals,
                    needed,
                )
            )


def held_to(
    ledger: Records,
    rule: ApprovalRule,
    *,
    until: Position | None = None,
    progress: Progress = silent,
) -> OtherRule:
    """Hold every payment up to ``until``, or all, to another rule. Nothing is changed."""
    last = ledger.store.last_position()
    goal = last if until is None else min(last, until)
    other = OtherRule(rule)
    for position, fact in rest(ledger, until=goal):
        other.take_in(position, fact)
        if position % REPORTED_EVERY == 0 or position == goal:
            progress(position, goal)
    return other
