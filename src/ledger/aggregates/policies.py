"""The approval policy: how many people approve a disbursement, by its amount, and since when.

A rule is never changed, only followed by another. It cannot begin in the past, so that no decision
that was made is judged by a rule that nobody knew; and how many people it asked for stands in the
event that set the money aside, so that no later rule changes what happened.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from msgspec import Struct

from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.errors import Invalid
from ledger.kernel.money import AMOUNT_MAX, Currency, Fen
from ledger.kernel.wording import plain


class ApprovalRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How many people, none of them the requester, must approve. Never none.

    Attributes:
        one_approval_up_to: In fen; so much, and less, takes one (小额). 0 if nothing does.
        three_approvals_above: In fen; more than this takes three. ``None`` if nothing does.

    """

    one_approval_up_to: int = 0
    three_approvals_above: int | None = None

    def needed(self, amount: int) -> int:
        """Return how many people must approve ``amount`` fen.

        >>> rule = ApprovalRule(one_approval_up_to=500_00, three_approvals_above=50_000_00)
        >>> [rule.needed(fen) for fen in (500_00, 500_01, 50_000_00, 50_000_01)]
        [1, 2, 2, 3]

        """
        if amount <= self.one_approval_up_to:
            return 1
        if self.three_approvals_above is None or amount <= self.three_approvals_above:
            return 2
        return 3

    def check(self) -> None:
        """Refuse figures that contradict each other."""
        if not 0 <= self.one_approval_up_to <= AMOUNT_MAX:
            raise Invalid(
                "one_approval_up_to", "must be from {least} to {most}", least=0, most=AMOUNT_MAX
            )
        above = self.three_approvals_above
        if above is not None and not self.one_approval_up_to <= above <= AMOUNT_MAX:
            raise Invalid(
                "three_approvals_above",
                "must be from one_approval_up_to to {most}, or null",
                most=AMOUNT_MAX,
            )


TWO = ApprovalRule()
"""The rule until another is set: two people, whatever the amount."""


class Version(Struct, frozen=True):
    """A rule, the first day on which it is in force, and which resolution says so.

    Attributes:
        number: Of the event that set it, in the stream of the rules.

    """

    effective_from: date
    rule: ApprovalRule
    basis: str
    number: int


class ApprovalPolicy(Aggregate):
    """The rules of approval, one after the other."""

    TOPIC = "approval-policy"
    MOVES_MONEY = False

    class Set(Fact, frozen=True):
        """From a day on, so many people must approve.

        Attributes:
            basis: Which resolution says so.

        """

        TOPIC = "approval-policy.set.1"
        effective_from: date
        one_approval_up_to: Fen
        three_approvals_above: Fen | None
        currency: Currency
        basis: str

    def __init__(self, stream: UUID) -> None:
        super().__init__(stream)
        self.versions: list[Version] = []

    def set(
        self,
        act: Act,
        rule: ApprovalRule,
        *,
        currency: Currency,
        effective_from: date,
        basis: str,
    ) -> None:
        """Have ``rule`` in force from a day on that is not past."""
        rule.check()
        if effective_from < act.today:
            raise Invalid(
                "effective_from",
                "{on} is in the past: today is {today}",
                on=effective_from,
                today=act.today,
            )
        self._record(
            self.Set,
            act,
            on=act.today,
            effective_from=effective_from,
            one_approval_up_to=rule.one_approval_up_to,
            three_approvals_above=rule.three_approvals_above,
            currency=currency,
            basis=plain(basis, "basis"),
        )

    def in_force(self, day: date) -> ApprovalRule:
        """Return the rule of ``day``."""
        version = self.version_of(day)
        return TWO if version is None else version.rule

    def version_of(self, day: date) -> Version | None:
        """Return what says so: the last to have begun by ``day``, of those of one day the newest.

        Nothing does before the first rule begins.
        """
        begun = [each for each in self.versions if each.effective_from <= day]
        begun.sort(key=lambda each: each.effective_from)
        return begun[-1] if begun else None

    def needed(self, amount: int, *, on: date, today: date) -> int:
        """Return how many must approve ``amount`` for a decision of the day ``on``.

        Whoever dates a decision back is held to today's rule too, where that asks for more.
        """
        return max(self.in_force(day).needed(amount) for day in (on, today))

    @event(Set)
    def _set(self, fact: Set) -> None:
        rule = ApprovalRule(fact.one_approval_up_to, fact.three_approvals_above)
        self.versions.append(
            Version(fact.effective_from, rule, fact.basis, fact.originator_version)
        )
