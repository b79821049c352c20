"""Things looked for by what people know of them: a fund, an amount, a day, a name, a reference.

Every word of a search has to be met by something of the thing; what is newest comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    cast,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.types import String

from ledger.aggregates.donors import DonorState
from projections.views.disbursements import DISBURSEMENTS
from projections.views.donations import DONATIONS, DONORS, LINES, STATE
from projections.views.fund_balances import FUNDS
from projections.views.sales import SALES

REFERENCE_FROM = 4
"""Characters from which a word may be a payment's reference, for which every line is read."""

Row = dict[str, Any]


class Criteria(NamedTuple):
    """What somebody looks for.

    Attributes:
        words: Each of them has to be met.
        id: Of the one thing that is looked up, if it is known already.
        limit: How many are found at most.
        states: In one of which it has to be; in any, if none is named.

    """

    words: Sequence[str] = ()
    id: str | None = None
    limit: int = 20
    states: Collection[str] | None = None


class OfMoney(NamedTuple):
    """The columns of a table by which its rows are looked for."""

    id: Column[str]
    texts: Sequence[Column[str]]
    amount: Column[int]
    day: Column[date]


_DONATION = OfMoney(
    DONATIONS.c.donation, (DONATIONS.c.note,), DONATIONS.c.amount, DONATIONS.c.pledged_on
)
_DISBURSEMENT = OfMoney(
    DISBURSEMENTS.c.disbursement,
    (DISBURSEMENTS.c.payee_name, DISBURSEMENTS.c.purpose, DISBURSEMENTS.c.grid),
    DISBURSEMENTS.c.amount,
    DISBURSEMENTS.c.requested_on,
)


def find_donations(
    connection: Connection,
    criteria: Criteria,
    *,
    donor: str | None = None,
    donors: Collection[str] = (),
    in_suspense: bool = False,
) -> list[Row]:
    """Return donations: of one ``donor`` alone, or also whatever is of ``donors``."""
    met = [or_(_meets(word, _DONATION, DONATIONS), _has_reference(word)) for word in criteria.words]
    query = select(DONATIONS, STATE.label("state"), FUNDS.c.name).join(
        FUNDS, FUNDS.c.fund == DONATIONS.c.fund, isouter=True
    )
    query = query.where(or_(and_(true(), *met), DONATIONS.c.donor.in_(donors or [""])))
    if donor is not None:
        query = query.where(DONATIONS.c.donor == donor)
    if in_suspense:
        query = query.where(DONATIONS.c.excess > 0)
    query = _only(query, criteria, DONATIONS.c.donation, STATE)
    return _rows(connection, query.order_by(DONATIONS.c.number.desc()), criteria)


def find_disbursements(
    connection: Connection, criteria: Criteria, *, to_persons: bool = False
) -> list[Row]:
    """Return disbursements; only those to persons, if it is for that."""
    met = [_meets(word, _DISBURSEMENT, DISBURSEMENTS) for word in criteria.words]
    query = select(DISBURSEMENTS, FUNDS.c.name).join(
        FUNDS, FUNDS.c.fund == DISBURSEMENTS.c.fund, isouter=True
    )
    query = query.where(*met)
    if to_persons:
        query = query.where(DISBURSEMENTS.c.payee_kind == "person")
    known_by = DISBURSEMENTS.c.payee if to_persons else DISBURSEMENTS.c.disbursement
    query = _only(query, criteria, known_by, DISBURSEMENTS.c.state)
    return _rows(connection, query.order_by(DISBURSEMENTS.c.number.desc()), criteria)


def find_funds(connection: Connection, criteria: Criteria) -> list[Row]:
    """Return funds by code, name and purpose."""
    columns = (FUNDS.c.fund, FUNDS.c.name, FUNDS.c.purpose)
    query = select(FUNDS).where(*(_in_one(word, columns) for word in criteria.words))
    query = _only(query, criteria, FUNDS.c.fund, FUNDS.c.state)
    return _rows(connection, query.order_by(FUNDS.c.fund), criteria)


def find_sales(connection: Connection, criteria: Criteria, *, sale: str | None = None) -> list[Row]:
    """Return sales by name, partner and fund; one alone, if it is named."""
    columns = (SALES.c.name, SALES.c.partner, SALES.c.fund)
    query = select(SALES).where(
        *(or_(_in_one(word, columns), _is_of(word, SALES.c.sale)) for word in criteria.words)
    )
    if sale is not None:
        query = query.where(SALES.c.sale == sale)
    query = _only(query, criteria, SALES.c.sale, SALES.c.state)
    return _rows(connection, query.order_by(SALES.c.number.desc()), criteria)


def known_donors(connection: Connection, among: Collection[str]) -> list[Row]:
    """Return those of these ids that are donors, newest first; their details are not here."""
    query = select(DONORS).where(DONORS.c.donor.in_(list(among)))
    return [
        dict(row) for row in connection.execute(query.order_by(DONORS.c.donor.desc())).mappings()
    ]


def newest_donors(connection: Connection, criteria: Criteria) -> list[Row]:
    """Return the donors that were registered last."""
    query = select(DONORS).where(DONORS.c.state.in_(list(criteria.states or DonorState)))
    return _rows(connection, query.order_by(DONORS.c.donor.desc()), criteria)


def _only(
    query: Select[Any], criteria: Criteria, known_by: Column[str], state: ColumnElement[str]
) -> Select[Any]:
    """Keep to the one thing that is looked up, and to the states that are named."""
    if criteria.id is not None:
        query = query.where(known_by == criteria.id)
    if criteria.states is not None:
        query = query.where(state.in_(list(criteria.states)))
    return query


def _rows(connection: Connection, query: Select[Any], criteria: Criteria) -> list[Row]:
    return [dict(row) for row in connection.execute(query.limit(criteria.limit)).mappings()]


def _meets(word: str, of: OfMoney, table: Table) -> ColumnElement[bool]:
    """Say whether a word is part of what is known of a row, or the whole of an amount or a day."""
    met: list[ColumnElement[bool]] = [
        _in_one(word, (table.c.fund, FUNDS.c.name, *of.texts)),
        _is_of(word, of.id),
    ]
    amount, day = _fen(word), _day(word)
    if amount is not None:
        met.append(of.amount == amount)
    if day is not None:
        met.append(of.day == day)
    return or_(*met)


def _in_one(word: str, columns: Iterable[Column[str]]) -> ColumnElement[bool]:
    return or_(*(func.lower(each).contains(word.lower(), autoescape=True) for each in columns))


def _is_of(word: str, column: Column[str]) -> ColumnElement[bool]:
    """Say whether a word is an id, which nobody has to type."""
    return column == word.lower()


def _has_reference(word: str) -> ColumnElement[bool]:
    """Say whether a payment of a donation came under a reference that has ``word`` in it."""
    if len(word) < REFERENCE_FROM or not word.isascii():
        return false()
    detail = func.lower(cast(LINES.c.detail, String))
    lines = select(LINES.c.donation).where(detail.contains(word.lower(), autoescape=True))
    return DONATIONS.c.donation.in_(lines)


def _fen(word: str) -> int | None:
    whole, _, part = word.replace(",", "").removeprefix("¥").removesuffix("元").partition(".")
    digits = whole + part.ljust(2, "0")
    if not (digits.isascii() and digits.isdigit() and whole) or not 3 <= len(digits) <= 15:  # noqa: PLR2004
        return None
    return int(digits) if len(part) <= 2 else None  # noqa: PLR2004  # Places of a fen.


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None
