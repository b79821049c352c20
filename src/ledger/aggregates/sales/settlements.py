"""Settlement of a sale: each side's figures, agreed when both are the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from ledger.kernel.errors import Refused
from ledger.kernel.money import Amount
from ledger.kernel.sentences import FieldName, Sentence, Series


class Differing(NamedTuple):
    """One figure of a statement on which the two sides differ, in fen."""

    figure: str
    theirs: int
    ours: int


class SettlementMismatch(Refused):
    """A settlement stands only if every figure equals ours to the fen."""

    says = "the statement of sale {sale} differs: {figures}"

    def __init__(self, sale: object, differing: Sequence[Differing]) -> None:
        self.differing = tuple(differing)
        super().__init__(sale=sale, figures=Series(map(_both, differing)))


def _both(each: Differing) -> Sentence:
    return Sentence(
        "{figure}: theirs {theirs}, ours {ours}",
        figure=FieldName(each.figure),
        theirs=Amount(each.theirs),
        ours=Amount(each.ours),
    )


class Statement(Struct, frozen=True):
    """A partner's account of a sale, or ours. All in fen."""

    gross: int
    refunds: int
    partner_fee: int
    channel_fee: int
    net_proceeds: int

    def differs_from(self, ours: Statement) -> list[Differing]:
        """Return each figure on which the two differ."""
        return [
            Differing(figure, getattr(self, figure), getattr(ours, figure))
            for figure in self.__struct_fields__
            if getattr(self, figure) != getattr(ours, figure)
        ]
