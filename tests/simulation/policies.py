"""Rules of approval are set."""

from ledger.aggregates.policies import ApprovalRule
from ledger.commands import policies
from ledger.kernel.money import CNY
from tests.simulation.noun import Noun

noun = Noun(policies)


@noun.chance(petty=(0, 0, 20_00), large=(None, None, 50_00, 10_00), ago=(0, 0, -9, 1))
def set_policy(life, petty, large, ago):
    fields = {"currency": CNY, "effective_from": life.day(ago), "basis": "resolution"}
    life.attempt("set_approval_policy", ApprovalRule(petty, large), **fields)
