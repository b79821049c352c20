"""Words that pages of several nouns show, in the source language.

What is of one noun alone stands beside its routes.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.kernel.texts import marked
from api.routes import (
    disbursement_forms,
    donation_forms,
    donors,
    funds,
    people,
    relations,
    sale_forms,
)

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
    "same-person": marked("Ask a colleague who has had no part in it yet."),
    "insufficient-funds": marked(
        "Wait until more has come in, or ask for less: the fund's page shows what is available."
    ),
    "fund-frozen": marked("Ask the treasurer why the fund is frozen."),
    "fund-closed": marked("Choose a fund that is open."),
    "wrong-state": marked("Load the page again: it shows what can be done now."),
    "conflict": marked("Load the page again, look at what changed, then decide anew."),
    "idempotency-mismatch": marked("Load the page again and fill in the form once more."),
    "idempotency-key-required": marked("Load the page again and fill in the form once more."),
    "confirmation-differs": marked(
        "Look at the statement that it was found on first; two lines are two payments."
    ),
    "settlement-mismatch": marked(
        "Compare the two columns, then ask the partner for the lines of the figure that differs."
    ),
    "return-window-open": marked("Settle it once the last day for returns is over."),
    "processing-stopped": marked("Write to the charity if you want your details used again."),
    "money-is-owed": marked("Have the open pledge paid or withdrawn first, then ask again."),
    "public-promise-binds": marked("Talk to the charity: the law knows of hardship (民法典 666)."),
}
"""What a reader can do about a problem, by its name."""

WHAT_NEXT_OTHERWISE = marked(
    "Go back and try again; if it stays so, tell the people of the charity."
)

MONEY_KINDS: Mapping[str, str] = {
    "gift": marked("Gift received"),
    "remittance": marked("Remitted by a sale partner"),
    "payout": marked("Paid out as aid"),
}
"""The kinds of money that are found again on statements."""

CHANNELS: Mapping[str, str] = {
    "bank": marked("Bank"),
    "wechat": marked("WeChat Pay"),
    "alipay": marked("Alipay"),
    "cash": marked("Cash"),
}
"""How money comes in and goes out."""

STATEMENT_FIGURES: Mapping[str, str] = {
    "gross": marked("Gross"),
    "refunds": marked("Refunds"),
    "partner_fee": marked("Fee of the partner"),
    "channel_fee": marked("Fee of the payment channel"),
    "net_proceeds": marked("To be remitted"),
}
"""The figures on which both sides of a charity sale agree."""

LINE_KINDS: Mapping[str, str] = {
    "pledge": marked("A promise was made"),
    "payment": marked("Payment received"),
    "confirmation": marked("The payment was found on the bank's statement"),
    "withdrawal": marked("Rest of the promise taken back"),
    "refund": marked("Sent back to the donor"),
    "excess-given": marked("Paid beyond the promise, then given"),
    "excess-returned": marked("Paid beyond the promise, sent back"),
}
"""What can happen to a pledge."""

LABELS: Mapping[str, Mapping[str, str]] = {
    "kinds": KINDS,
    "figure_names": FIGURES,
    "sale_states": sale_forms.STATES,
    "fund_states": funds.STATES,
    "restrictions": funds.RESTRICTIONS,
    "roles": people.ROLES,
    "aid_states": disbursement_forms.STATES,
    "payee_kinds": disbursement_forms.PAYEE_KINDS,
    "money_kinds": MONEY_KINDS,
    "channels": CHANNELS,
    "relation_kinds": relations.KINDS,
    "donation_states": donation_forms.STATES,
    "statement_figures": STATEMENT_FIGURES,
    "line_kinds": LINE_KINDS,
    "donor_states": donors.STATES,
}
"""The tables that templates look words up in, by the names that they use."""
