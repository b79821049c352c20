"""Payments found again on a statement that the charity did not write: the bank's, the platform's.

It is no entry, as the payment made one; it says that somebody other than who recorded it has seen
it there (会计法 art. 35: who keeps money does not also check it).
"""

from __future__ import annotations

from msgspec import Struct

from ledger.errors import Refused
from ledger.wording import reference


class ConfirmationDiffers(Refused):
    """A payment stands on one line of one statement."""

    def __init__(self, payment: str, statement_ref: str) -> None:
        super().__init__(f"{payment} is already confirmed, by statement {statement_ref}")


class Confirmation(Struct, frozen=True):
    """On which statement a payment was found, and which version of its stream says so."""

    version: int
    statement_ref: str


def confirmed_before(known: Confirmation | None, payment: str, statement_ref: str) -> int | None:
    """Return the version that confirmed ``payment`` by the same statement, if one did."""
    reference(statement_ref, "statement_ref")
    if known is None:
        return None
    if known.statement_ref != statement_ref:
        raise ConfirmationDiffers(payment, known.statement_ref)
    return known.version
