"""Donors: their registration, and what they promised, paid and got back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from ledger.aggregates.donors import Donor, DonorState
from projections.kernel.finding import Criteria, Row, rows_of
from projections.kernel.sentences import Sentence, Sentences, private
from projections.views.donations import DONATIONS, DONORS, FIGURES, LINES


def donor_row(connection: Connection, donor: str) -> dict[str, Any] | None:
    """Return a donor, if registered, and what stops the use of their details, if anything."""
    row = connection.execute(select(DONORS).where(DONORS.c.donor == donor)).mappings().first()
    if row is None:
        return None
    fields = {"id": row["donor"], "anonymous": row["anonymous"]}
    if row["state"] != DonorState.ACTIVE:
        fields |= {name: row[name] for name in ("state", "basis", "since", "until")}
    return fields


def may_be_owing(connection: Connection, donor: str) -> list[str]:
    """Return the donations of a donor that have an open promise or money in suspense."""
    open_ = (DONATIONS.c.withdrawn == 0) & (DONATIONS.c.settled < DONATIONS.c.amount)
    query = select(DONATIONS.c.donation).where(
        DONATIONS.c.donor == donor, open_ | (DONATIONS.c.excess > 0)
    )
    return list(connection.execute(query.order_by(DONATIONS.c.number)).scalars())


def donor_statement(
    connection: Connection, donor: str, *, first: date | None = None, last: date | None = None
) -> dict[str, Any]:
    """Return what a donor promised, paid and got back (捐赠明细), with each line.

    Args:
        connection: To views that are level.
        donor: The donor's id.
        first: Leave out lines of earlier business days.
        last: Leave out lines of later business days.

    """
    total = _totals(connection, donor)
    query = (
        select(LINES, DONATIONS.c.fund)
        .join(DONATIONS, DONATIONS.c.donation == LINES.c.donation)
        .where(DONATIONS.c.donor == donor)
    )
    if first is not None:
        query = query.where(LINES.c.on >= first)
    if last is not None:
        query = query.where(LINES.c.on <= last)
    rows = connection.execute(query.order_by(LINES.c.on, LINES.c.position)).mappings()
    return {
        "donor": donor,
        "pledged": total["amount"],
        "received": total["settled"] + total["given"] - total["refunded"],
        "refunded": total["refunded"],
        "withdrawn": total["withdrawn"],
        "open": total["amount"] - total["withdrawn"] - total["settled"],
        "excess": total["excess"],
        "lines": [
            {
                "position": row["position"],
                "on": row["on"],
                "donation": row["donation"],
                "fund": row["fund"],
                "kind": row["kind"],
                "amount": row["amount"],
            }
            for row in rows
        ],
    }


def _totals(connection: Connection, donor: str) -> dict[str, int]:
    names = ("amount", *FIGURES)
    sums: list[ColumnElement[int]] = [func.sum(DONATIONS.c[name]) for name in names]
    row = connection.execute(select(*sums).where(DONATIONS.c.donor == donor)).one()
    return {name: int(total or 0) for name, total in zip(names, row, strict=True)}


def known_donors(connection: Connection, among: Collection[str]) -> list[Row]:
    """Return those of these ids that are donors, newest first; their details are not here."""
    query = select(DONORS).where(DONORS.c.donor.in_(list(among)))
    return [
        dict(row) for row in connection.execute(query.order_by(DONORS.c.donor.desc())).mappings()
    ]


def newest_donors(connection: Connection, criteria: Criteria) -> list[Row]:
    """Return the donors that were registered last."""
    any_state = criteria._replace(states=criteria.states or list(DonorState))
    query = select(DONORS).order_by(DONORS.c.donor.desc())
    return rows_of(connection, query, any_state, DONORS.c.donor, DONORS.c.state)


_RESTRICTION_BASES: Mapping[str, Sentence] = {
    "donor-request": Sentence("捐赠人要求", "the donor asked for it"),
    "statutory-retention": Sentence("法定保存期限未满", "the law has them kept for a time"),
}
_ERASURE_BASES: Mapping[str, Sentence] = {
    "consent-withdrawn": Sentence("撤回同意", "consent was withdrawn"),
    "purpose-achieved": Sentence("处理目的已实现", "their purpose was achieved"),
    "retention-expired": Sentence("保存期限届满", "they had to be kept no longer"),
    "unlawful-processing": Sentence("处理不合法", "they were not lawfully kept"),
}
_ERASURE_REASONS: Mapping[str | None, Sentence] = {
    None: Sentence("", ""),
    "asked-by-donor": Sentence("，捐赠人本人提出", "; asked by the donor"),
    "asked-by-relative": Sentence("，近亲属提出", "; asked by a relative"),
    "found-by-charity": Sentence("，本单位主动删除", "; found by the charity itself"),
}


def _until(fact: Donor.ProcessingRestricted) -> Sentence:
    return Sentence(f"至{fact.until}", f" until {fact.until}") if fact.until else Sentence("", "")


SENTENCES = Sentences(
    {
        Donor.Registered: private("登记一位捐赠人", "A donor was registered"),
        Donor.ProcessingRestricted: private(
            "限制处理一位捐赠人的个人信息{until}，依据：{restricted}",
            "Use of a donor's details was restricted{until}, because {restricted}",
        ),
        Donor.Erased: private(
            "删除一位捐赠人的个人信息，依据：{erased}{brought_up}",
            "A donor's details were erased, because {erased}{brought_up}",
        ),
    },
    {
        "until": _until,
        "restricted": lambda fact: _RESTRICTION_BASES[fact.basis],
        "erased": lambda fact: _ERASURE_BASES[fact.basis],
        "brought_up": lambda fact: _ERASURE_REASONS[fact.reason],
    },
)
"""What its events say."""
