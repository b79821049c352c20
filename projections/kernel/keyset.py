"""Pages of a list by key: a page goes on after the last row of the one before, and skips none.

Unlike a number of rows to pass over, a key stays right while rows are added or taken away. Rows of
one value are told apart by where they were recorded, a position, which every list has.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from sqlalchemy import Select, tuple_

S = TypeVar("S", bound=Select[Any])


class Key(NamedTuple):
    """Where a row stands in a list: its value of what the list is sorted by, and its position."""

    value: Any
    position: int


class Range(Struct, frozen=True):
    """Which rows of a list, and in which order.

    Attributes:
        limit: At most so many.
        column: What it is sorted by, as the query calls it.
        descending: The largest first.
        after: Begin after the row of this key.
        until: Only rows recorded at this position or before it.

    """

    limit: int
    column: str
    descending: bool = False
    after: Key | None = None
    until: int | None = None

    def of(self, query: S, position: str) -> S:
        """Return ``query`` restricted to these rows and sorted.

        Args:
            query: Selects the whole list.
            position: What it calls the position of a row. No two rows have the same.

        """
        columns = query.selected_columns
        by, place = columns[self.column], columns[position]
        key = (by,) if self.column == position else (by, place)
        if self.after is not None:
            last = self.after[-len(key) :]
            passed = (
                tuple_(*key) < tuple_(*last) if self.descending else tuple_(*key) > tuple_(*last)
            )
            query = query.where(passed)
        if self.until is not None:
            query = query.where(place <= self.until)
        ordered = [each.desc() if self.descending else each.asc() for each in key]
        return query.order_by(*ordered).limit(self.limit)
