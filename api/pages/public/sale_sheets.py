"""Charity sales as files: all of them, the goods of one, and what waits to be settled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from fastapi.responses import Response

from api.kernel.desk import Desk
from api.pages.kit.labels import SALE_STATES, marked
from api.pages.kit.languages import language_of, words
from api.pages.kit.readiness import must_be_level
from api.pages.kit.tables import Yuan, sheet
from ledger.kernel.errors import NotFound
from projections.views.inbox import ToSettle
from projections.views.sales import Sales, sale, sales_of_late

SALES_AT_ONCE = 200

SALE_COLUMNS = (
    marked("Sale"),
    marked("Sold by"),
    marked("From day"),
    marked("To day"),
    marked("Fund"),
    marked("State"),
    marked("Gross"),
    marked("Refunds"),
    marked("Net"),
    marked("To be remitted"),
    marked("Remitted so far"),
)

GOODS_COLUMNS = (
    marked("Number"),
    marked("Goods"),
    marked("Price"),
    marked("Offered"),
    marked("Sold"),
    marked("Returned"),
)

SETTLING_COLUMNS = (
    marked("Sale"),
    marked("State"),
    marked("Settle from"),
    marked("Due, yuan"),
)


def all_sales(desk: Desk) -> Response:
    """Return every sale, the newest first."""
    say = words(language_of(desk)).gettext
    rows = (
        (
            row["name"],
            row["partner"],
            row["starts_on"],
            row["ends_on"],
            row["fund"],
            say(SALE_STATES[row["state"]]),
            *(Yuan(row[name]) for name in ("gross", "refunds", "net_sales")),
            *(Yuan(row[name]) for name in ("net_proceeds", "remitted")),
        )
        for row in _sales(desk)
    )
    return sheet("sales", SALE_COLUMNS, rows, say)


def _sales(desk: Desk) -> Iterator[dict[str, Any]]:
    before: int | None = None
    while True:
        with desk.read(Sales) as reading:
            found = sales_of_late(reading.connection, before=before, limit=SALES_AT_ONCE)
        if not found:
            return
        yield from found
        before = found[-1]["position"]


def goods(desk: Desk, sale_id: UUID) -> Response:
    """Return what a sale offered, sold and took back."""
    must_be_level(desk.site)
    with desk.read(Sales) as reading:
        found = sale(reading.connection, str(sale_id))
    if found is None:
        raise NotFound("sale")
    rows = (
        (
            each["sku"],
            each["name"],
            Yuan(each["unit_price"]),
            *(each[name] for name in ("consigned", "sold", "returned")),
        )
        for each in found["items"]
    )
    return sheet("goods", GOODS_COLUMNS, rows, words(language_of(desk)).gettext)


def to_be_settled(desk: Desk, settling: Iterable[ToSettle]) -> Response:
    """Return the sales that wait for a settlement or for money."""
    say = words(language_of(desk)).gettext
    rows = (
        (each.name, say(SALE_STATES[each.state]), each.from_on, Yuan(each.amount))
        for each in settling
    )
    return sheet("sales-to-settle", SETTLING_COLUMNS, rows, say)
