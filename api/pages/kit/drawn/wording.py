"""Wording of drawn forms: operations, fields, hints and choices, in the source language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from api.pages.kit.labels import (
    CHANNELS,
    PAYEE_KINDS,
    RELATION_KINDS,
    RESTRICTIONS,
    ROLES,
    marked,
)

THINGS: Mapping[str, str] = {
    "donation_id": "donations",
    "code": "funds",
    "fund": "funds",
    "to": "funds",
    "donor_id": "donors",
    "donor": "donors",
    "sale_id": "sales",
    "sale": "sales",
    "disbursement_id": "disbursements",
    "person_id": "people",
    "token_id": "tokens",
    "party": "payees",
}
"""What kind of thing a field names, which is chosen by searching and never typed."""

NOUNS: Mapping[str, str] = {
    "donations": marked("Pledges and payments"),
    "donors": marked("Donors"),
    "funds": marked("Funds"),
    "sales": marked("Charity sales"),
    "disbursements": marked("Aid"),
    "policies": marked("Rules"),
    "people": marked("People"),
}
"""What operations are grouped under."""

TITLES: Mapping[str, str] = {
    "donations/new": marked("Record a pledge"),
    "donations/batch": marked("Take in a list of pledges"),
    "donations/payments": marked("Record a payment"),
    "donations/payments-confirmation": marked("Confirm a payment by its statement"),
    "donations/withdrawal": marked("Withdraw a pledge"),
    "donations/refunds": marked("Refund a donor"),
    "donations/excess": marked("Decide about money paid beyond a pledge"),
    "donors/new": marked("Register a donor"),
    "donors/restriction": marked("Stop the use of a donor's details"),
    "donors/erasure": marked("Erase a donor's details"),
    "funds/new": marked("Open a fund"),
    "funds/transfers": marked("Move money between funds"),
    "funds/freezing": marked("Freeze a fund"),
    "funds/thawing": marked("Thaw a fund"),
    "funds/closing": marked("Close a fund"),
    "sales/new": marked("Plan a charity sale"),
    "sales/opening": marked("Open a sale"),
    "sales/ending": marked("End a sale"),
    "sales/settlement": marked("Settle a sale"),
    "sales/remittances": marked("Record a remittance"),
    "sales/remittances-confirmation": marked("Confirm a remittance by its statement"),
    "sales/orders": marked("Take in a partner's orders"),
    "sales/returns": marked("Take in returned goods"),
    "disbursements/new": marked("Ask for aid"),
    "disbursements/approvals": marked("Approve aid"),
    "disbursements/rejection": marked("Turn down a request"),
    "disbursements/cancellation": marked("Call off a request"),
    "disbursements/payment": marked("Record the payment of aid"),
    "disbursements/payment-confirmation": marked("Confirm a payout by its statement"),
    "disbursements/bounce": marked("Record that a payment bounced"),
    "disbursements/returns": marked("Record money that a payee gave back"),
    "disbursements/acknowledgement": marked("Record that the payee signed"),
    "policies/approval": marked("Set how many people approve"),
    "people/relations": marked("Declare a relation of your own"),
    "people/new": marked("Add a person"),
    "people/roles": marked("Give roles to a person"),
    "people/roles-withdrawal": marked("Take roles from a person"),
    "people/disabling": marked("Shut a person out for good"),
    "people/tokens": marked("Make a token for a program"),
    "people/tokens-revocation": marked("Revoke a token"),
    "people/tokens-rotation": marked("Replace a token by a new one"),
}
"""What an operation is called."""

LABELS: Mapping[str, str] = {
    "donation_id": marked("Which pledge"),
    "code": marked("Which fund"),
    "donor_id": marked("Which donor"),
    "sale_id": marked("Which sale"),
    "disbursement_id": marked("Which request"),
    "person_id": marked("Which person"),
    "token_id": marked("Which token"),
    "amount": marked("Amount, in yuan"),
    "donor": marked("Donor"),
    "fund": marked("Fund"),
    "to": marked("To which fund"),
    "sale": marked("Sale"),
    "party": marked("To which payee"),
    "on": marked("Business day"),
    "pledged_on": marked("Promised on"),
    "due_on": marked("Due on"),
    "received_on": marked("Received on"),
    "paid_on": marked("Paid on"),
    "requested_on": marked("Asked for on"),
    "agreed_on": marked("Agreed on"),
    "starts_on": marked("First day"),
    "ends_on": marked("Last day"),
    "effective_from": marked("In force from"),
    "until": marked("To be kept until"),
    "instalments": marked("Instalments"),
    "public_promise": marked("It was promised in public"),
    "note": marked("Note"),
    "channel": marked("How it was paid"),
    "external_ref": marked("Reference of the bank or platform"),
    "statement_ref": marked("Number of the statement"),
    "reason": marked("Reason"),
    "cause": marked("Whose the cause is"),
    "decision": marked("What the donor wants"),
    "basis": marked("Basis"),
    "funds/new:code": marked("Code"),
    "name": marked("Name"),
    "funds/new:name": marked("Name of the fund"),
    "sales/new:name": marked("Name of the sale"),
    "phone": marked("Telephone"),
    "email": marked("E-mail"),
    "anonymous": marked("Not named in public"),
    "restriction": marked("Kind of fund"),
    "purpose": marked("Purpose"),
    "grid": marked("Grid"),
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
    "payee": marked("Payee"),
    "payee.kind": marked("What the payee is"),
    "payee.name": marked("Name of the payee"),
    "by": marked("Signed by"),
    "one_approval_up_to": marked("One approval up to, in yuan"),
    "three_approvals_above": marked("Three approvals above, in yuan"),
    "organisation": marked("To which organisation"),
    "relation": marked("How"),
    "roles": marked("Roles"),
    "days": marked("Days for which it lasts"),
    "overlap_hours": marked("Hours for which the old one still works"),
    "people/tokens:name": marked("What it is for"),
    "lines": marked("File of lines"),
}
"""What a field is called, by its operation and name, its whole name or its last part."""

HINTS: Mapping[str, str] = {
    "purpose": marked(
        "It stands in the history for good and is read by everybody: name nobody in it."
    ),
    "reason": marked("It stands in the history for good: name nobody in it."),
    "note": marked("It stands in the history for good: name nobody in it."),
    "external_ref": marked("As the bank or platform writes it, such as BK-0120."),
    "statement_ref": marked("As the bank or platform writes it, such as 2026-04/17."),
    "funds/new:code": marked("Capital letters and digits with hyphens, such as F-HEAR."),
    "funds/transfers:basis": marked(
        "Which consent or resolution allows it; a restricted fund needs one."
    ),
    "policies/approval:basis": marked("Which resolution says so."),
    "three_approvals_above": marked("Left empty, no amount takes three."),
    "effective_from": marked("Left empty, it is in force from today."),
    "instalments": marked("Left out, all of it is due at once. Together they make the amount."),
    "public_promise": marked("A promise made in public has to be kept (慈善法 41)."),
    "donors/new:name": marked("Kept sealed and apart from the history."),
    "payee.name": marked("A person's name is kept sealed and apart from the history."),
    "by": marked("The name is kept sealed and apart from the history."),
    "people/new:name": marked("Kept sealed and apart from the history."),
    "organisation": marked("Its whole name, as anybody spells it; or choose a person below."),
    "party": marked("If it is a person who is to be paid: choose the request for them."),
    "people/tokens:donor": marked("Only for a token in the role of a donor."),
    "people/tokens:sale": marked("Only for a token in the role of a sale partner."),
    "until": marked("Only if the law has them kept for a time."),
    "return_days": marked("After the last day of the sale."),
    "donations/batch:lines": marked("One pledge a line, as JSON; see the API's documentation."),
    "sales/orders:lines": marked("One order a line, as JSON, as the partner's system writes it."),
    "sales/returns:lines": marked("One return a line, as JSON, as the partner's system writes it."),
}
"""What else there is to say of a field, by the same names."""

CAUSES: Mapping[str, str] = {
    "duplicate": marked("Paid twice"),
    "error": marked("Paid in error"),
    "donor_or_law": marked("The donor's, or the law asks for it"),
    "own_fault": marked("Our own fault"),
}

DECISIONS: Mapping[str, str] = {
    "give": marked("Give it as well"),
    "return": marked("Have it back"),
}

RESTRICTION_BASES: Mapping[str, str] = {
    "donor-request": marked("The donor asked for it"),
    "statutory-retention": marked("The law has them kept for a time"),
}

ERASURE_BASES: Mapping[str, str] = {
    "consent-withdrawn": marked("Consent was withdrawn"),
    "purpose-achieved": marked("Their purpose was achieved"),
    "retention-expired": marked("They had to be kept no longer"),
    "unlawful-processing": marked("They were kept without right"),
}

ERASURE_REASONS: Mapping[str, str] = {
    "asked-by-donor": marked("The donor asked"),
    "asked-by-relative": marked("A relative asked"),
    "found-by-charity": marked("The charity found it itself"),
}

LINE_CODES: Mapping[str, str] = {
    "line.malformed": marked("It is no JSON object of the agreed shape."),
    "amount.invalid": marked("An amount is no whole, positive number of fen."),
    "date.invalid": marked("A day is none of the calendar, or after today."),
    "order.conflict": marked("It was recorded before, with something else in it."),
    "order.unknown": marked("Nothing was ordered under this number."),
    "sku.unknown": marked("The goods are not in the catalogue of the sale."),
    "quantity.invalid": marked("A quantity is no whole, positive number of pieces."),
    "price.mismatch": marked("The price is not the listed one."),
    "return.exceeds-sold": marked("More comes back than was sold."),
    "return.window-closed": marked("It comes back after the agreed days."),
    "oversold": marked("More is sold than was put with the partner."),
    "pledge.conflict": marked("It was recorded before under this ref, with something else in it."),
    "donor.unknown": marked("No donor is registered under this id."),
    "donor.processing-stopped": marked("The donor's details are restricted or erased."),
    "fund.unknown": marked("No fund has this code."),
    "fund.closed": marked("The fund is closed."),
    "payment.counted": marked("The payment was counted before."),
    "role.forbidden": marked("A payment is a cashier's to record."),
}
"""Why a line was not taken in, by its code."""

TABLES = (
    CHANNELS,
    PAYEE_KINDS,
    RELATION_KINDS,
    RESTRICTIONS,
    ROLES,
    CAUSES,
    DECISIONS,
    RESTRICTION_BASES,
    ERASURE_BASES,
    ERASURE_REASONS,
)
"""What choices are called; a list of choices is that of the table which has all of them."""


def label_of(path: str) -> str:
    """Return what a field is called; its operation stands before the colon.

    Raises:
        LookupError: It has no name here.

    """
    label = _looked_up(LABELS, path)
    if label is None:
        raise LookupError(f"no label for {path}")
    return label


def hint_of(path: str) -> str | None:
    """Return what else there is to say of a field, if anything."""
    return _looked_up(HINTS, path)


def _looked_up(table: Mapping[str, str], path: str) -> str | None:
    whole = path.partition(":")[2]
    for name in (path, whole, whole.rpartition(".")[2]):
        if name in table:
            return table[name]
    return None


def choices_of(words: Iterable[str]) -> Mapping[str, str]:
    """Return what choices are called.

    Raises:
        LookupError: No table has all of them.

    """
    chosen = list(words)
    for table in TABLES:
        if table.keys() >= set(chosen):
            return {word: table[word] for word in chosen}
    raise LookupError(f"no names for {chosen}")
