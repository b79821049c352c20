"""Names of fields, for refusals of one of them: as people call it, by its name in a request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from api.kernel.texts import marked
from api.routes.every import forms

FIELDS: Mapping[str, str] = {
    "account": marked("The account"),
    "address": marked("Address"),
    "again": marked("The password, repeated"),
    "amount": marked("The amount"),
    "at": marked("The instant"),
    "basis": marked("Basis"),
    "body": marked("The content of the request"),
    "by": marked("Signed by"),
    "channel": marked("The channel of payment"),
    "channel_fee": marked("The channel's fee"),
    "code": marked("Code"),
    "currency": marked("The currency"),
    "description": marked("The description"),
    "donor": marked("Donor"),
    "email": marked("E-mail"),
    "external_ref": marked("Payment reference"),
    "first": marked("The first instalment's day"),
    "from": marked("From (day)"),
    "fund": marked("Fund"),
    "gross": marked("Gross"),
    "key": marked("The form's key"),
    "kind": marked("The kind"),
    "name": marked("The name"),
    "net_proceeds": marked("Net proceeds"),
    "note": marked("Note"),
    "old": marked("The old password"),
    "on": marked("Business day"),
    "organisation": marked("Organisation"),
    "partner_fee": marked("The partner's fee"),
    "parts": marked("The number of instalments"),
    "party": marked("The party"),
    "password": marked("Password"),
    "payee": marked("Payee"),
    "payee_kind": marked("The kind of payee"),
    "phone": marked("Telephone"),
    "public": marked("The promise in public"),
    "purpose": marked("Purpose"),
    "reason": marked("Reason"),
    "received_on": marked("Received on"),
    "refunds": marked("Refunds"),
    "sale": marked("Sale"),
    "state": marked("State"),
    "statement_ref": marked("The statement's number"),
    "to": marked("To (day or fund)"),
    "trust": marked("The trust policy"),
    "until": marked("The last day"),
}
"""What fields are called that several nouns have, or none."""


@cache
def _of_nouns() -> Mapping[str, str]:
    """Return what nouns call their fields beside their routes, by the last part of each name."""
    named = {
        name: title
        for each in forms()
        for thing in each.things
        for name, title in thing.fields.items()
    }
    labels = {
        name: title for each in forms() for name, title in each.labels.items() if ":" not in name
    }
    return {name.rpartition(".")[2]: title for name, title in (named | labels).items()}


def name_of(field: str) -> str | None:
    """Return what a field is called, to be translated; nothing if it is none of ours.

    A part of another field goes by its own name.

    >>> name_of("payee.name"), name_of("instalments.0.amount"), name_of("sale_id")
    ('The name', 'The amount', 'Which sale')

    """
    own = field.rpartition(".")[2]
    return FIELDS.get(own) or _of_nouns().get(own)
