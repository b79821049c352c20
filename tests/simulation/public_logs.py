"""Keys of the public log are announced."""

from ledger.commands import public_logs
from tests.samples import ANNOUNCED
from tests.simulation.noun import Noun

noun = Noun(public_logs)


@noun.chance(key=(ANNOUNCED.fields["key"], "no key"))
def announce(life, key):
    life.attempt("announce_key", name="PeterNeumann", key=key)
