"""The register of disbursements (拨付台账): who asked for what, and how far it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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
    Select,
    String,
    Table,
    select,
)

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.kernel.aggregate import Fact
from ledger.kernel.money import yuan
from projections.kernel.finding import Criteria, OfMoney, Row, meets, rows_of
from projections.kernel.sentences import Sentence, Sentences, private, public, shortened
from projections.kernel.view import METADATA, Batch, View, put_all
from projections.views.fund_balances import FUNDS

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
    query = select(DISBURSEMENTS).where(DISBURSEMENTS.c.disbursement.in_(ids))
    return {row["disbursement"]: dict(row) for row in connection.execute(query).mappings()}


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
    query = register(fund=fund, state=state).where(DISBURSEMENTS.c.number > after)
    rows = connection.execute(query.order_by(DISBURSEMENTS.c.number).limit(limit)).mappings()
    return as_register(rows)


def register(*, fund: str | None = None, state: str | Collection[str] | None = None) -> Select[Any]:
    """Return the query of all disbursements, or those of a fund or in a state, in no order."""
    query = select(DISBURSEMENTS)
    if fund is not None:
        query = query.where(DISBURSEMENTS.c.fund == fund)
    if state is not None:
        states = [state] if isinstance(state, str) else state
        query = query.where(DISBURSEMENTS.c.state.in_(states))
    return query


def as_register(rows: Iterable[RowMapping]) -> list[dict[str, Any]]:
    """Return rows of ``register`` as people read them."""
    return [_shown(row) for row in rows]


def disbursement(connection: Connection, disbursement_id: str) -> dict[str, Any] | None:
    """Return one disbursement."""
    query = select(DISBURSEMENTS).where(DISBURSEMENTS.c.disbursement == disbursement_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else _shown(row)


def _shown(row: RowMapping) -> dict[str, Any]:
    fields = {name: row[name] for name in row if name not in {"number", "disbursement"}}
    return {"id": row["disbursement"], "position": row["number"]} | fields


_COLUMNS = OfMoney(
    DISBURSEMENTS.c.disbursement,
    (
        DISBURSEMENTS.c.fund,
        FUNDS.c.name,
        DISBURSEMENTS.c.payee_name,
        DISBURSEMENTS.c.purpose,
        DISBURSEMENTS.c.grid,
    ),
    DISBURSEMENTS.c.amount,
    DISBURSEMENTS.c.requested_on,
)


def find_disbursements(
    connection: Connection, criteria: Criteria, *, to_persons: bool = False
) -> list[Row]:
    """Return disbursements; only those to persons, and by the person, if it is for that."""
    query = select(DISBURSEMENTS, FUNDS.c.name).join(
        FUNDS, FUNDS.c.fund == DISBURSEMENTS.c.fund, isouter=True
    )
    query = query.where(*(meets(word, _COLUMNS) for word in criteria.words))
    if to_persons:
        query = query.where(DISBURSEMENTS.c.payee_kind == "person")
    known_by = DISBURSEMENTS.c.payee if to_persons else DISBURSEMENTS.c.disbursement
    newest = query.order_by(DISBURSEMENTS.c.number.desc())
    return rows_of(connection, newest, criteria, known_by, DISBURSEMENTS.c.state)


_PEOPLE: Mapping[int, Sentence] = {
    1: Sentence("一人", "One person"),
    2: Sentence("两人", "Two people"),
    3: Sentence("三人", "Three people"),
}
_PAYEES: Mapping[str, Sentence] = {
    "organisation": Sentence("机构", "an organisation"),
    "person": Sentence("个人", "a person"),
    "supplier": Sentence("供应商", "a supplier"),
}


def _payee(fact: Disbursement.Requested) -> Sentence:
    if fact.payee_name is None:
        return _PAYEES[fact.payee_kind]
    return Sentence(fact.payee_name, fact.payee_name)


def _released(fact: Disbursement.Cancelled) -> Sentence:
    if not fact.released:
        return Sentence("", "")
    released = yuan(fact.released)
    return Sentence(f"，释放预留{released}元", f", setting {released} free again")


SENTENCES = Sentences(
    {
        Disbursement.Requested: shortened(
            (
                "申请自{fund}拨付{amount}元给{payee}：{purpose}",
                "{amount} of fund {fund} was asked for {payee}: {purpose}",
            ),
            ("申请自{fund}拨付{amount}元", "{amount} of fund {fund} was asked for"),
        ),
        Disbursement.ApprovalGiven: public(
            "审批同意自{fund}拨付{amount}元", "One person approved {amount} out of fund {fund}"
        ),
        Disbursement.Reserved: public(
            "{approvals}审批完成，{fund}预留{amount}元",
            "{approvals} had approved: {amount} of fund {fund} was set aside",
        ),
        Disbursement.Rejected: shortened(
            (
                "拨付申请被驳回（{fund}）：{reason}",
                "A request to fund {fund} was turned down: {reason}",
            ),
            ("一项对{fund}的拨付申请被驳回", "A request to fund {fund} was turned down"),
        ),
        Disbursement.Cancelled: shortened(
            (
                "拨付申请取消（{fund}）：{reason}{released}",
                "A request to fund {fund} was called off: {reason}{released}",
            ),
            (
                "一项对{fund}的拨付申请取消{released}",
                "A request to fund {fund} was called off{released}",
            ),
        ),
        Disbursement.Paid: shortened(
            (
                "自{fund}付出{amount}元（凭证{external_ref}）",
                "{amount} of fund {fund} was paid out (ref. {external_ref})",
            ),
            ("自{fund}付出{amount}元", "{amount} of fund {fund} was paid out"),
        ),
        Disbursement.PaymentConfirmed: private(
            "自{fund}付出的{amount}元（凭证{external_ref}）已与对账单{statement_ref}核对",
            "{amount} paid out of {fund} (ref. {external_ref}) was found"
            " on statement {statement_ref}",
        ),
        Disbursement.Bounced: shortened(
            (
                "付款退回{fund}共{amount}元：{reason}",
                "A payment of {amount} out of fund {fund} bounced: {reason}",
            ),
            (
                "付款未达，退回{fund}共{amount}元",
                "A payment of {amount} out of fund {fund} bounced and came back",
            ),
        ),
        Disbursement.Acknowledged: public(
            "受益方签收{fund}拨付的{amount}元", "The payee acknowledged {amount} of fund {fund}"
        ),
        Disbursement.Returned: shortened(
            (
                "受益方向{fund}退回{amount}元（凭证{external_ref}）",
                "The payee gave {amount} back to fund {fund} (ref. {external_ref})",
            ),
            ("受益方向{fund}退回{amount}元", "The payee gave {amount} back to fund {fund}"),
        ),
    },
    {
        "approvals": lambda fact: _PEOPLE[fact.approvals],
        "payee": _payee,
        "released": _released,
    },
)
"""What its events say."""
