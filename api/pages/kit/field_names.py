"""Names of fields, for refusals of one of them: as people call it, by its name in a request."""

from __future__ import annotations

from collections import ChainMap
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
    "lines": marked("The lines of the order"),
    "name": marked("The name"),
    "net_proceeds": marked("Net proceeds"),
    "note": marked("Note"),
    "old": marked("The old password"),
    "on": marked("Business day"),
    "order_no": marked("The order number"),
    "organisation": marked("Organisation"),
    "partner_fee": marked("The partner's fee"),
    "parts": marked("The number of instalments"),
    "party": marked("The party"),
    "password": marked("Password"),
    "payee": marked("Payee"),
    "payment": marked("The payment"),
    "payee_kind": marked("The kind of payee"),
    "phone": marked("Telephone"),
    "placed_at": marked("The time of the order"),
    "public": marked("The promise in public"),
    "purpose": marked("Purpose"),
    "quantity": marked("The quantity"),
    "reason": marked("Reason"),
    "received_on": marked("Received on"),
    "ref": marked("The sender's reference"),
    "refund": marked("The refund"),
    "refunds": marked("Refunds"),
    "return_no": marked("The number of the return"),
    "returned_on": marked("Returned on"),
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
    of_things = (thing.fields for each in forms() for thing in each.things)
    titles = ChainMap(*(dict(each.labels) for each in forms()), *map(dict, of_things))
    return {name.rpartition(".")[2]: titles[name] for name in titles if ":" not in name}


def name_of(field: str) -> str | None:
    """Return what a field is called, to be translated; nothing if it is none of ours.

    A part of another field goes by its own name.

    >>> name_of("payee.name"), name_of("instalments.0.amount"), name_of("sale_id")
    ('The name', 'The amount', 'Which sale')

    """
    own = field.rpartition(".")[2]
    return FIELDS.get(own) or _of_nouns().get(own)
