"""Donors' promises and what came of them, one row a donation and one line a thing that happened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    RowMapping,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
)

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.states import DonationState
from ledger.aggregates.donors import Donor, DonorState
from ledger.kernel.aggregate import Fact
from projections.kernel.finding import Criteria, OfMoney, Row, meets, rows_of
from projections.kernel.view import METADATA, Batch, View, insert_all, run_all
from projections.views.fund_balances import FUNDS

DONORS = Table(
    "donors",
    METADATA,
    Column("donor", String, primary_key=True),
    Column("anonymous", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("basis", String),
    Column("since", Date),
    Column("until", Date),
)
"""``state`` says what may be done with their details, which are not here; the rest, since when, by
what right, and until when they have to be kept.
"""

DONATIONS = Table(
    "donations",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("donation", String, nullable=False, unique=True),
    Column("donor", String, nullable=False),
    Column("fund", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("pledged_on", Date, nullable=False),
    Column("public_promise", Boolean, nullable=False),
    Column("note", String),
    Column("instalments", JSON, nullable=False),
    Column("settled", BigInteger, nullable=False, default=0),
    Column("withdrawn", BigInteger, nullable=False, default=0),
    Column("refunded", BigInteger, nullable=False, default=0),
    Column("excess", BigInteger, nullable=False, default=0),
    Column("given", BigInteger, nullable=False, default=0),
    Column("confirmed", BigInteger, nullable=False, default=0),
    Column("version", BigInteger, nullable=False, default=1),
    Index("donations_by_donor", "donor", "number"),
    Index("donations_by_fund", "fund", "number"),
)
"""``number`` is the position of the pledge, which orders the list and never changes."""

LINES = Table(
    "donation_lines",
    METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("donation", String, nullable=False),
    Column("on", Date, nullable=False),
    Column("kind", String, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("detail", JSON, nullable=False),
    Index("donation_lines_by_donation", "donation", "position"),
)
"""What happened to each donation."""

STATE: ColumnElement[str] = case(
    (DONATIONS.c.withdrawn > 0, DonationState.WITHDRAWN.value),
    (DONATIONS.c.settled >= DONATIONS.c.amount, DonationState.FULFILLED.value),
    (DONATIONS.c.settled > 0, DonationState.PARTIALLY_SETTLED.value),
    else_=DonationState.PLEDGED.value,
)
"""Where a donation stands, from what came of it."""

FIGURES = ("settled", "withdrawn", "refunded", "excess", "given", "confirmed")

_CHANGE = (
    f"UPDATE donations SET {', '.join(f'{name} = {name} + ?' for name in FIGURES)}, version = ?"  # noqa: S608  # Our own names.
    " WHERE donation = ?"
)


_STOP = "UPDATE donors SET state = ?, basis = ?, since = ?, until = ? WHERE donor = ?"


class Donations(View):
    """Keeps donors and donations."""

    name = "donations"
    tables = (DONORS, DONATIONS, LINES)

    def write(self, connection: Connection, batch: Batch) -> None:
        """Note each promise, and what came of it."""
        registered = [
            (str(fact.originator_id), fact.anonymous, DonorState.ACTIVE.value, None, None, None)
            for _, fact in batch
            if isinstance(fact, Donor.Registered)
        ]
        pledged = [
            _pledge(position, fact)
            for position, fact in batch
            if isinstance(fact, Donation.Pledged)
        ]
        lines = [
            _LINES[type(fact)](fact, position) for position, fact in batch if type(fact) in _LINES
        ]
        changes = [_CHANGES[type(fact)](fact) for _, fact in batch if type(fact) in _CHANGES]
        stopped = [_STOPS[type(fact)](fact) for _, fact in batch if type(fact) in _STOPS]
        insert_all(connection, DONORS, registered)
        run_all(connection, _STOP, stopped)
        insert_all(connection, DONATIONS, pledged)
        insert_all(connection, LINES, lines)
        run_all(connection, _CHANGE, changes)


def _pledge(position: int, fact: Donation.Pledged) -> tuple[Any, ...]:
    return (
        position,
        str(fact.originator_id),
        str(fact.donor),
        fact.fund,
        fact.currency,
        fact.amount,
        fact.on,
        fact.public_promise,
        fact.note,
        [{"due_on": each.due_on.isoformat(), "amount": each.amount} for each in fact.instalments],
        *(0 for _ in FIGURES),
        fact.originator_version,
    )


def _stop(fact: Fact, state: DonorState, basis: str, until: date | None) -> tuple[Any, ...]:
    return state.value, basis, fact.on, until, str(fact.originator_id)


_STOPS: Mapping[type[Fact], Callable[[Any], tuple[Any, ...]]] = {
    Donor.ProcessingRestricted: lambda fact: _stop(
        fact, DonorState.RESTRICTED, fact.basis, fact.until
    ),
    Donor.Erased: lambda fact: _stop(fact, DonorState.ERASED, fact.basis, None),
}
"""What each event that stops the use of a donor's details says of them."""

