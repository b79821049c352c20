"""The tally of how often any donor was restricted or erased."""

from __future__ import annotations

from ledger.aggregates.donors import Donor
from ledger.kernel.tallies import Tallied, Tally

RESTRICTIONS = Tally("donors", "restrictions")
"""How often a donor's details were restricted or erased. Whoever remembers donors, so as not to
read them again for each promise, expects that it is what it was when they were read.
"""

TALLIED = Tallied(
    changes={
        Donor.ProcessingRestricted: lambda _: [(RESTRICTIONS, 1)],
        Donor.Erased: lambda _: [(RESTRICTIONS, 1)],
    }
)
