"""Corrections: which events of one stream correct which earlier ones."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position


class Correction:
    """The corrections in one stream: ``by`` which event an earlier one was, and ``of`` which."""

    def __init__(self, stream: Iterable[tuple[Position, Fact]]) -> None:
        self.by: dict[Position, Position] = {}
        self.of: dict[Position, Position] = {}
        standing: list[tuple[Position, Fact]] = []
        for position, fact in stream:
            wrong = _last(standing, fact)
            if wrong is not None:
                self.by[wrong], self.of[position] = position, wrong
                standing = [each for each in standing if each[0] != wrong]
            standing.append((position, fact))


def _last(standing: list[tuple[Position, Fact]], correcting: Fact) -> Position | None:
    """Return the last event that ``correcting`` undoes in full, if it undoes any."""
    for position, fact in reversed(standing):
        match correcting, fact:
            case Disbursement.Bounced(), Disbursement.Paid():
                return position
            case Donation.Refunded(cause="duplicate" | "error"), Donation.PaymentReceived():
                if fact.amount - fact.excess == correcting.amount:
                    return position
    return None