_Line = tuple[Any, ...]

PAYMENT, CONFIRMATION = "payment", "confirmation"
"""Kinds of lines of which the second says that the first was found on a statement."""


def _line(position: int, fact: Fact, kind: str, amount: int, **detail: Any) -> _Line:
    return position, str(fact.originator_id), fact.on, kind, amount, detail


_LINES: Mapping[type[Fact], Callable[[Any, int], _Line]] = {
    Donation.Pledged: lambda fact, at: _line(at, fact, "pledge", fact.amount),
    Donation.PaymentReceived: lambda fact, at: _line(
        at,
        fact,
        PAYMENT,
        fact.amount,
        channel=fact.channel,
        external_ref=fact.external_ref,
        excess=fact.excess,
    ),
    Donation.PaymentConfirmed: lambda fact, at: _line(
        at,
        fact,
        CONFIRMATION,
        fact.amount,
        channel=fact.channel,
        external_ref=fact.external_ref,
        statement_ref=fact.statement_ref,
    ),
    Donation.Withdrawn: lambda fact, at: _line(
        at, fact, "withdrawal", fact.open, reason=fact.reason
    ),
    Donation.Refunded: lambda fact, at: _line(
        at, fact, "refund", fact.amount, cause=fact.cause, reason=fact.reason
    ),
    Donation.ExcessGiven: lambda fact, at: _line(at, fact, "excess-given", fact.amount),
    Donation.ExcessReturned: lambda fact, at: _line(at, fact, "excess-returned", fact.amount),
}
"""What a statement says of each event: its kind, its amount, and what else there is to it."""


def _change(fact: Fact, **figures: int) -> tuple[Any, ...]:
    new = (figures.get(name, 0) for name in FIGURES)
    return *new, fact.originator_version, str(fact.originator_id)


_CHANGES: Mapping[type[Fact], Callable[[Any], tuple[Any, ...]]] = {
    Donation.PaymentReceived: lambda fact: _change(
        fact, settled=fact.amount - fact.excess, excess=fact.excess
    ),
    Donation.PaymentConfirmed: lambda fact: _change(fact, confirmed=fact.amount),
    Donation.Withdrawn: lambda fact: _change(fact, withdrawn=fact.open),
    Donation.Refunded: lambda fact: _change(fact, refunded=fact.amount),
    Donation.ExcessGiven: lambda fact: _change(fact, excess=-fact.amount, given=fact.amount),
    Donation.ExcessReturned: lambda fact: _change(fact, excess=-fact.amount),
}
"""What each event adds to the figures of its donation."""


def donations(  # noqa: PLR0913  # What a reader may ask for.
    connection: Connection,
    *,
    after: int = 0,
    limit: int = 100,
    donor: str | None = None,
    fund: str | None = None,
    state: str | None = None,
) -> list[dict[str, Any]]:
    """Return up to ``limit`` donations pledged after position ``after``, oldest first."""
    query = promises(donor=donor).where(DONATIONS.c.number > after)
    if fund is not None:
        query = query.where(DONATIONS.c.fund == fund)
    if state is not None:
        query = query.where(STATE.in_([state]))
    rows = connection.execute(query.order_by(DONATIONS.c.number).limit(limit)).mappings()
    return as_promises(rows)


