"""Forms of ``/v1/disbursements``: what they say, and how a request or a payee is chosen."""

from __future__ import annotations

from typing import Any

from api.kernel.forms import Forms
from api.kernel.texts import marked
from api.kernel.things import Match, Search, Thing, short, some
from ledger.kernel.roles import Role
from projections.views.disbursements import Disbursements, find_disbursements

STATES = {
    "requested": marked("Waits for approval"),
    "partly-approved": marked("Waits for another approval"),
    "approved": marked("Approved; to be paid"),
    "paid": marked("Paid; not yet signed for"),
    "acknowledged": marked("Signed for"),
    "returned": marked("Given back"),
    "rejected": marked("Turned down"),
    "cancelled": marked("Called off"),
}

PAYEE_KINDS = {
    "organisation": marked("Organisation"),
    "supplier": marked("Supplier"),
    "person": marked("A person"),
}

NAMES_PAYEES = frozenset({Role.CLERK, Role.APPROVER, Role.CASHIER})


def _matches(search: Search) -> list[Match]:
    with search.desk.read(Disbursements) as reading:
        rows = find_disbursements(reading.connection, search.criteria)
    return [_match(search, each, each["disbursement"]) for each in rows]


def _payees(search: Search) -> list[Match]:
    """Return persons who are to be paid, each by the request for them."""
    with search.desk.read(Disbursements) as reading:
        rows = find_disbursements(reading.connection, search.criteria, to_persons=True)
    return [_match(search, each, each["payee"]) for each in rows]


def _match(search: Search, row: dict[str, Any], value: str) -> Match:
    name = row["payee_name"]
    if name is None and search.may(NAMES_PAYEES):
        name = search.details_of(row["payee"]).get("name")
    place = (str(row["requested_on"]), row["fund"], row["purpose"], row["grid"])
    details = some((*place, short(row["disbursement"])))
    return Match(value, name or row["purpose"], details, STATES[row["state"]], row["amount"])


FORMS = Forms(
    "disbursements",
    marked("Aid"),
    things=(
        Thing("disbursements", {"disbursement_id": marked("Which request")}, _matches),
        Thing("payees", {"party": marked("To which payee")}, _payees),
    ),
    labels={
        "requested_on": marked("Asked for on"),
        "paid_on": marked("Paid on"),
        "grid": marked("Grid"),
        "payee": marked("Payee"),
        "payee.kind": marked("What the payee is"),
        "payee.name": marked("Name of the payee"),
        "by": marked("Signed by"),
    },
    hints={
        "payee.name": marked("A person's name is kept sealed and apart from the history."),
        "by": marked("The name is kept sealed and apart from the history."),
    },
    choices=(PAYEE_KINDS,),
)
