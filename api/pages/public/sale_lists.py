"""Lists of charity sales: all of them, the goods of one, and what waits to be settled."""

from __future__ import annotations

from typing import Any

from api.kernel.texts import marked
from api.pages.kit.columns import Column
from api.pages.kit.lists import ListPage
from api.pages.kit.rows import Selected, Whole
from api.routes.sale_forms import STATES as SALE_STATES
from projections.exports.tables import Kind
from projections.views.inbox import ToSettle, to_settle
from projections.views.sales import Sales, every_sale, with_fees

SALES = ListPage[dict[str, Any]](
    name="sales",
    title=marked("Charity sales"),
    lead=marked(
        "Goods given to be sold for a fund. What is returned lowers the total; what the partner"
        " owes is settled to the fen."
    ),
    view=Sales,
    rows=Selected(lambda _: every_sale(), "number", lambda _, rows: with_fees(rows)),
    order="-number",
    size=20,
    none=marked("No sale has been planned yet."),
    later=marked("Earlier sales"),
    columns=(
        Column(
            name="name",
            title=marked("Sale"),
            link=lambda row: f"/sales/{row['id']}",
            heads=True,
            notes=("starts_on",),
        ),
        Column(name="partner", title=marked("Sold by"), on_page=False),
        Column(name="starts_on", title=marked("From day"), kind=Kind.DAY, on_page=False),
        Column(name="ends_on", title=marked("To day"), kind=Kind.DAY, on_page=False),
        Column(name="fund", title=marked("Fund"), on_page=False),
        Column(
            name="state",
            title=marked("State"),
            kind=Kind.CODE,
            words=SALE_STATES,
            sortable=True,
        ),
        Column(name="gross", title=marked("Gross"), kind=Kind.AMOUNT, sortable=True),
        Column(name="refunds", title=marked("Refunds"), kind=Kind.AMOUNT, sortable=True),
        Column(name="net_sales", title=marked("Net"), kind=Kind.AMOUNT),
        Column(
            name="net_proceeds", title=marked("To be remitted"), kind=Kind.AMOUNT, on_page=False
        ),
        Column(name="remitted", title=marked("Remitted so far"), kind=Kind.AMOUNT, on_page=False),
    ),
)

GOODS = ListPage[dict[str, Any]](
    name="goods",
    title=marked("Goods"),
    view=Sales,
    rows=Whole(lambda query: query.given["sale"](query.reading.connection)["items"]),
    columns=(
        Column(name="sku", title=marked("Number"), on_page=False),
        Column(name="name", title=marked("Goods"), heads=True, notes=("sku",)),
        Column(name="unit_price", title=marked("Price"), kind=Kind.AMOUNT, sortable=True),
        Column(name="consigned", title=marked("Offered"), kind=Kind.NUMBER, sortable=True),
        Column(name="sold", title=marked("Sold"), kind=Kind.NUMBER, sortable=True),
        Column(name="returned", title=marked("Returned"), kind=Kind.NUMBER, sortable=True),
    ),
)

TO_SETTLE = ListPage[ToSettle](
    name="sales-to-settle",
    title=marked("Sales to settle"),
    view=Sales,
    rows=Whole(lambda query: to_settle(query.reading.connection)),
    section="#sales",
    none=marked("Every sale that ended is settled and paid."),
    columns=(
        Column(
            name="name",
            title=marked("Sale"),
            link=lambda row: f"/desk/sales/{row.sale}",
            heads=True,
        ),
        Column(name="state", title=marked("State"), kind=Kind.CODE, words=SALE_STATES),
        Column(name="from_on", title=marked("Settle from"), kind=Kind.DAY, on_page=False),
        Column(name="amount", title=marked("Due, yuan"), kind=Kind.AMOUNT),
    ),
)
