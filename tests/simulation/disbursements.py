"""Aid is requested, approved, paid, found on statements, bounced and taken back."""

from ledger.commands import disbursements
from ledger.kernel.ids import new_id
from ledger.kernel.money import CNY
from tests.samples import CENTRE, CHEN, LIN, SUN, WANG, ZHAO
from tests.simulation.choices import AMOUNTS, DAYS_AGO, FUNDS, NEWEST, REASONS, REFERENCES
from tests.simulation.noun import Noun

noun = Noun(disbursements)


@noun.chance(fund=FUNDS, amount=AMOUNTS, purpose=REASONS)
def request(life, fund, amount, purpose):
    payee = {"payee_kind": "person", "payee": CENTRE, "payee_name": None}
    money = {"fund": fund, "amount": amount, "currency": CNY}
    fields = {"purpose": purpose, "requested_on": life.today}
    life.attempt("request_aid", who=LIN, into="disbursements", **payee, **money, **fields)


@noun.chance(newest=NEWEST, who=(LIN, WANG, WANG, ZHAO, ZHAO), ago=DAYS_AGO)
def approve(life, newest, who, ago):
    life.attempt("approve", life.pick("disbursements", newest), who=who, on=life.day(ago))


@noun.chance(fund=FUNDS, amount=(20_00, 100_00), paid=(True, False))
def agree(life, fund, amount, paid):
    request(life, fund, amount, "aid")
    approve(life, 0, WANG, 0)
    approve(life, 0, ZHAO, 0)
    if paid:
        pay(life, 0, CHEN, None, 0)


@noun.chance(newest=NEWEST, step=("reject", "cancel"), reason=REASONS)
def drop(life, newest, step, reason):
    life.attempt(step, life.pick("disbursements", newest), reason=reason)


@noun.chance(fund=FUNDS, step=("reject", "cancel"))
def ask_in_vain(life, fund, step):
    request(life, fund, 20_00, "aid")
    drop(life, 0, step, "helped otherwise")


@noun.chance(newest=NEWEST, who=(CHEN, CHEN, WANG), ref=REFERENCES, ago=DAYS_AGO)
def pay(life, newest, who, ref, ago):
    fields = {"external_ref": ref or new_id().hex, "paid_on": life.day(ago)}
    life.attempt("pay", life.pick("disbursements", newest), who=who, **fields)


@noun.chance(newest=NEWEST, who=(SUN, SUN, CHEN), ago=DAYS_AGO)
def confirm_payout(life, newest, who, ago):
    fields = {"statement_ref": f"ST-{ago}", "on": life.day(ago)}
    life.attempt("confirm_payout", life.pick("disbursements", newest), who=who, **fields)


@noun.chance(newest=NEWEST, reason=REASONS, ago=DAYS_AGO)
def bounce(life, newest, reason, ago):
    life.attempt("bounce", life.pick("disbursements", newest), reason=reason, on=life.day(ago))


@noun.chance(fund=FUNDS)
def pay_in_vain(life, fund):
    agree(life, fund, 20_00, paid=True)
    bounce(life, 0, "no such account", 0)


@noun.chance(newest=NEWEST, ago=DAYS_AGO)
def acknowledge(life, newest, ago):
    life.attempt("acknowledge", life.pick("disbursements", newest), by=CENTRE, on=life.day(ago))


@noun.chance(newest=NEWEST, amount=AMOUNTS, ref=REFERENCES, ago=DAYS_AGO)
def take_back(life, newest, amount, ref, ago):
    fields = {"external_ref": ref or new_id().hex, "received_on": life.day(ago)}
    life.attempt("take_back", life.pick("disbursements", newest), amount=amount, **fields)


@noun.chance(fund=FUNDS, back=(1, 20_00))
def help_to_the_end(life, fund, back):
    agree(life, fund, 20_00, paid=True)
    confirm_payout(life, 0, SUN, 0)
    acknowledge(life, 0, 0)
    take_back(life, 0, back, None, 0)
