"""Effects that a dry run foresees, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ledger.commands.rehearsal import FundAfter, Rehearsal
from ledger.kernel.names import FundCode
from projections.kernel.sentences import Sentence
from projections.views.every import sentence
from projections.views.journal import line


class Foreseen(Struct, frozen=True):
    """What would be recorded.

    Attributes:
        events: Each in a sentence of both languages.
        entry: The lines of the books.
        funds: How funds would be left.

    """

    events: Sequence[Sentence]
    entry: Sequence[Mapping[str, Any]]
    funds: Mapping[FundCode, FundAfter]


def foreseen(rehearsal: Rehearsal) -> Foreseen:
    """Return what a rehearsal foresees in words and figures."""
    return Foreseen(
        [sentence(each) for each in rehearsal.facts],
        [line(*each) for each in rehearsal.entry],
        rehearsal.funds,
    )
