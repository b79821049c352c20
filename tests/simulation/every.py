"""Every noun of the charity, and how its life begins."""

from ledger.kernel.modules import modules_beside
from tests.samples import HEAR, MEI
from tests.simulation import disbursements, donations, funds, sales
from tests.simulation.choices import FUNDS
from tests.simulation.noun import Chance

MODULES = modules_beside(__name__, but={"test_simulation"})

NOUNS = [module.noun for module in MODULES if hasattr(module, "noun")]

TIME_GOES_BY = Chance(lambda life, days: life.pass_days(days), {"days": (1, 1, 3, 9, 40, 200)})

CHANCES = [TIME_GOES_BY, *(chance for noun in NOUNS for chance in noun.chances)]


def found(life):
    """Found a charity that has money, aid that was paid, and a sale under way."""
    for fund in sorted(set(FUNDS)):
        funds.open_fund(life, fund)
    life.attempt("register_donor", MEI, anonymous=True)
    donations.give(life, HEAR, 300_00, 50_00)
    disbursements.agree(life, HEAR, 100_00, paid=True)
    sales.sell(life, HEAR)


def step(life, chance, chosen):
    """Take a step, and see that all rules hold."""
    chance.step(life, **chosen)
    life.check()
    for noun in NOUNS:
        for rule in noun.rules:
            rule(life)
