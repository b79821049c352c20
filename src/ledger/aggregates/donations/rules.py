"""Rules of a donation beyond its states."""

from __future__ import annotations

from ledger.kernel.errors import Refused
from ledger.kernel.money import Amount


class PublicPromiseBinds(Refused):
    """A promise made in public must be kept (慈善法 art. 41)."""

    says = "donation {donation} was promised in public and cannot be withdrawn"

    def __init__(self, donation: object) -> None:
        super().__init__(donation=donation)


class NothingInSuspense(Refused):
    """Only money that was paid beyond the promise waits for the donor's decision."""

    says = "donation {donation} has {waiting} yuan waiting in suspense, not {wanted}"

    def __init__(self, donation: object, *, waiting: int, wanted: int) -> None:
        super().__init__(donation=donation, waiting=Amount(waiting), wanted=Amount(wanted))
