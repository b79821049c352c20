"""Exact amounts of money: whole fen, never a fraction, never a float.

The books are kept in renminbi, as Accounting Law (会计法) art. 12 says, so an amount is a plain
``int`` of fen and every event that carries one names the currency beside it.
"""

from __future__ import annotations

from typing import Literal, NewType

from ledger.kernel.errors import Invalid

Fen = NewType("Fen", int)
"""Whole hundredths of a yuan. Positive at the door; direction is said in words."""

Currency = Literal["CNY"]
"""ISO 4217 code of the currency that the books are kept in."""

CNY: Currency = "CNY"

AMOUNT_MAX = 10**12
"""Ten billion yuan. No community charity moves more at once; a longer figure is a typing slip."""

BASIS_POINTS = 10_000
"""Parts that a rate is counted in: 150 is 1.5 %."""


def positive(amount: int, field: str = "amount") -> Fen:
    """Return ``amount`` if it can be money that moves; refuse it by ``field``'s name if not."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise Invalid(field, "must be a whole number of fen, not {amount}", amount=repr(amount))
    if not 0 < amount <= AMOUNT_MAX:
        raise Invalid(
            field, "must be from 1 to {most} fen, not {amount}", most=AMOUNT_MAX, amount=amount
        )
    return Fen(amount)


def fee(base: int, rate_bp: int) -> int:
    """Return ``rate_bp`` basis points of ``base`` fen, half a fen rounded up.

    >>> fee(19_767_200, 60)  # 1,186.032 yuan
    118603
    >>> fee(50, 100)  # exactly half a fen
    1

    """
    return (base * rate_bp + BASIS_POINTS // 2) // BASIS_POINTS


def yuan(fen: int) -> str:
    """Write ``fen`` the way a statement shows it, exact to the fen.

    >>> yuan(1_797_089)
    '17,970.89'
    >>> yuan(-5)
    '-0.05'

    """
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


class Amount(int):
    """An amount as a fact of a refusal: whole fen, which a sentence writes in yuan.

    >>> f"{Amount(1_797_089)} yuan"
    '17,970.89 yuan'

    """

    __slots__ = ()

    def __format__(self, _: str) -> str:
        """Write it as a statement shows it."""
        return yuan(self)
