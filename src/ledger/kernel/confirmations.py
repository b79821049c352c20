"""Confirmation of payments against a statement by a third party: the bank's or the platform's.

It is no entry, as the payment made one; it says that somebody other than who recorded it has seen
it there (会计法 art. 35: who keeps money does not also check it).
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from ledger.kernel.aggregate import Act
from ledger.kernel.duties import Duty, keep_apart
from ledger.kernel.errors import Invalid, Refused
from ledger.kernel.payments import Payment
from ledger.kernel.sentences import Sentence
from ledger.kernel.wording import reference


class ConfirmationDiffers(Refused):
    """A payment stands on one line of one statement."""

    says = "{payment} is already confirmed, by statement {statement_ref}"

    def __init__(self, payment: Sentence, statement_ref: str) -> None:
        super().__init__(payment=payment, statement_ref=statement_ref)


class Confirmation(Struct, frozen=True):
    """The statement that a payment was matched on, and the stream's version of that event."""

    version: int
    statement_ref: str


def check_confirmation(  # noqa: PLR0913  # Who found what, where and when.
    act: Act,
    payment: Payment,
    known: Confirmation | None,
    *,
    named: Sentence,
    statement_ref: str,
    on: date,
) -> int | None:
    """Refuse what may not be confirmed so; return the version of an earlier confirmation.

    Args:
        act: Whose confirmation it is.
        payment: The money that came in.
        known: What was confirmed of it before.
        named: What a refusal calls the payment.
        statement_ref: The statement that it was found on.
        on: The business day it was.

    """
    keep_apart(Duty.CONFIRMATION, act.actor, {Duty.PAYMENT: {payment.recorded_by}}, named)
    version = confirmed_before(known, named, statement_ref)
    if version is None:
        not_before_payment(on, payment.on)
    return version


def not_before_payment(on: date, paid_on: date, field: str = "on") -> None:
    """Refuse a day on which nothing was paid yet."""
    if on < paid_on:
        raise Invalid(field, "{on} is before the payment, {paid_on}", on=on, paid_on=paid_on)


def confirmed_before(
    known: Confirmation | None, payment: Sentence, statement_ref: str
) -> int | None:
    """Return the version that confirmed ``payment`` by the same statement, if one did."""
    reference(statement_ref, "statement_ref")
    if known is None:
        return None
    if known.statement_ref != statement_ref:
        raise ConfirmationDiffers(payment, known.statement_ref)
    return known.version
