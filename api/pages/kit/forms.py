"""What people write into fields of forms, read as strictly as what programs send."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from ledger.kernel.errors import Invalid
from ledger.kernel.money import AMOUNT_MAX
from ledger.kernel.wording import printable

YUAN = re.compile(r"(\d{1,3}(?:,\d{3})+|\d{1,11})(?:\.(\d{1,2}))?", re.ASCII)


def fen(said: Mapping[str, str], name: str = "amount") -> int:
    """Read an amount as people write it, in yuan; wide digits and a sign of the currency are fine.

    >>> fen({"amount": "¥1,234.5"}), fen({"amount": "１２元"})
    (123450, 1200)

    Raises:
        Invalid: It is no amount of money, or is finer than a fen.

    """
    amount = fen_or_none(said, name)
    if not amount:
        raise Invalid(name, "must be above zero")
    return amount


def fen_or_none(said: Mapping[str, str], name: str) -> int | None:
    """Read an amount that may be zero, or nothing where nothing is said."""
    written = unicodedata.normalize("NFKC", said.get(name, "")).strip().strip("¥元").strip()
    if not written:
        return None
    found = YUAN.fullmatch(written)
    if found is None:
        raise Invalid(name, "must be an amount in yuan such as 100 or 1,234.50")
    whole, part = found[1].replace(",", ""), (found[2] or "").ljust(2, "0")
    amount = int(whole) * 100 + int(part)
    if amount > AMOUNT_MAX:
        raise Invalid(name, "is more than any community charity moves at once")
    return amount


def day(said: str, name: str) -> date | None:
    """Read a business day of an address; nothing, where nothing is said.

    Raises:
        Invalid: It is no day.

    """
    if not said:
        return None
    try:
        found = date.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or found.isoformat() != said:  # It also reads 20260320 and 2026-W12-5.
        raise Invalid(name, "must be a day such as 2026-03-20")
    return found


def on_day(said: Mapping[str, str], name: str = "on") -> date:
    """Read a day that has to be said."""
    found = day(said.get(name, ""), name)
    if found is None:
        raise Invalid(name, "must be a day such as 2026-03-20")
    return found


def text(said: Mapping[str, str], name: str) -> str:
    """Read words that have to be said."""
    return printable(said.get(name, "").strip(), name)


def one_of(said: Mapping[str, str], name: str, kind: object) -> Any:
    """Read one of the words of a literal type.

    >>> from ledger.aggregates.donors import RestrictionBasis
    >>> one_of({"basis": "donor-request"}, "basis", RestrictionBasis)
    'donor-request'

    """
    found = said.get(name, "")
    if found not in get_args(kind):
        raise Invalid(name, "choose one")
    return found


def ticked(said: Mapping[str, str], name: str) -> bool:
    """Say whether a box is ticked."""
    return name in said
