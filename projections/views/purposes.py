"""Payments by purpose: the part of a fund's statement that splits its spending."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import BigInteger, Column, Connection, Date, String, Table, func, select

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.books.movements import movements
from ledger.kernel.names import FundCode
from projections.kernel.periods import ALWAYS, Period, within
from projections.kernel.view import METADATA, Batch, add_up, insert_all, run_all

AIMS = Table(
    "statement_aims",
    METADATA,
    Column("disbursement", String, primary_key=True),
    Column("purpose", String, nullable=False),
)
"""What each disbursement is for, as far as everybody may know it."""

PURPOSES = Table(
    "statement_purposes",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("on", Date, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("paid", BigInteger, nullable=False),
)
"""What was paid out of a fund for each purpose, net of what came back, in fen."""

PAID = Table(
    "statement_paid",
    METADATA,
    Column("fund", String, primary_key=True),
    Column("purpose", String, primary_key=True),
    Column("paid", BigInteger, nullable=False),
)
"""What was paid for each purpose since the first event."""

TO_PERSONS = ""
"""The purpose of what persons are paid: what somebody needed is nobody else's business."""

_ADD_PURPOSE = """
    INSERT INTO statement_purposes (fund, "on", purpose, paid) VALUES (?, ?, ?, ?)
    ON CONFLICT (fund, "on", purpose) DO UPDATE SET paid = statement_purposes.paid + excluded.paid
"""

_MOVED_BY_PAYEES = (Disbursement.Paid, Disbursement.Bounced, Disbursement.Returned)


def write_purposes(connection: Connection, batch: Batch) -> None:
    """Add up what payees were paid, and gave back."""
    requests = [fact for _, fact in batch if isinstance(fact, Disbursement.Requested)]
    insert_all(connection, AIMS, [(str(each.originator_id), _aim(each)) for each in requests])
    moved = [fact for _, fact in batch if isinstance(fact, _MOVED_BY_PAYEES)]
    aims = _aims(connection, {str(fact.originator_id) for fact in moved})
    paid: defaultdict[tuple[FundCode, date, str], int] = defaultdict(int)
    for fact in moved:
        for movement in movements(fact):
            paid[movement.fund, fact.on, aims[str(fact.originator_id)]] += movement.paid
    rows = [(fund, on.isoformat(), aim, amount) for (fund, on, aim), amount in paid.items()]
    run_all(connection, _ADD_PURPOSE, rows)
    since_ever = [
        {"fund": fund, "purpose": aim, "paid": amount} for (fund, _, aim), amount in paid.items()
    ]
    add_up(connection, PAID, since_ever)


def _aim(fact: Disbursement.Requested) -> str:
    return TO_PERSONS if fact.payee_kind == "person" else fact.purpose


def _aims(connection: Connection, disbursements: set[str]) -> dict[str, str]:
    if not disbursements:
        return {}
    query = select(AIMS).where(AIMS.c.disbursement.in_(disbursements))
    return {row.disbursement: row.purpose for row in connection.execute(query)}


def paid_for(
    connection: Connection, period: Period = ALWAYS, *, fund: str | None = None
) -> dict[tuple[str, str], int]:
    """Return what each fund, or one, paid for each purpose in a period, net of what came back."""
    table = PAID if period == ALWAYS else PURPOSES
    query = select(table.c.fund, table.c.purpose, func.sum(table.c.paid))
    where = within(table, period) + ([] if fund is None else [table.c.fund == fund])
    rows = connection.execute(query.where(*where).group_by(table.c.fund, table.c.purpose))
    return {(code, purpose): int(paid) for code, purpose, paid in rows}