def promises(*, donor: str | None = None) -> Select[Any]:
    """Return the query of all donations with their states, or of a donor's, in no order."""
    query = select(DONATIONS, STATE.label("state"))
    return query if donor is None else query.where(DONATIONS.c.donor == donor)


def as_promises(rows: Iterable[RowMapping]) -> list[dict[str, Any]]:
    """Return rows of ``promises`` as people read them."""
    return [_shown(row) for row in rows]


def donation(connection: Connection, donation_id: str) -> dict[str, Any] | None:
    """Return one donation with all that happened to it."""
    row = (
        connection.execute(
            select(DONATIONS, STATE.label("state")).where(DONATIONS.c.donation == donation_id)
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    return _shown(row) | {"history": _lines(connection, donation_id)}


def _lines(connection: Connection, donation_id: str) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(LINES).where(LINES.c.donation == donation_id).order_by(LINES.c.position)
    ).mappings()
    lines = [
        {"position": row["position"], "on": row["on"], "kind": row["kind"], "amount": row["amount"]}
        | row["detail"]
        for row in rows
    ]
    confirmed = {_reference(line) for line in lines if line["kind"] == CONFIRMATION}
    for line in lines:
        if line["kind"] == PAYMENT:
            line["confirmed"] = _reference(line) in confirmed
    return lines


def _reference(line: Mapping[str, Any]) -> tuple[str, str]:
    return line["channel"], line["external_ref"]


def _shown(row: RowMapping) -> dict[str, Any]:
    open_ = 0 if row["withdrawn"] else max(0, row["amount"] - row["settled"])
    return {
        "id": row["donation"],
        "position": row["number"],
        "version": row["version"],
        "donor": row["donor"],
        "fund": row["fund"],
        "amount": row["amount"],
        "currency": row["currency"],
        "pledged_on": row["pledged_on"],
        "instalments": row["instalments"],
        "public_promise": row["public_promise"],
        "note": row["note"],
        "state": row["state"],
        "received": row["settled"] + row["given"] - row["refunded"],
        "open": open_,
        "withdrawn": row["withdrawn"],
        "refunded": row["refunded"],
        "excess": row["excess"],
        "confirmed": row["confirmed"],
    }


REFERENCE_FROM = 4
"""Characters from which a word may be a payment's reference, for which every line is read."""

_COLUMNS = OfMoney(
    DONATIONS.c.donation,
    (DONATIONS.c.fund, FUNDS.c.name, DONATIONS.c.note),
    DONATIONS.c.amount,
    DONATIONS.c.pledged_on,
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
    met = [or_(meets(word, _COLUMNS), _has_reference(word)) for word in criteria.words]
    query = select(DONATIONS, STATE.label("state"), FUNDS.c.name).join(
        FUNDS, FUNDS.c.fund == DONATIONS.c.fund, isouter=True
    )
    query = query.where(or_(and_(true(), *met), DONATIONS.c.donor.in_(donors or [""])))
    if donor is not None:
        query = query.where(DONATIONS.c.donor == donor)
    if in_suspense:
        query = query.where(DONATIONS.c.excess > 0)
    newest = query.order_by(DONATIONS.c.number.desc())
    return rows_of(connection, newest, criteria, DONATIONS.c.donation, STATE)


def _has_reference(word: str) -> ColumnElement[bool]:
    """Say whether a payment of a donation came under a reference that has ``word`` in it."""
    if len(word) < REFERENCE_FROM or not word.isascii():
        return false()
    detail = func.lower(cast(LINES.c.detail, String))
    lines = select(LINES.c.donation).where(detail.contains(word.lower(), autoescape=True))
    return DONATIONS.c.donation.in_(lines)
