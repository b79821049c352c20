"""Lists come as pages; a cursor keeps the filters and the size of the page it continues."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from fastapi import Query
from msgspec import Struct

from ledger.kernel.errors import Invalid

V = TypeVar("V")

LIMIT = 100
LIMIT_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows on a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="The next of the page before; it keeps the filters."),
]


class ListQuery(Struct, frozen=True):
    """A query for one page of a list: the rows after ``after``, that match the filters.

    Attributes:
        of: Which list.
        after: The position of the last row already seen.
        limit: Rows on the page.
        filters: As the query names them; only those that were given.

    """

    of: str
    after: int
    limit: int
    filters: dict[str, str]

    def day(self, name: str) -> date | None:
        """Return the business day that the list is filtered by, if it is."""
        return self._filter(name, date.fromisoformat)

    def id(self, name: str) -> UUID | None:
        """Return the id that the list is filtered by, if it is."""
        return self._filter(name, UUID)

    def _filter(self, name: str, read: Callable[[str], V]) -> V | None:
        if name not in self.filters:
            return None
        try:
            return read(self.filters[name])
        except ValueError:
            raise _not_ours() from None

    def page(
        self, rows: Sequence[Mapping[str, Any]], place: Callable[[Mapping[str, Any]], int]
    ) -> dict[str, Any]:
        """Return one page of ``rows``, which were asked for with one more than fits on it."""
        items = rows[: self.limit]
        following = None
        if len(rows) > self.limit:
            following = msgspec.structs.replace(self, after=place(items[-1])).cursor()
        return {"items": items, "next": following}

    def cursor(self) -> str:
        """Write down where to go on."""
        return urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


_read = msgspec.json.Decoder(ListQuery).decode


def list_query(of: str, cursor: str | None, limit: int, **filters: object) -> ListQuery:
    """Return the query for a page of the list ``of``: the cursor's, or the first."""
    given = {name: str(value) for name, value in filters.items() if value is not None}
    if cursor is None:
        return ListQuery(of, 0, limit, given)
    try:
        query = _read(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise _not_ours() from None
    if not 0 <= query.after < 2**63 or not 1 <= query.limit <= LIMIT_MAX:
        raise _not_ours()
    if query.of != of or not query.filters.keys() <= filters.keys():
        raise Invalid("cursor", "belongs to another list")
    if given and given != query.filters:
        raise Invalid("cursor", "belongs to a list with other filters")
    return query


def _not_ours() -> Invalid:
    return Invalid("cursor", "was not issued by this ledger")
