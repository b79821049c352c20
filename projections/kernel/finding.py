"""Rows looked for by what people know of them: a name, an amount, a day, a reference.

Every word of a search has to be met by something of the row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Select, func, or_

Row = dict[str, Any]

FEN_DIGITS = range(3, 16)


class Criteria(NamedTuple):
    """What somebody looks for.

    Attributes:
        words: Each of them has to be met.
        id: Of the one thing that is looked up, if it is known already.
        limit: How many are found at most.
        states: In one of which it has to be; in any, if none is named.

    """

    words: Sequence[str] = ()
    id: str | None = None
    limit: int = 20
    states: Collection[str] | None = None


class OfMoney(NamedTuple):
    """The columns by which something about an amount is looked for."""

    id: Column[str]
    texts: Sequence[Column[str]]
    amount: Column[int]
    day: Column[date]


def rows_of(
    connection: Connection,
    query: Select[Any],
    criteria: Criteria,
    known_by: Column[str],
    state: ColumnElement[str],
) -> list[Row]:
    """Return the first rows of a query: in the states that are named, or the one looked up."""
    if criteria.id is not None:
        query = query.where(known_by == criteria.id)
    if criteria.states is not None:
        query = query.where(state.in_(list(criteria.states)))
    return [dict(row) for row in connection.execute(query.limit(criteria.limit)).mappings()]


def meets(word: str, of: OfMoney) -> ColumnElement[bool]:
    """Say whether a word is part of what is known of a row, or the whole of an amount or a day."""
    met: list[ColumnElement[bool]] = [contained(word, of.texts), is_id(word, of.id)]
    amount, day = _fen(word), _day(word)
    if amount is not None:
        met.append(of.amount == amount)
    if day is not None:
        met.append(of.day == day)
    return or_(*met)


def contained(word: str, columns: Iterable[Column[str]]) -> ColumnElement[bool]:
    """Say whether a word is part of one of these columns, in any case of letters."""
    return or_(*(func.lower(each).contains(word.lower(), autoescape=True) for each in columns))


def is_id(word: str, column: Column[str]) -> ColumnElement[bool]:
    """Say whether a word is an id, which nobody has to type."""
    return column == word.lower()


def _fen(word: str) -> int | None:
    whole, _, part = word.replace(",", "").removeprefix("¥").removesuffix("元").partition(".")
    digits = whole + part.ljust(2, "0")
    if not (digits.isascii() and digits.isdigit() and whole) or len(digits) not in FEN_DIGITS:
        return None
    return int(digits) if len(part) <= 2 else None  # noqa: PLR2004  # Places of a fen.


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None
