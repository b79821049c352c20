"""The register of disbursements (拨付台账): who asked for what, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
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
    case,
    select,
)

from ledger.aggregate import Fact
from ledger.disbursement_states import DisbursementState
from ledger.disbursements import Disbursement
from projections.views import METADATA, Batch, View

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
        for position, fact in batch:
            match fact:
                case Disbursement.Requested():
                    _request(connection, position, fact)
                case Disbursement.ApprovalGiven():
                    _approval(connection, fact)
                case _ if fact.TOPIC.startswith("disbursement."):
                    _change(connection, fact, _step(fact))


def _request(connection: Connection, position: int, fact: Disbursement.Requested) -> None:
    row = {name: getattr(fact, name) for name in _REQUEST} | {
        "number": position,
        "disbursement": str(fact.originator_id),
        "requested_on": fact.on,
        "requested_by": fact.actor,
        "approved_by": [],
        "state": DisbursementState.REQUESTED,
    }
    connection.execute(DISBURSEMENTS.insert(), row)


def _approval(connection: Connection, fact: Disbursement.ApprovalGiven) -> None:
    approved = connection.execute(
        select(DISBURSEMENTS.c.approved_by).where(
            DISBURSEMENTS.c.disbursement == str(fact.originator_id)
        )
    ).scalar_one()
    state = DisbursementState.PARTLY_APPROVED
    _change(connection, fact, {"approved_by": [*approved, fact.actor], "state": state})


def _step(fact: Fact) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if type(fact) in _STATES:
        values["state"] = _STATES[type(fact)]
    match fact:
        case Disbursement.Paid():
            values["paid_on"] = fact.on
        case Disbursement.Reserved():
            values["approvals_needed"] = fact.approvals
        case Disbursement.PaymentConfirmed():
            values["confirmed_on"] = fact.on
        case Disbursement.Bounced():
            values |= {"paid_on": None, "confirmed_on": None}
        case Disbursement.Acknowledged():
            values["acknowledged_on"] = fact.on
        case Disbursement.Returned():
            returned = DISBURSEMENTS.c.returned + fact.amount
            values["returned"] = returned
            values["state"] = case(
                (returned >= DISBURSEMENTS.c.amount, DisbursementState.RETURNED.value),
                else_=DISBURSEMENTS.c.state,
            )
    return values


def _change(connection: Connection, fact: Fact, values: dict[str, Any]) -> None:
    connection.execute(
        DISBURSEMENTS.update()
        .where(DISBURSEMENTS.c.disbursement == str(fact.originator_id))
        .values(version=fact.originator_version, **values)
    )


def disbursements(
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 100,
    fund: str | None = None,
    state: str | None = None,
) -> list[dict[str, Any]]:
    """Return up to ``limit`` disbursements requested after position ``after``, oldest first."""
    asked = select(DISBURSEMENTS).where(DISBURSEMENTS.c.number > after)
    if fund is not None:
        asked = asked.where(DISBURSEMENTS.c.fund == fund)
    if state is not None:
        asked = asked.where(DISBURSEMENTS.c.state == state)
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
