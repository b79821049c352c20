"""Answers in a drawn form, read into the body that the API takes.

Names of fields are those of the body, with dots: ``payee.name``, ``items.0.sku``. How many rows a
list has stands in a field of its own, such as ``items.rows``, so that rows are added and taken out
by buttons alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from api.pages.kit.drawn.fields import Field, Kind
from api.pages.kit.forms import fen_or_none
from ledger.kernel.errors import Invalid
from ledger.kernel.sentences import Sentence

Fields = Mapping[str, str]

ROWS = ".rows"

RATE = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?", re.ASCII)

NUMBER_CHARACTERS_MAX = 12

MISSING = Sentence("fill this in")


class Read:
    """The values read from a form, and their faults.

    Attributes:
        body: What is sent, as JSON has it; what could not be read is not in it.
        faults: What is wrong, by the names of fields.

    """

    def __init__(self, fields: Sequence[Field], form: Fields) -> None:
        self.faults: dict[str, Sentence] = {}
        self.body = self._group(fields, form, "")

    def _group(self, fields: Sequence[Field], form: Fields, prefix: str) -> dict[str, Any]:
        read = {each.name: self._one(each, form, prefix + each.name) for each in fields}
        return {name: value for name, value in read.items() if value is not _ABSENT}

    def _one(self, field: Field, form: Fields, name: str) -> Any:  # noqa: PLR0911  # A table.
        match field.kind:
            case Kind.FIXED:
                return field.choices[0]
            case Kind.FILE:
                return _ABSENT
            case Kind.GROUP:
                return self._group(field.parts, form, f"{name}.")
            case Kind.ROWS:
                rows = range(rows_of(field, form, name))
                return [self._group(field.parts, form, f"{name}.{row}.") for row in rows]
            case Kind.CHOICES:
                return [each for each in field.choices if f"{name}.{each}" in form]
            case Kind.TICK:
                return name in form
        return self._written(field, form, name)

    def _written(self, field: Field, form: Fields, name: str) -> Any:
        text = form.get(name, "").strip()
        if not text:
            if field.optional:
                return None
            self.faults[name] = Sentence("choose one") if field.kind in _CHOSEN else MISSING
            return _ABSENT
        try:
            return _READERS.get(field.kind, _as_it_is)(text, name)
        except Invalid as refusal:
            self.faults[name] = refusal.fault
            return _ABSENT


_ABSENT = object()

_CHOSEN = {Kind.CHOICE, Kind.THING}


def _as_it_is(text: str, name: str) -> str:  # noqa: ARG001  # As the other readers.
    return text


def _money(text: str, name: str) -> int | None:
    return fen_or_none({name: text}, name)


def _rate(text: str, name: str) -> int:
    """Read a rate in percent as basis points.

    >>> _rate("1.5", "fee"), _rate("０.６%", "fee")
    (150, 60)

    """
    match = RATE.fullmatch(_narrow(text).removesuffix("%").strip())
    if match is None:
        raise Invalid(name, "must be a rate in percent such as 1.5")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def _number(text: str, name: str) -> int:
    digits = _narrow(text).replace(",", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > NUMBER_CHARACTERS_MAX:
        raise Invalid(name, "must be a whole number")
    return int(digits)


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


_READERS: Mapping[Kind, Callable[[str, str], Any]] = {
    Kind.MONEY: _money,
    Kind.RATE: _rate,
    Kind.NUMBER: _number,
}


# Rows.


def rows_of(field: Field, form: Fields, name: str) -> int:
    """Return how many rows of a list a form has; at first, as few as allowed."""
    written = form.get(name + ROWS, "")
    if not (written.isascii() and written.isdigit() and len(written) < NUMBER_CHARACTERS_MAX):
        return field.least or 0
    return min(int(written), field.longest or 0)


def without_blank_rows(fields: Sequence[Field], form: Fields) -> dict[str, str]:
    """Return a form without the rows in which nothing was written."""
    kept = dict(form)
    for field in fields:
        if field.kind is Kind.ROWS:
            for row in reversed(range(rows_of(field, kept, field.name))):
                if not any(kept.get(f"{field.name}.{row}.{each.name}") for each in field.parts):
                    kept = without_row(field, kept, row)
    return kept


def with_row(field: Field, form: Fields) -> dict[str, str]:
    """Return a form with one row more of a list."""
    rows = min(rows_of(field, form, field.name) + 1, field.longest or 1)
    return {**form, field.name + ROWS: str(rows)}


def without_row(field: Field, form: Fields, row: int) -> dict[str, str]:
    """Return a form without a row of a list; those after it move up."""
    rows = rows_of(field, form, field.name)
    if not 0 <= row < rows:
        return dict(form)
    kept = {name: text for name, text in form.items() if _row(field, name) is None}
    for name, text in form.items():
        place = _row(field, name)
        if place is not None and place[0] != row:
            moved = place[0] - (place[0] > row)
            kept[f"{field.name}.{moved}.{place[1]}"] = text
    return {**kept, field.name + ROWS: str(rows - 1)}


def _row(field: Field, name: str) -> tuple[int, str] | None:
    """Return in which row of a list a field of a form stands, and as what."""
    match = re.fullmatch(rf"{re.escape(field.name)}\.(\d{{1,6}})\.(.+)", name, re.ASCII)
    return None if match is None else (int(match[1]), match[2])
