"""People declare whom they are related to."""

from ledger.commands import relations
from tests.samples import CHEN, SUN, ZHAO
from tests.simulation.choices import DAYS_AGO
from tests.simulation.noun import Noun

noun = Noun(relations)


@noun.chance(who=(SUN, CHEN, ZHAO), name=("嘉禾商行", "嘉禾 商行", "——"), ago=DAYS_AGO)
def declare(life, who, name, ago):
    fields = {"organisation": name, "party": None, "relation": "work", "on": life.day(ago)}
    life.attempt("declare_relation", who=who, **fields)
