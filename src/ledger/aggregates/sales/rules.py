"""Rules of a charity sale beyond its states."""

from __future__ import annotations

from datetime import date

from ledger.kernel.errors import Refused
from ledger.kernel.money import Amount


class ReturnWindowOpen(Refused):
    """A sale is settled only when nothing can be returned any more."""

    says = "goods of sale {sale} can be returned until {last}"

    def __init__(self, sale: object, last_day: date) -> None:
        super().__init__(sale=sale, last=last_day)


class RemittanceExceedsOutstanding(Refused):
    """A partner remits what the settlement says, and no more."""

    says = "sale {sale} has {outstanding} yuan outstanding, not {amount}"

    def __init__(self, sale: object, *, outstanding: int, amount: int) -> None:
        super().__init__(sale=sale, outstanding=Amount(outstanding), amount=Amount(amount))


class RemittanceDiffers(Refused):
    """One reference is one remittance, and says one amount."""

    says = "remittance {external_ref} is already recorded, with {amount} yuan"

    def __init__(self, external_ref: str, amount: int) -> None:
        super().__init__(external_ref=external_ref, amount=Amount(amount))
