"""Work waiting at the charity: how many, for how much, and which first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, timedelta
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, func, select

from ledger.aggregates.sales.states import SaleState
from projections.views.disbursements import DISBURSEMENTS
from projections.views.donations import DONATIONS
from projections.views.sales import sales_of_late

TO_APPROVE = ("requested", "partly-approved")
TO_PAY = ("approved",)
UNSIGNED = ("paid",)
"""States of a disbursement in which somebody is to do something about it."""

SALES_MAX = 1_000
"""Sales that are looked through, the newest first; a charity has a few a year."""


class Waiting(Struct, frozen=True):
    """The number of items waiting, and their total in fen."""

    count: int
    amount: int


class Overdue(Struct, frozen=True):
    """A promise of which a part was to be paid by now.

    Attributes:
        donation: Its id.
        position: Where it was recorded.
        fund: Its fund.
        since: The first day on which something was due that has not come.
        due: What should have come by now and has not, in fen.
        open: All that is still promised, in fen.
        public: It was made in public, so that it can be demanded (慈善法 art. 41).

    """

    donation: str
    position: int
    fund: str
    since: date
    due: int
    open: int
    public: bool


class ToSettle(Struct, frozen=True):
    """A sale that is not settled yet, or not fully paid over.

    Attributes:
        sale: Its id.
        name: What it is called.
        amount: What the partner owes, in fen.
        state: Where it stands.
        from_on: The first day on which it can be settled.

    """

    sale: str
    name: str
    amount: int
    state: str
    from_on: date


def waiting(connection: Connection, states: Collection[str]) -> Waiting:
    """Return how many disbursements are in one of ``states``."""
    query = select(func.count(), func.sum(DISBURSEMENTS.c.amount))
    count, amount = connection.execute(query.where(DISBURSEMENTS.c.state.in_(states))).one()
    return Waiting(int(count), int(amount or 0))


def overdue(connection: Connection, today: date) -> list[Overdue]:
    """Return promises of which an instalment was due before ``today``, the oldest debt first.

    A promise without instalments names no day, so it is never overdue.
    """
    query = select(DONATIONS).where(
        DONATIONS.c.withdrawn == 0,
        DONATIONS.c.settled < DONATIONS.c.amount,
        func.json_array_length(DONATIONS.c.instalments) > 0,
    )
    debts = [_owed(row, today) for row in connection.execute(query).mappings()]
    return sorted((each for each in debts if each is not None), key=lambda each: each.since)


def _owed(row: Any, today: date) -> Overdue | None:
    first: date | None = None
    due = -row["settled"]
    for on, amount in _instalments(row):
        if on >= today:
            break
        due += amount
        if due > 0 and first is None:
            first = on
    if first is None:
        return None
    left = row["amount"] - row["settled"]
    return Overdue(
        donation=row["donation"],
        position=row["number"],
        fund=row["fund"],
        since=first,
        due=due,
        open=left,
        public=row["public_promise"],
    )


def _instalments(row: Any) -> Iterator[tuple[date, int]]:
    for each in row["instalments"]:
        yield date.fromisoformat(each["due_on"]), each["amount"]


def to_settle(connection: Connection) -> list[ToSettle]:
    """Return sales that have ended and are not settled, or of which money is still to come."""
    return [
        ToSettle(
            sale=row["id"],
            name=row["name"],
            amount=row["net_proceeds"] - row["remitted"],
            state=row["state"],
            from_on=row["ends_on"] + timedelta(days=row["return_days"] + 1),
        )
        for row in sales_of_late(connection, limit=SALES_MAX)
        if row["state"] == SaleState.ENDED
        or (row["state"] == SaleState.SETTLED and row["net_proceeds"] > row["remitted"])
    ]


def of_payee(connection: Connection, name: str, *, limit: int) -> list[dict[str, Any]]:
    """Return up to ``limit`` disbursements to the organisation called ``name``, newest first."""
    query = select(DISBURSEMENTS).where(DISBURSEMENTS.c.payee_name == name)
    rows = connection.execute(query.order_by(DISBURSEMENTS.c.number.desc()).limit(limit)).mappings()
    return [{**row, "id": row["disbursement"], "position": row["number"]} for row in rows]
