"""/v1/policies"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from msgspec.structs import asdict
from pydantic import BaseModel, Field

from api.kernel.desk import READS_ALL, AtLeast, Desk, today
from api.kernel.doors import Door, may, takes
from api.kernel.dry_run import DryRun
from api.kernel.forms import Forms, titled
from api.kernel.texts import marked
from api.kernel.wire import Body, CurrencyCode, Day, Done, Text, done, example, json_response
from ledger.aggregates.policies import ApprovalRule
from ledger.commands.policies import approval_policy, set_approval_policy
from ledger.kernel.money import AMOUNT_MAX, CNY
from ledger.kernel.roles import Role

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=Door)

READERS = (*READS_ALL, Role.BOOKKEEPER, Role.APPROVER, Role.CASHIER, Role.CLERK)

Limit = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX, description="In fen, whole.")]


class NewApprovalRule(Body):
    """How many people must approve, by the amount. It is two between the limits."""

    model_config = example(
        one_approval_up_to=20_000,
        three_approvals_above=5_000_000,
        currency="CNY",
        basis="理事会决议 2026-03",
    )

    one_approval_up_to: Limit
    three_approvals_above: Limit | None
    currency: CurrencyCode
    effective_from: Day | None = Field(None, description="Its first day; today if not said.")
    basis: Text = Field(description="Which resolution says so.")

    def arguments(self) -> dict[str, Any]:
        """Return the rule, and from which day on it is in force."""
        return {
            "rule": ApprovalRule(self.one_approval_up_to, self.three_approvals_above),
            "currency": self.currency,
            "effective_from": self.effective_from or today(),
            "basis": self.basis,
        }


class RuleShown(BaseModel):
    """A rule and the first day on which it is in force; figures in fen."""

    effective_from: str
    one_approval_up_to: int
    three_approvals_above: int | None
    currency: str
    basis: str


class ApprovalPolicyShown(BaseModel):
    """The rule in force on a day, and all that were set, in the order in which they were."""

    on: str
    one_approval_up_to: int
    three_approvals_above: int | None
    currency: str
    rules: list[RuleShown]


@router.post("/approval", response_model=Done | DryRun)
@titled(marked("Set how many people approve"))
@takes(set_approval_policy)
async def set_approval(body: NewApprovalRule, desk: Desk) -> Response:
    """Set how many people must approve, from a day on. What was set aside before stays so."""
    return done(await desk.record(set_approval_policy, **body.arguments()))


@router.get("/approval", response_model=ApprovalPolicyShown)
@may(*READERS)
def show_approval(
    desk: Desk,
    on: Annotated[Day | None, Query(description="The rule of this day; today's if left out.")] = (
        None
    ),
    at_least: AtLeast = None,
) -> Response:
    """Return how many people must approve on a day, and every rule that was set."""
    desk.must_have(at_least)
    policy, day = approval_policy(desk.ledger), on or today()
    currency: dict[str, Any] = {"currency": CNY}
    rules = [
        {"effective_from": each.effective_from, "basis": each.basis} | asdict(each.rule) | currency
        for each in policy.versions
    ]
    return json_response({"on": day, "rules": rules} | asdict(policy.in_force(day)) | currency)


FORMS = Forms(
    "policies",
    marked("Rules"),
    labels={
        "effective_from": marked("In force from"),
        "one_approval_up_to": marked("One approval up to, in yuan"),
        "three_approvals_above": marked("Three approvals above, in yuan"),
    },
    hints={
        "approval:basis": marked("Which resolution says so."),
        "three_approvals_above": marked("Left empty, no amount takes three."),
        "effective_from": marked("Left empty, it is in force from today."),
    },
)
