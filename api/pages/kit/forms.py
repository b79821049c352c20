"""Fields of forms, read as strictly as the bodies that programs send."""

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


def fen(fields: Mapping[str, str], name: str = "amount") -> int:
    """Read an amount as people write it, in yuan; wide digits and a sign of the currency are fine.

    >>> fen({"amount": "¥1,234.5"}), fen({"amount": "１２元"})
    (123450, 1200)

    Raises:
        Invalid: It is no amount of money, or is finer than a fen.

    """
    amount = fen_or_none(fields, name)
    if not amount:
        raise Invalid(name, "must be above zero")
    return amount


def fen_or_none(fields: Mapping[str, str], name: str) -> int | None:
    """Read an amount that may be zero, or nothing where nothing is said."""
    written = unicodedata.normalize("NFKC", fields.get(name, "")).strip().strip("¥元").strip()
    if not written:
        return None
    match = YUAN.fullmatch(written)
    if match is None:
        raise Invalid(name, "must be an amount in yuan such as 100 or 1,234.50")
    whole, part = match[1].replace(",", ""), (match[2] or "").ljust(2, "0")
    amount = int(whole) * 100 + int(part)
    if amount > AMOUNT_MAX:
        raise Invalid(name, "is more than any community charity moves at once")
    return amount


def day(text: str, name: str) -> date | None:
    """Read a business day of an address; nothing, where nothing is said.

    Raises:
        Invalid: It is no day.

    """
    if not text:
        return None
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.isoformat() != text:  # It also reads 20260320 and 2026-W12-5.
        raise Invalid(name, "must be a day such as 2026-03-20")
    return parsed


def on_day(fields: Mapping[str, str], name: str = "on") -> date:
    """Read a day that has to be said."""
    parsed = day(fields.get(name, ""), name)
    if parsed is None:
        raise Invalid(name, "must be a day such as 2026-03-20")
    return parsed


def text(fields: Mapping[str, str], name: str) -> str:
    """Read words that have to be said."""
    return printable(fields.get(name, "").strip(), name)


def one_of(fields: Mapping[str, str], name: str, kind: object) -> Any:
    """Read one of the words of a literal type.

    >>> from ledger.aggregates.donors import RestrictionBasis
    >>> one_of({"basis": "donor-request"}, "basis", RestrictionBasis)
    'donor-request'

    """
    word = fields.get(name, "")
    if word not in get_args(kind):
        raise Invalid(name, "choose one")
    return word


def ticked(fields: Mapping[str, str], name: str) -> bool:
    """Say whether a box is ticked."""
    return name in fields
