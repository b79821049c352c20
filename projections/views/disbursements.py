"""The register of disbursements (拨付台账): who asked for what, and how far it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    select,
)

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.kernel.aggregate import Fact
from projections.kernel.view import METADATA, Batch, View, put_all

DISBURSEMENTS = Table(
    "disbursements",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("disbursement", String, nullable=False, unique=True),
    Column("fund", String, nullable=False),
    Column("payee_kind", String, nullable=False),
    Column("payee", String, nullable=False),
    Column("payee_name", String),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("grid", String),
    Column("requested_on", Date, nullable=False),
    Column("requested_by", String, nullable=False),
    Column("approved_by", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("approvals_needed", Integer),
    Column("paid_on", Date),
    Column("confirmed_on", Date),
    Column("acknowledged_on", Date),
    Column("returned", BigInteger, nullable=False, default=0),
    Column("version", BigInteger, nullable=False, default=1),
    Index("disbursements_by_fund", "fund", "number"),
    Index("disbursements_by_state", "state", "number"),
)
"""``number`` is the position of the request, which orders the list and never changes."""

_REQUEST = ("fund", "payee_kind", "payee", "payee_name", "amount", "currency", "purpose", "grid")

_STATES: Mapping[type[Fact], DisbursementState] = {
    Disbursement.ApprovalGiven: DisbursementState.PARTLY_APPROVED,
    Disbursement.Reserved: DisbursementState.APPROVED,
    Disbursement.Rejected: DisbursementState.REJECTED,
    Disbursement.Cancelled: DisbursementState.CANCELLED,
    Disbursement.Paid: DisbursementState.PAID,
    Disbursement.Bounced: DisbursementState.APPROVED,
    Disbursement.Acknowledged: DisbursementState.ACKNOWLEDGED,
}


class Disbursements(View):
    """Keeps the register."""

    name = "disbursements"
    tables = (DISBURSEMENTS,)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Note each request and each step."""
        ours = [each for each in batch if each[1].TOPIC.startswith("disbursement.")]
        rows = _known(connection, {str(fact.originator_id) for _, fact in ours})
        for position, fact in ours:
            key = str(fact.originator_id)
            if isinstance(fact, Disbursement.Requested):
                rows[key] = _request(position, fact)
            else:
                rows[key].update(_step(rows[key], fact), version=fact.originator_version)
        put_all(connection, DISBURSEMENTS, list(rows.values()))


def _known(connection: Connection, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return those that are in the register, for a batch to go on from."""
    if not ids:
        return {}
    asked = select(DISBURSEMENTS).where(DISBURSEMENTS.c.disbursement.in_(ids))
    return {row["disbursement"]: dict(row) for row in connection.execute(asked).mappings()}


def _request(position: int, fact: Disbursement.Requested) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in _REQUEST} | {
        "number": position,
        "disbursement": str(fact.originator_id),
        "requested_on": fact.on,
        "requested_by": fact.actor,
        "approved_by": [],
        "state": DisbursementState.REQUESTED,
        "approvals_needed": None,
        "paid_on": None,
        "confirmed_on": None,
        "acknowledged_on": None,
        "returned": 0,
        "version": fact.originator_version,
    }


def _step(row: Mapping[str, Any], fact: Fact) -> dict[str, Any]:
    """Return what ``fact`` changes of its disbursement's ``row``."""
    new: dict[str, Any] = {}
    if type(fact) in _STATES:
        new["state"] = _STATES[type(fact)]
    match fact:
        case Disbursement.ApprovalGiven():
            new["approved_by"] = [*row["approved_by"], fact.actor]
        case Disbursement.Paid():
            new["paid_on"] = fact.on
        case Disbursement.Reserved():
            new["approvals_needed"] = fact.approvals
        case Disbursement.PaymentConfirmed():
            new["confirmed_on"] = fact.on
        case Disbursement.Bounced():
            new |= {"paid_on": None, "confirmed_on": None}
        case Disbursement.Acknowledged():
            new["acknowledged_on"] = fact.on
        case Disbursement.Returned():
            new["returned"] = row["returned"] + fact.amount
            if new["returned"] >= row["amount"]:
                new["state"] = DisbursementState.RETURNED
    return new


def disbursements(
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 100,
    fund: str | None = None,
    state: str | Collection[str] | None = None,
) -> list[dict[str, Any]]:
    """Return up to ``limit`` disbursements requested after position ``after``, oldest first.

    Args:
        connection: To views that are level.
        after: The position of the last one already seen.
        limit: How many.
        fund: Only those out of this fund.
        state: Only those in this state, or in one of these.

    """
    asked = select(DISBURSEMENTS).where(DISBURSEMENTS.c.number > after)
    if fund is not None:
        asked = asked.where(DISBURSEMENTS.c.fund == fund)
    if state is not None:
        states = [state] if isinstance(state, str) else state
        asked = asked.where(DISBURSEMENTS.c.state.in_(states))
    rows = connection.execute(asked.order_by(DISBURSEMENTS.c.number).limit(limit)).mappings()
    return [_shown(row) for row in rows]


def disbursement(connection: Connection, disbursement_id: str) -> dict[str, Any] | None:
    """Return one disbursement."""
    asked = select(DISBURSEMENTS).where(DISBURSEMENTS.c.disbursement == disbursement_id)
    row = connection.execute(asked).mappings().first()
    return None if row is None else _shown(row)


def _shown(row: RowMapping) -> dict[str, Any]:
    shown = {name: row[name] for name in row if name not in {"number", "disbursement"}}
    return {"id": row["disbursement"], "position": row["number"]} | shown
