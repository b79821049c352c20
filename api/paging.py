"""Lists come as pages; a cursor keeps the filters and the size of the page it continues."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import Query
from msgspec import Struct

from ledger.errors import Invalid

LIMIT = 100
LIMIT_MAX = 1000

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows on a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=2000, description="The next of the page before; it keeps the filters."),
]


class Asked(Struct, frozen=True):
    """What page is wanted: what follows ``after``, of so many rows, filtered so.

    Attributes:
        after: The position of the last row already seen.
        limit: Rows on the page.
        filters: As the query names them; only those that were given.

    """

    after: int
    limit: int
    filters: dict[str, str]

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


_read = msgspec.json.Decoder(Asked).decode


def asked(cursor: str | None, limit: int, **filters: object) -> Asked:
    """Return what page is wanted: that of the cursor, or the first."""
    given = {name: str(value) for name, value in filters.items() if value is not None}
    if cursor is None:
        return Asked(0, limit, given)
    try:
        found = _read(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise Invalid("cursor", "is not one that this ledger gave out") from None
    if not 0 <= found.after < 2**63 or not 1 <= found.limit <= LIMIT_MAX:
        raise Invalid("cursor", "is not one that this ledger gave out")
    if given and given != found.filters:
        raise Invalid("cursor", "continues a list with other filters")
    return found
