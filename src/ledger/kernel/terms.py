"""Immutable facts about one aggregate that another one needs.

Aggregates do not know each other: a promise knows the terms of its fund, an order those of its
sale, and each can be decided and tested alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from ledger.kernel.errors import Invalid
from ledger.kernel.money import Currency, Fen
from ledger.kernel.names import FundCode, PartyId, SaleId
from ledger.kernel.wording import spelled_alike

Restriction = Literal["restricted", "unrestricted"]
"""限定性 or 非限定性: whether donors tied a fund to a purpose. What a board earmarks is not."""

UNITS_MAX = 1_000_000
"""Pieces of one item of a sale, and of one line of an order."""


class FundTerms(Struct, frozen=True):
    """Terms of a fund, fixed when it was opened."""

    fund: FundCode
    restriction: Restriction
    currency: Currency

    def check_currency(self, currency: Currency) -> None:
        """Refuse money in another currency than the fund's."""
        if currency != self.currency:
            raise Invalid(
                "currency",
                "fund {fund} is kept in {currency}",
                fund=self.fund,
                currency=self.currency,
            )


class SaleTerms(Struct, frozen=True):
    """Terms of a sale that its orders and returns must satisfy.

    Attributes:
        sale: Which sale.
        fund: The terms of the fund that it is for.
        prices: What each item costs, in fen, by its sku.
        last_return_day: The last day on which goods can be returned.

    """

    sale: SaleId
    fund: FundTerms
    prices: Mapping[str, Fen]
    last_return_day: date


class Ties(Struct, frozen=True):
    """To whom one person declared themselves related.

    Attributes:
        parties: By opaque id.
        organisations: By what all spellings of their names have in common.

    """

    parties: frozenset[PartyId] = frozenset()
    organisations: frozenset[str] = frozenset()

    def and_to(self, party: PartyId | None, organisation: str | None) -> Ties:
        """Return these and one more."""
        return Ties(
            self.parties | ({party} if party else set()),
            self.organisations | ({spelled_alike(organisation)} if organisation else set()),
        )

    def bind(self, payee: PartyId, payee_name: str | None) -> bool:
        """Say whether this payee is among them."""
        named = payee_name is not None and spelled_alike(payee_name) in self.organisations
        return named or payee in self.parties
