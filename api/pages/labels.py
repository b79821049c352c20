"""Words of the program that pages say in the reader's language.

They stand here in the source language; ``marked`` has them found for the catalogues.
"""

from __future__ import annotations

from collections.abc import Mapping


def marked(message: str) -> str:
    """Return ``message``, which is to be translated where it is shown."""
    return message


KINDS: Mapping[str, str] = {
    "donation.payment-received": marked("Gifts that arrived"),
    "donation.excess-given": marked("Paid beyond a pledge, then given"),
    "donation.refunded": marked("Returned to donors"),
    "sale.remitted": marked("Remitted by sale partners"),
    "fund.transferred": marked("Moved between funds"),
    "disbursement.paid": marked("Paid out as aid"),
    "disbursement.bounced": marked("Payments that bounced"),
    "disbursement.returned": marked("Given back by payees"),
}
"""The kinds of events that a statement has lines of."""

FIGURES: Mapping[str, str] = {
    "received": marked("Received"),
    "reserved": marked("Reserved"),
    "paid": marked("Paid"),
    "acknowledged": marked("Acknowledged"),
    "pledged": marked("Promised"),
    "suspense": marked("Waiting for the donor's word"),
    "receivable": marked("Due from sale partners"),
}
"""The figures of a fund."""

SALE_STATES: Mapping[str, str] = {
    "planned": marked("Planned"),
    "open": marked("On sale now"),
    "ended": marked("Ended; goods may still be returned"),
    "settled": marked("Settled"),
}

FUND_STATES: Mapping[str, str] = {
    "open": marked("Open"),
    "frozen": marked("Frozen"),
    "closed": marked("Closed"),
}

RESTRICTIONS: Mapping[str, str] = {
    "restricted": marked("Restricted to its purpose"),
    "unrestricted": marked("Unrestricted"),
}

ROLES: Mapping[str, str] = {
    "donor": marked("Donor"),
    "clerk": marked("Clerk"),
    "approver": marked("Approver"),
    "cashier": marked("Cashier"),
    "bookkeeper": marked("Bookkeeper"),
    "treasurer": marked("Treasurer"),
    "partner": marked("Sale partner"),
    "auditor": marked("Auditor"),
    "admin": marked("Administrator"),
}

WHAT_NEXT: Mapping[str, str] = {
    "not-found": marked(
        "Check the address, or begin at the front page: every fund and sale is linked from there."
    ),
    "invalid-request": marked("Correct what is named below, and ask again."),
    "method-not-allowed": marked("Go back to the page that you came from."),
    "overloaded": marked("Wait a few seconds, then load the page again."),
    "views-away": marked("Wait a few seconds, then load the page again; nothing is lost."),
    "view-stopped": marked(
        "The history itself is whole and goes on; whoever runs this server has been told."
    ),
    "still-reading": marked("This page loads itself again until it is done."),
    "unauthenticated": marked("Sign in, then ask again."),
    "second-factor-required": marked(
        "Open your account, set up the second factor, and sign in with it."
    ),
    "role-forbidden": marked("Ask somebody who has that role."),
}
"""What a reader can do about a problem, by its name."""

WHAT_NEXT_OTHERWISE = marked(
    "Go back and try again; if it stays so, tell the people of the charity."
)

LABELS: Mapping[str, Mapping[str, str]] = {
    "kinds": KINDS,
    "figure_names": FIGURES,
    "sale_states": SALE_STATES,
    "fund_states": FUND_STATES,
    "restrictions": RESTRICTIONS,
    "roles": ROLES,
}
"""The tables that templates look words up in, by the names that they use."""
