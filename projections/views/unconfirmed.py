"""Money that was recorded, and not yet found on a statement of bank, platform or till."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Index,
    Select,
    String,
    Table,
    func,
    select,
)

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.sales.sale import CharitySale
from ledger.kernel.aggregate import Fact
from projections.kernel.view import METADATA, Batch, View, insert_all, run_all
from projections.views.inbox import Waiting

MoneyKind = Literal["gift", "remittance", "payout"]
"""A donor's payment, what a sale partner paid over, and what was paid out as aid."""

BANK = "bank"
"""What partners pay by, and payees are paid by."""

UNCONFIRMED = Table(
    "unconfirmed",
    METADATA,
    Column("matter", String, primary_key=True),
    Column("channel", String, primary_key=True),
    Column("external_ref", String, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("fund", String, nullable=False),
    Column("on", Date, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("recorded_by", String, nullable=False),
    Index("unconfirmed_by_position", "position"),
)
"""One row a payment, with the position of the event that recorded it. Its key is what it is struck
out by, which takes place while views are made anew as well, when there is no index but of keys.
"""

_FOUND = (
    "DELETE FROM unconfirmed WHERE matter = ? AND channel = ? AND external_ref = ? AND position < ?"
)

_CAME_BACK = "DELETE FROM unconfirmed WHERE matter = ? AND position < ?"
"""What came back undelivered is not looked for; a second payment after it is."""


class Unconfirmed(View):
    """Keeps what is still to be found."""

    name = "unconfirmed"
    tables = (UNCONFIRMED,)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Note each payment, and strike out each that was found or came back."""
        paid = [
            _row(position, fact, *_RECORDED[type(fact)])
            for position, fact in batch
            if type(fact) in _RECORDED
        ]
        confirmations = [
            _named(position, fact) for position, fact in batch if type(fact) in _CONFIRMED
        ]
        back = [
            (str(fact.originator_id), position)
            for position, fact in batch
            if type(fact) is Disbursement.Bounced
        ]
        insert_all(connection, UNCONFIRMED, paid)
        run_all(connection, _FOUND, confirmations)
        run_all(connection, _CAME_BACK, back)


_RECORDED: Mapping[type[Fact], tuple[MoneyKind, str | None]] = {
    Donation.PaymentReceived: ("gift", None),
    CharitySale.Remitted: ("remittance", BANK),
    Disbursement.Paid: ("payout", BANK),
}
"""The events that record money, and the channel of those that do not say it."""

_CONFIRMED: frozenset[type[Fact]] = frozenset(
    {Donation.PaymentConfirmed, CharitySale.RemittanceConfirmed, Disbursement.PaymentConfirmed}
)


def _row(position: int, fact: Any, kind: MoneyKind, channel: str | None) -> tuple[Any, ...]:
    named = (str(fact.originator_id), channel or fact.channel, fact.external_ref)
    return *named, position, kind, fact.fund, fact.on, fact.amount, fact.actor


def _named(position: int, fact: Any) -> tuple[Any, ...]:
    channel = getattr(fact, "channel", BANK)
    return str(fact.originator_id), channel, fact.external_ref, position


def unconfirmed(
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 100,
    kind: str | None = None,
    external_ref: str | None = None,
) -> list[dict[str, Any]]:
    """Return up to ``limit`` payments recorded after position ``after``, oldest first."""
    query = to_confirm(kind, external_ref).where(UNCONFIRMED.c.position > after)
    rows = connection.execute(query.order_by(UNCONFIRMED.c.position).limit(limit)).mappings()
    return [dict(row) for row in rows]


def unconfirmed_at(connection: Connection, position: int) -> dict[str, Any] | None:
    """Return the payment that the event at ``position`` recorded, if it is still to be found."""
    query = select(UNCONFIRMED).where(UNCONFIRMED.c.position == position)
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def to_find(connection: Connection) -> Waiting:
    """Return how many payments are still to be found, and their sum either way."""
    query = select(func.count(), func.sum(UNCONFIRMED.c.amount))
    count, amount = connection.execute(query).one()
    return Waiting(int(count), int(amount or 0))


def to_confirm(kind: str | None, external_ref: str | None) -> Select[Any]:
    """Return the query of all payments, or those of a kind or under a reference, in no order."""
    filters: Sequence[tuple[Column[Any], str | None]] = (
        (UNCONFIRMED.c.kind, kind),
        (UNCONFIRMED.c.external_ref, external_ref),
    )
    query = select(UNCONFIRMED)
    for column, value in filters:
        if value is not None:
            query = query.where(column == value)
    return query
