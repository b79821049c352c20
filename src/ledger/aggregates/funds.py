"""Funds: purpose pots (专项资金) in the one account of the host charity.

A fund is restricted (限定性) if its donors tied it to a purpose; what a board earmarks is not.
Its purpose, class and currency are fixed when it is opened. domain: Charity Law (慈善法) arts. 52
to 58; 民间非营利组织会计制度 (2024) on restricted net assets.
"""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.errors import Invalid, Refused, WrongState
from ledger.kernel.money import Amount, Currency, Fen, positive
from ledger.kernel.names import FundCode, fund_stream
from ledger.kernel.sentences import Sentence, Word
from ledger.kernel.terms import FundTerms, Restriction
from ledger.kernel.wording import plain

CODE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*")
CODE_MAX = 32


class FundState(StrEnum):
    """Where a fund stands in its life."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


STEPS = {
    FundState.OPEN: ("freeze", "transfer", "close"),
    FundState.FROZEN: ("thaw",),
    FundState.CLOSED: (),
}


class FundExists(Refused):
    """A fund's code is given once."""

    says = "there is already a fund {fund}"

    def __init__(self, fund: FundCode) -> None:
        super().__init__(fund=fund)


class FundClosed(Refused):
    """A closed fund takes no part in anything new."""

    says = "fund {fund} is closed"

    def __init__(self, fund: FundCode) -> None:
        super().__init__(fund=fund)


class FundFrozen(Refused):
    """No money leaves a frozen fund."""

    says = "fund {fund} is frozen"

    def __init__(self, fund: FundCode) -> None:
        super().__init__(fund=fund)


class InsufficientFunds(Refused):
    """Nothing is promised or paid out of a fund beyond what it has available."""

    says = "fund {fund} has {available} yuan available, which {wanted} would exceed"

    def __init__(self, fund: FundCode, *, available: int, wanted: int) -> None:
        self.fund, self.available, self.wanted = fund, available, wanted
        super().__init__(fund=fund, available=Amount(available), wanted=Amount(wanted))


class FundNotEmpty(Refused):
    """A fund is closed only when nothing is in it, owed to it, promised to it or due from it."""

    says = "fund {fund} still has {amount} yuan in {holding}"

    def __init__(self, fund: FundCode, holding: str, amount: int) -> None:
        if holding == "sales":
            super().__init__(
                "fund {fund} still has {sales} unsettled sales", fund=fund, sales=amount
            )
        else:
            super().__init__(fund=fund, holding=Word(holding), amount=Amount(amount))


class BasisRequired(Refused):
    """Money leaves a restricted fund for another only with a stated basis."""

    says = "fund {fund} is restricted: say which consent, filing or release allows the transfer"

    def __init__(self, fund: FundCode) -> None:
        super().__init__(fund=fund)


class Fund(Aggregate):
    """One purpose pot: opened, perhaps frozen and thawed, closed when empty."""

    TOPIC = "fund"

    class Opened(Fact, frozen=True):
        """A pot was set up for a purpose."""

        TOPIC = "fund.opened.1"
        fund: FundCode
        name: str
        purpose: str
        restriction: Restriction
        currency: Currency

    class Frozen(Fact, frozen=True):
        """Nothing may leave until further notice."""

        TOPIC = "fund.frozen.1"
        fund: FundCode
        reason: str

    class Thawed(Fact, frozen=True):
        """Money may leave again."""

        TOPIC = "fund.thawed.1"
        fund: FundCode
        reason: str

    class Transferred(Fact, frozen=True):
        """Money was given to another fund: what the purpose became, and on which basis.

        Recorded once, in the stream of the fund that gave; it says both sides, so that one
        entry moves both.
        """

        TOPIC = "fund.transferred.1"
        fund: FundCode
        restriction: Restriction
        to: FundCode
        to_restriction: Restriction
        amount: Fen
        currency: Currency
        basis: str | None

    class Closed(Fact, frozen=True):
        """The pot was empty and is no longer used."""

        TOPIC = "fund.closed.1"
        fund: FundCode
        reason: str

    @classmethod
    def open(  # noqa: PLR0913  # What a fund is, all of it fixed here.
        cls,
        act: Act,
        *,
        code: str,
        name: str,
        purpose: str,
        restriction: Restriction,
        currency: Currency,
    ) -> Self:
        """Set up a fund under a code of its own."""
        if not CODE.fullmatch(code) or len(code) > CODE_MAX:
            raise Invalid("code", "must be capitals and digits in groups, such as F-HEAR")
        fund = cls(fund_stream(FundCode(code)))
        fund._record(
            cls.Opened,
            act,
            on=act.today,
            fund=code,
            name=plain(name, "name"),
            purpose=plain(purpose, "purpose"),
            restriction=restriction,
            currency=currency,
        )
        return fund

    def freeze(self, act: Act, *, reason: str, on: date) -> None:
        """Stop money from leaving."""
        self._must_be("freeze", FundState.OPEN)
        self._record(self.Frozen, act, on=on, fund=self.code, reason=plain(reason, "reason"))

    def thaw(self, act: Act, *, reason: str, on: date) -> None:
        """Let money leave again."""
        self._must_be("thaw", FundState.FROZEN)
        self._record(self.Thawed, act, on=on, fund=self.code, reason=plain(reason, "reason"))

    def transfer(self, act: Act, *, to: Fund, amount: int, basis: str | None, on: date) -> None:
        """Give ``amount`` to another fund."""
        if to.code == self.code:
            raise Invalid("to", "must be another fund")
        self.must_let_go()
        if to.state is FundState.CLOSED:
            raise FundClosed(to.code)
        if self.restriction == "restricted" and basis is None:
            raise BasisRequired(self.code)
        self._record(
            self.Transferred,
            act,
            on=on,
            fund=self.code,
            restriction=self.restriction,
            to=to.code,
            to_restriction=to.restriction,
            amount=positive(amount),
            currency=self.currency,
            basis=None if basis is None else plain(basis, "basis"),
        )

    def close(self, act: Act, *, reason: str, on: date) -> None:
        """End the fund. That it is empty is checked where the event is stored."""
        self._must_be("close", FundState.OPEN)
        self._record(self.Closed, act, on=on, fund=self.code, reason=plain(reason, "reason"))

    @classmethod
    def stream_of(cls, name: FundCode) -> UUID:
        """Return the stream of the fund of this code."""
        return fund_stream(name)

    @property
    def public_name(self) -> str:
        """A fund is called by its code."""
        return self.code

    @property
    def terms(self) -> FundTerms:
        """The terms fixed when the fund was opened."""
        return FundTerms(self.code, self.restriction, self.currency)

    def must_let_go(self) -> None:
        """Refuse what would take money out of a closed or frozen fund."""
        if self.state is FundState.CLOSED:
            raise FundClosed(self.code)
        if self.state is FundState.FROZEN:
            raise FundFrozen(self.code)

    def _must_be(self, step: str, state: FundState) -> None:
        if self.state is not state:
            thing = Sentence("fund {fund}", fund=self.code)
            raise WrongState(step, thing, self.state, STEPS[self.state])

    @event(Opened)
    def _opened(self, fact: Opened) -> None:
        self.code = fact.fund
        self.restriction = fact.restriction
        self.currency = fact.currency
        self.state = FundState.OPEN

    @event(Frozen)
    def _frozen(self, _: Frozen) -> None:
        self.state = FundState.FROZEN

    @event(Thawed)
    def _thawed(self, _: Thawed) -> None:
        self.state = FundState.OPEN

    @event(Closed)
    def _closed(self, _: Closed) -> None:
        self.state = FundState.CLOSED
