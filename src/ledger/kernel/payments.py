"""Payments towards a pledge: their channel, their recorder, and refunds by the same channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from ledger.kernel.errors import Refused
from ledger.kernel.money import Amount, Fen
from ledger.kernel.names import PersonId
from ledger.kernel.sentences import Sentence, Word

Channel = Literal["bank", "wechat", "alipay", "cash"]
"""How money came in. It goes back the same way."""


def named_payment(channel: str, external_ref: str) -> Sentence:
    """Return what a refusal calls a payment."""
    return Sentence(
        "{channel} payment {external_ref}", channel=Word(channel), external_ref=external_ref
    )


class PaymentDiffers(Refused):
    """One reference of a channel is one payment, and says one amount."""

    says = "{payment} is already recorded, with {amount} yuan"

    def __init__(self, channel: str, external_ref: str, amount: int) -> None:
        super().__init__(payment=named_payment(channel, external_ref), amount=Amount(amount))


class PaymentCounted(Refused):
    """The same payment is never counted twice."""

    rival = True

    says = "{payment} is already counted elsewhere"

    def __init__(self, channel: str, external_ref: str) -> None:
        super().__init__(payment=named_payment(channel, external_ref))


class RefundExceedsReceived(Refused):
    """No more goes back than came in."""

    says = "donation {donation} has {left} yuan that could go back, not {wanted}"

    def __init__(self, donation: object, *, left: int, wanted: int) -> None:
        super().__init__(donation=donation, left=Amount(left), wanted=Amount(wanted))


class Payment(Struct, frozen=True):
    """A payment as it was recorded.

    Attributes:
        version: Where in the stream of its donation.
        amount: In fen, with what went beyond the promise.
        on: The business day it arrived.
        recorded_by: Who said so, and so cannot be the one who confirms it.

    """

    version: int
    amount: int
    on: date
    recorded_by: PersonId


class Returned(Struct, frozen=True, forbid_unknown_fields=True):
    """A part of what goes back: to which channel, and whether it came in an earlier year."""

    channel: Channel
    amount: Fen
    prior_year: bool


class Part(Struct):
    """The remainder of money received through one channel and counted in one year."""

    channel: Channel
    year: int
    left: int


def back(parts: Sequence[Part], amount: int, year: int) -> tuple[Returned, ...]:
    """Split ``amount`` into refunds by channel, and by current or earlier year."""
    return tuple(
        Returned(part.channel, Fen(share), part.year < year)
        for part, share in _newest(parts, amount)
    )


def take(parts: Sequence[Part], amount: int) -> list[Part]:
    """Take ``amount`` out of ``parts`` and return what was taken."""
    taken = []
    for part, share in _newest(parts, amount):
        part.left -= share
        taken.append(Part(part.channel, part.year, share))
    return taken


def _newest(parts: Sequence[Part], amount: int) -> Iterator[tuple[Part, int]]:
    """Spread ``amount`` over ``parts``, the newest first."""
    for part in reversed(parts):
        share = min(amount, part.left)
        if share:
            yield part, share
            amount -= share
