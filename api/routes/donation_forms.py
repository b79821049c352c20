"""Forms of ``/v1/donations``: what they say, and how a pledge is chosen."""

from __future__ import annotations

from typing import Any

from api.kernel.forms import Forms
from api.kernel.texts import marked
from api.kernel.things import NAMES_DONORS, Match, Search, Thing, short, some
from projections.views.donations import Donations, find_donations

ABOUT_EXCESS = "donations/excess"

STATES = {
    "pledged": marked("Promised"),
    "partially-settled": marked("Partly received"),
    "fulfilled": marked("Fulfilled"),
    "withdrawn": marked("Withdrawn"),
}

CAUSES = {
    "duplicate": marked("Paid twice"),
    "error": marked("Paid in error"),
    "donor_or_law": marked("The donor's, or the law asks for it"),
    "own_fault": marked("Our own fault"),
}

DECISIONS = {
    "give": marked("Give it as well"),
    "return": marked("Have it back"),
}


def _matches(search: Search) -> list[Match]:
    with search.desk.read(Donations) as reading:
        rows = find_donations(
            reading.connection,
            search.criteria,
            donor=search.own,
            donors=search.donors(),
            in_suspense=search.operation == ABOUT_EXCESS,
        )
    return [_match(search, each) for each in rows]


def _match(search: Search, row: dict[str, Any]) -> Match:
    donor = search.details_of(row["donor"]).get("name") if search.may(NAMES_DONORS) else None
    details = some((str(row["pledged_on"]), row["fund"], row["note"], short(row["donation"])))
    title = donor or row["name"] or row["fund"]
    return Match(row["donation"], title, details, STATES[row["state"]], row["amount"])


FORMS = Forms(
    "donations",
    marked("Pledges and payments"),
    things=(Thing("donations", {"donation_id": marked("Which pledge")}, _matches),),
    labels={
        "pledged_on": marked("Promised on"),
        "due_on": marked("Due on"),
        "instalments": marked("Instalments"),
        "public_promise": marked("It was promised in public"),
        "cause": marked("Whose the cause is"),
        "decision": marked("What the donor wants"),
    },
    hints={
        "instalments": marked("Left out, all of it is due at once. Together they make the amount."),
        "public_promise": marked("A promise made in public has to be kept (慈善法 41)."),
        "batch:lines": marked("One pledge a line, as JSON; see the API's documentation."),
    },
    choices=(CAUSES, DECISIONS),
)
