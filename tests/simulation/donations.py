"""Promises are made, kept, withdrawn, refunded, and paid beyond what was promised."""

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.facts import Instalment
from ledger.commands import donations
from ledger.kernel.ids import new_id
from ledger.kernel.money import CNY
from tests.samples import CHEN, MEI, SUN
from tests.simulation.choices import (
    AMOUNTS,
    DAYS_AGO,
    FUNDS,
    NEWEST,
    NOBODY,
    REASONS,
    REFERENCES,
)
from tests.simulation.noun import Noun

noun = Noun(donations)


@noun.chance(
    newest=(None, None, 0, 1),
    fund=FUNDS,
    amount=AMOUNTS,
    public=(True, False),
    off=(None, 0, 1),
)
def pledge(life, newest, fund, amount, public, off):
    donor = MEI if newest is None else life.pick("donors", newest)
    first = Instalment(life.today, amount // 2)
    parts = (first, Instalment(life.today, amount - first.amount + (off or 0)))
    money = {"fund": fund, "amount": amount, "currency": CNY, "pledged_on": life.today}
    promise = {"instalments": () if off is None else parts, "public_promise": public}
    life.attempt("pledge", donor=donor, into="donations", **money, **promise)


@noun.chance(
    newest=NEWEST,
    amount=AMOUNTS,
    channel=("bank", "wechat", "alipay", "cash"),
    ref=REFERENCES,
    ago=DAYS_AGO,
)
def receive(life, newest, amount, channel, ref, ago):
    fields = {"amount": amount, "channel": channel, "external_ref": ref or new_id().hex}
    donation = life.pick("donations", newest)
    life.attempt("receive_payment", donation, received_on=life.day(ago), **fields)


@noun.chance(newest=NEWEST, who=(SUN, SUN, CHEN), known=(True, True, True, False), ago=DAYS_AGO)
def confirm(life, newest, who, known, ago):
    donation = life.pick("donations", newest)
    payments = {} if donation == NOBODY else life.ledger.get(Donation, donation).payments
    channel, ref = next(iter(payments), ("bank", "B-9")) if known else ("cash", "C-9")
    fields = {"channel": channel, "external_ref": ref, "statement_ref": f"ST-{ago}"}
    life.attempt("confirm_payment", donation, who=who, on=life.day(ago), **fields)


@noun.chance(newest=NEWEST, reason=REASONS)
def withdraw(life, newest, reason):
    life.attempt("withdraw_pledge", life.pick("donations", newest), reason=reason)


@noun.chance(
    newest=NEWEST,
    amount=AMOUNTS,
    cause=("duplicate", "error", "donor_or_law", "own_fault"),
    ago=DAYS_AGO,
)
def refund(life, newest, amount, cause, ago):
    fields = {"amount": amount, "cause": cause, "reason": "asked", "on": life.day(ago)}
    life.attempt("refund", life.pick("donations", newest), **fields)


@noun.chance(newest=NEWEST, amount=AMOUNTS, decision=("give", "return"), ago=DAYS_AGO)
def decide_excess(life, newest, amount, decision, ago):
    fields = {"amount": amount, "decision": decision, "on": life.day(ago)}
    life.attempt("decide_excess", life.pick("donations", newest), **fields)


@noun.chance(fund=FUNDS, amount=(100_00, 300_00), beyond=(0, 50_00))
def give(life, fund, amount, beyond):
    pledge(life, None, fund, amount, public=False, off=None)
    receive(life, 0, amount + beyond, "bank", None, 0)


@noun.chance(fund=FUNDS, public=(True, False))
def regret(life, fund, public):
    pledge(life, None, fund, 100_00, public, off=None)
    withdraw(life, 0, "moved away")
