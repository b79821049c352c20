"""A route declares no refusal that its command cannot meet.

That it declares each is left to whoever writes the rule: a rule of an aggregate is refused, and
translated, without its name in the API's document.
"""

import pytest

from api.kernel.doors import Door
from api.routes.every import routes
from ledger.aggregates.donors import ProcessingStopped
from ledger.aggregates.funds import FundFrozen, InsufficientFunds
from ledger.commands.disbursements import approve, confirm_payout
from ledger.commands.donations import pledge
from ledger.kernel.duties import AlreadyApproved, OwnPayment, RelatedPayee
from tests.refusals_reached import Reach

COMMANDS = [
    each
    for router in routes()
    for each in router.routes
    if isinstance(each, Door) and each.command is not None
]
"""The routes that carry out a command."""

AT_THE_DOOR = {
    "conflict",
    "idempotency-key-required",
    "idempotency-mismatch",
    "invalid-request",
    "overloaded",
    "role-forbidden",
    "store-failed",
    "too-large",
    "unauthenticated",
}
"""What every route that records may refuse with; the route itself declares it."""

BESIDE_THE_COMMAND = {"erase_donor": {"view-stopped", "views-away"}}
"""What a route refuses with on its way: it reads a view for what its command is told."""

NEVER_MET = {"add_person": {"own-roles", "wrong-state"}}
"""What the code names and cannot happen: whoever is new is not disabled, nor the admin."""


def declared(route):
    return {
        name
        for answer in route.responses.values()
        for content in answer.get("content", {}).values()
        for name in content.get("examples", {})
    }


def test_refusals_are_found_wherever_a_command_meets_them():
    assert Reach(pledge).refusals >= {ProcessingStopped}
    assert Reach(confirm_payout).refusals >= {OwnPayment}
    met = Reach(approve).refusals
    assert met >= {AlreadyApproved, RelatedPayee}  # A table's.
    assert met >= {FundFrozen, InsufficientFunds}  # An expectation's, and a bound's.


@pytest.mark.parametrize("route", COMMANDS, ids=lambda route: route.command.name)
def test_a_route_declares_no_refusal_that_its_command_cannot_meet(route):
    name = route.command.name
    met = {each.problem_name() for each in Reach(route.command).refusals}

    possible = met - NEVER_MET.get(name, set()) | BESIDE_THE_COMMAND.get(name, set())
    assert declared(route) - AT_THE_DOOR <= possible
