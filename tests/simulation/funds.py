"""Funds are opened, frozen, thawed and closed, and money moves between them."""

from ledger.commands import funds
from ledger.kernel.money import CNY
from tests.samples import GENERAL, HEAR, WARM
from tests.simulation.choices import AMOUNTS, DAYS_AGO, FUNDS, REASONS
from tests.simulation.donations import give
from tests.simulation.noun import Noun

noun = Noun(funds)


@noun.chance(fund=FUNDS)
def open_fund(life, fund):
    restriction = "unrestricted" if fund == GENERAL else "restricted"
    what = {"name": "专项", "purpose": "aid", "restriction": restriction, "currency": CNY}
    life.attempt("open_fund", code=fund, **what)


@noun.chance(step=("freeze_fund", "thaw_fund"), fund=(WARM, GENERAL), reason=REASONS, ago=DAYS_AGO)
def change_fund(life, step, fund, reason, ago):
    life.attempt(step, fund, reason=reason, on=life.day(ago))


@noun.chance(fund=(WARM, GENERAL), ago=DAYS_AGO)
def review(life, fund, ago):
    life.attempt("freeze_fund", fund, reason="under review", on=life.day(ago))
    life.attempt("thaw_fund", fund, reason="review done", on=life.today)


@noun.chance(fund=(WARM, GENERAL), reason=REASONS)
def close_fund(life, fund, reason):
    life.attempt("close_fund", fund, reason=reason, on=life.today)


@noun.chance(fund=FUNDS, to=FUNDS, amount=AMOUNTS, basis=(*REASONS, None), ago=DAYS_AGO)
def transfer(life, fund, to, amount, basis, ago):
    life.attempt("transfer", fund, to=to, amount=amount, basis=basis, on=life.day(ago))


@noun.chance(fund=(HEAR, WARM))
def give_and_move_on(life, fund):
    give(life, fund, 100_00, 0)
    transfer(life, fund, GENERAL, 20_00, "as agreed", 0)
