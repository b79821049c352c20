"""Forms of ``/v1/sales``: what they say, and how a sale is chosen."""

from __future__ import annotations

from api.kernel.forms import Forms
from api.kernel.texts import marked
from api.kernel.things import Match, Search, Thing
from projections.views.sales import Sales, find_sales

STATES = {
    "planned": marked("Planned"),
    "open": marked("On sale now"),
    "ended": marked("Ended; goods may still be returned"),
    "settled": marked("Settled"),
}


def _matches(search: Search) -> list[Match]:
    with search.desk.read(Sales) as reading:
        rows = find_sales(reading.connection, search.criteria, sale=search.own)
    return [
        Match(
            each["sale"],
            each["name"],
            (each["partner"], f"{each['starts_on']} – {each['ends_on']}", each["fund"]),
            STATES[each["state"]],
        )
        for each in rows
    ]


FORMS = Forms(
    "sales",
    marked("Charity sales"),
    things=(Thing("sales", {"sale_id": marked("Which sale"), "sale": marked("Sale")}, _matches),),
    labels={
        "new:name": marked("Name of the sale"),
        "starts_on": marked("First day"),
        "ends_on": marked("Last day"),
        "agreed_on": marked("Agreed on"),
        "partner": marked("Partner"),
        "return_days": marked("Days in which goods can be returned"),
        "partner_fee_bp": marked("Fee of the partner, in percent"),
        "channel_fee_bp": marked("Fee of the payment channel, in percent"),
        "plan_filing": marked("Number of the fundraising plan on file"),
        "items": marked("Goods"),
        "items.sku": marked("Number of the goods"),
        "items.name": marked("What they are"),
        "items.consigned": marked("Pieces"),
        "items.unit_price": marked("Price of a piece, in yuan"),
        "gross": marked("Gross, in yuan"),
        "refunds": marked("Refunds, in yuan"),
        "partner_fee": marked("Fee of the partner, in yuan"),
        "channel_fee": marked("Fee of the payment channel, in yuan"),
        "net_proceeds": marked("To be remitted, in yuan"),
    },
    hints={
        "return_days": marked("After the last day of the sale."),
        "orders:lines": marked("One order a line, as JSON, as the partner's system writes it."),
        "returns:lines": marked("One return a line, as JSON, as the partner's system writes it."),
    },
)
