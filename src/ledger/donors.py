"""Donors (捐赠人). The history knows an id; who it is stands in the register of people."""

from __future__ import annotations

from typing import Self

from ledger.aggregate import Act, Aggregate, Fact, event
from ledger.names import DonorId


class Donor(Aggregate):
    """Someone who gives."""

    TOPIC = "donor"

    class Registered(Fact, frozen=True):
        """A donor became known to the charity.

        Attributes:
            anonymous: Not to be named in public. The default of Charity Law (慈善法) art. 82:
                a name is published only if its owner agrees.

        """

        TOPIC = "donor.registered.1"
        anonymous: bool

    @classmethod
    def register(cls, act: Act, *, donor: DonorId, anonymous: bool) -> Self:
        """Make a donor known."""
        known = cls(donor)
        known._record(cls.Registered, act, on=act.today, anonymous=anonymous)
        return known

    @event(Registered)
    def _registered(self, fact: Registered) -> None:
        self.anonymous = fact.anonymous
