"""Donors are registered, restricted and erased."""

from ledger.aggregates.donations.donation import Donation
from ledger.commands import donors
from ledger.kernel.ids import new_id
from ledger.kernel.names import DonorId
from tests.samples import MEI
from tests.simulation.choices import NEWEST
from tests.simulation.noun import Noun

noun = Noun(donors)


@noun.chance(donor=(MEI, None, None))
def register(life, donor):
    new = donor or DonorId(new_id())
    life.attempt("register_donor", new, anonymous=False, into="donors")


@noun.chance(
    newest=NEWEST,
    basis=("donor-request", "statutory-retention"),
    days=(None, -1, 30, 4_000),
)
def restrict(life, newest, basis, days):
    fields = {"basis": basis, "until": None if days is None else life.day(-days)}
    life.attempt("restrict_donor", life.pick("donors", newest), **fields)


@noun.chance(newest=NEWEST, reason=("asked-by-donor", None))
def erase(life, newest, reason):
    donor = life.pick("donors", newest)
    theirs = [
        each for each in life.pools["donations"] if life.ledger.get(Donation, each).donor == donor
    ]
    fields = {"basis": "consent-withdrawn", "reason": reason, "donations": theirs}
    life.attempt("erase_donor", donor, **fields)


@noun.chance()
def ask_to_be_left_alone(life):
    register(life, None)
    restrict(life, 0, "donor-request", None)
