"""The books: every entry in order, and what the accounts add up to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    Select,
    String,
    Table,
    func,
    select,
)

from ledger.books.accounts import ACCOUNTS, MONEY
from ledger.books.postings import postings
from projections.kernel.view import METADATA, Batch, View, add_up, insert_all

LINES = Table(
    "journal_lines",
    METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("line", BigInteger, primary_key=True),
    Column("on", Date, nullable=False),
    Column("type", String, nullable=False),
    Column("account", String, nullable=False),
    Column("fund", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Index("journal_lines_by_fund", "fund", "position"),
)
"""Every line of every entry; debit positive, credit negative, in fen."""

DAYS = Table(
    "account_days",
    METADATA,
    Column("account", String, primary_key=True),
    Column("fund", String, primary_key=True),
    Column("on", Date, primary_key=True),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
)
"""What each account took on each business day, so that a trial balance reads few rows."""


class Journal(View):
    """Keeps the entries that the accounting manual makes of the events."""

    name = "journal"
    tables = (LINES, DAYS)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Post each event."""
        lines: list[tuple[Any, ...]] = []
        days: defaultdict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0])
        for position, fact in batch:
            for number, (account, fund, amount) in enumerate(postings(fact), start=1):
                lines.append((position, number, fact.on, fact.TOPIC, account, fund, amount))
                days[account, fund, fact.on][amount < 0] += abs(amount)
        insert_all(connection, LINES, lines)
        add_up(
            connection,
            DAYS,
            [
                {"account": account, "fund": fund, "on": on, "debit": debit, "credit": credit}
                for (account, fund, on), (debit, credit) in days.items()
            ],
        )


def entries(  # noqa: PLR0913  # What a reader may ask for.
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 100,
    first: date | None = None,
    last: date | None = None,
    fund: str | None = None,
    account: str | None = None,
) -> list[dict[str, Any]]:
    """Return up to ``limit`` whole entries recorded after position ``after``, in that order.

    Args:
        connection: To views that are level.
        after: The position of the last entry already seen.
        limit: How many entries.
        first: Leave out entries of earlier business days.
        last: Leave out entries of later business days.
        fund: Only entries that touch this fund.
        account: Only entries that touch this account; of this fund, if one is named as well.

    """
    positions = entries_of(first=first, last=last, fund=fund, account=account)
    positions = positions.where(LINES.c.position > after).order_by(LINES.c.position).limit(limit)
    return _entries(connection, LINES.c.position.in_(positions.scalar_subquery()))


def entries_at(connection: Connection, positions: Collection[int]) -> list[dict[str, Any]]:
    """Return the entries that the events at these positions made, in that order."""
    return _entries(connection, LINES.c.position.in_(positions))


def entries_of(
    *,
    first: date | None = None,
    last: date | None = None,
    fund: str | None = None,
    account: str | None = None,
) -> Select[int]:
    """Return the query of the positions of entries, filtered as for ``entries``, in no order."""
    positions = select(LINES.c.position).distinct()
    if first is not None:
        positions = positions.where(LINES.c.on >= first)
    if last is not None:
        positions = positions.where(LINES.c.on <= last)
    if fund is not None:
        positions = positions.where(LINES.c.fund == fund)
    if account is not None:
        positions = positions.where(LINES.c.account == account)
    return positions


def _entries(connection: Connection, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(LINES).where(which).order_by(LINES.c.position, LINES.c.line)
    ).mappings()
    by_position: dict[int, dict[str, Any]] = {}
    for row in rows:
        entry = by_position.setdefault(
            row["position"],
            {"position": row["position"], "on": row["on"], "type": row["type"], "lines": []},
        )
        entry["lines"].append(line(row["account"], row["fund"], row["amount"]))
    return list(by_position.values())


def line(account: str, fund: str, amount: int) -> dict[str, Any]:
    """Return a line of an entry as people read it: debit beside credit, both positive."""
    return {
        "account": account,
        "name_zh": ACCOUNTS[account].zh,
        "name_en": ACCOUNTS[account].en,
        "fund": fund,
        "debit": max(amount, 0),
        "credit": max(-amount, 0),
    }


def trial_balance(
    connection: Connection, *, as_of: date | None = None, fund: str | None = None
) -> list[dict[str, Any]]:
    """Return each account's turnover and balance, by code, up to business day ``as_of``."""
    query = select(DAYS.c.account, func.sum(DAYS.c.debit), func.sum(DAYS.c.credit))
    if as_of is not None:
        query = query.where(DAYS.c.on <= as_of)
    if fund is not None:
        query = query.where(DAYS.c.fund == fund)
    return [
        {
            "account": account,
            "name_zh": ACCOUNTS[account].zh,
            "name_en": ACCOUNTS[account].en,
            "debit": int(debit),
            "credit": int(credit),
            "balance": int(debit - credit),
        }
        for account, debit, credit in connection.execute(
            query.group_by(DAYS.c.account).order_by(DAYS.c.account)
        )
    ]


def account_turnovers(connection: Connection) -> Iterator[tuple[str, str, int, int]]:
    """Yield account, fund, and what both sides of it came to in fen, all days together."""
    query = select(DAYS.c.account, DAYS.c.fund, func.sum(DAYS.c.debit), func.sum(DAYS.c.credit))
    for account, fund, debit, credit in connection.execute(
        query.group_by(DAYS.c.account, DAYS.c.fund)
    ):
        yield account, fund, int(debit), int(credit)


def sources(connection: Connection, fund: str) -> dict[str, int]:
    """Return what each kind of event brought ``fund`` in money, or took, and so its balance."""
    query = (
        select(LINES.c.type, func.sum(LINES.c.amount))
        .where(LINES.c.fund == fund, LINES.c.account.in_(MONEY))
        .group_by(LINES.c.type)
        .order_by(func.min(LINES.c.position))
    )
    return {kind: int(amount) for kind, amount in connection.execute(query)}


def fund_accounts(connection: Connection) -> dict[tuple[str, str], int]:
    """Return the balance of every account in every fund, for comparing with other books."""
    query = select(DAYS.c.fund, DAYS.c.account, func.sum(DAYS.c.debit - DAYS.c.credit))
    rows = connection.execute(query.group_by(DAYS.c.fund, DAYS.c.account))
    return {(fund, account): int(balance) for fund, account, balance in rows}
