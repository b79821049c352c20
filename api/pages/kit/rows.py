"""Sources of a list's rows: a query by key, all at once, or a page's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct, structs
from sqlalchemy import RowMapping, Select

from api.kernel.desk import Desk, Reading
from api.pages.kit.columns import Column
from projections.kernel.keyset import Key, Range

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

POSITION_MAX = 2**53

WRITTEN_MAX = 300
"""Characters of a key in an address; what lists are sorted by is shorter."""


class ListQuery(Struct, Generic[R], frozen=True):
    """Which part of a list is to be read.

    Attributes:
        desk: Who asks.
        reading: The list's view, at the one position that the answer is as good as.
        given: The filters, and what else the page was given.
        range: Which rows, and in which order.
        column: What they are sorted by, if that is a column.

    """

    desk: Desk
    reading: Reading
    given: dict[str, Any]
    range: Range
    column: Column[R] | None


class Part(Struct, Generic[R_co], frozen=True):
    """Rows that follow one another.

    Attributes:
        rows: The rows.
        following: The key after which the next part begins, if there is one.
        head: What the page alone has before them, as what was carried forward.
        foot: What the page alone has below them, as a total.
        count: How many rows there are in all parts, if that is known.

    """

    rows: Sequence[R_co]
    following: Any = None
    head: Sequence[R_co] = ()
    foot: Sequence[R_co] = ()
    count: int | None = None


class Source(Protocol[R_co]):
    """Where rows come from."""

    rows_at_once: int
    """Rows of a file that are read at a time."""

    in_parts: bool
    """What was recorded after a position is left out, so that all parts are of one state."""

    def part(self, query: ListQuery[Any]) -> Part[R_co]:
        """Return the rows that are asked for."""

    def read_key(self, text: str, column: Column[Any] | None) -> Any:
        """Read a key from an address.

        Raises:
            ValueError: It is none.

        """

    def write_key(self, key: Any) -> str:
        """Write a key into an address."""


class Keyed:
    """A key is a position, after the value that the list is sorted by if that is a column."""

    rows_at_once: int = 500
    in_parts: bool = True

    def read_key(self, text: str, column: Column[Any] | None) -> Key:
        """Read a key from an address."""
        if len(text) > WRITTEN_MAX:
            raise ValueError(text)
        value, tilde, written = text.rpartition("~")
        position = _position(written)
        if column is None or not tilde:
            return Key(position, position)
        return Key(column.read_value(value), position)

    def write_key(self, key: Key) -> str:
        """Write a key into an address."""
        return str(key.position) if key.value == key.position else f"{key.value}~{key.position}"


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= POSITION_MAX):
        raise ValueError(text)
    return int(text[:20])


class Selected(Keyed, Generic[R]):
    """Rows that a database selects, by key.

    Args:
        select: Returns the query of the whole list; its columns are called as those of the list
            that are sortable.
        position: What the query calls the position of a row.
        rows: Returns the rows of what was selected, in its order.

    """

    def __init__(
        self,
        select: Callable[[ListQuery[R]], Select[Any]],
        position: str,
        rows: Callable[[ListQuery[R], Sequence[RowMapping]], Sequence[R]],
    ) -> None:
        self._select, self._position, self._rows = select, position, rows

    def part(self, query: ListQuery[R]) -> Part[R]:
        """Return the rows that are asked for."""
        limit = query.range.limit
        one_more = structs.replace(query.range, limit=limit + 1)
        select = one_more.of(self._select(query), self._position)
        rows = query.reading.connection.execute(select).mappings().all()
        part = rows[:limit]
        following = None
        if len(rows) > limit:
            following = Key(part[-1][query.range.column], part[-1][self._position])
        return Part(self._rows(query, part), following)


class Whole(Keyed, Generic[R]):
    """Rows that are few, or worked out together.

    Args:
        rows: Returns all of them.
        position: Returns where a row was recorded, by which the list is divided into parts;
            without it, it is one part.
        foot: Returns what the page has below them, if there are any.

    """

    def __init__(
        self,
        rows: Callable[[ListQuery[R]], Iterable[R]],
        position: Callable[[R], int] | None = None,
        foot: Callable[[Sequence[R]], Sequence[R]] | None = None,
    ) -> None:
        self._rows, self._position, self._foot = rows, position, foot
        self.in_parts = position is not None
        self.rows_at_once = POSITION_MAX  # They are all there.

    def part(self, query: ListQuery[R]) -> Part[R]:
        """Return the rows that are asked for."""
        rows = list(self._rows(query))
        foot = self._foot(rows) if self._foot is not None and rows else ()
        if self._position is None:
            if query.column is not None:
                rows.sort(key=query.column.value, reverse=query.range.descending)
            return Part(rows, foot=foot, count=len(rows))
        part = self._divided(query, rows, self._position)
        return structs.replace(part, foot=foot, count=len(rows))

    def _divided(
        self, query: ListQuery[R], rows: Sequence[R], position: Callable[[R], int]
    ) -> Part[R]:
        page_range, column = query.range, query.column

        def key(row: R) -> Key:
            place = position(row)
            return Key(place if column is None else column.value(row), place)

        keyed = sorted(((key(row), row) for row in rows), key=_key, reverse=page_range.descending)
        left = [each for each in keyed if _belongs(each[0], page_range)]
        part = left[: page_range.limit]
        following = part[-1][0] if len(left) > len(part) else None
        return Part([row for _, row in part], following)


def _key(keyed: tuple[Key, Any]) -> Key:
    return keyed[0]


def _belongs(key: Key, page_range: Range) -> bool:
    """Say whether the row of ``key`` comes after what was seen, and was there then."""
    if page_range.until is not None and key.position > page_range.until:
        return False
    if page_range.after is None:
        return True
    return key < page_range.after if page_range.descending else key > page_range.after
