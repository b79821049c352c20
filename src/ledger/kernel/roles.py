"""The roles that people hold at the charity, and which of them exclude each other."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from ledger.kernel.errors import LedgerError, Refused
from ledger.kernel.sentences import Either, Msgid, Several


class Role(StrEnum):
    """A hat that a person wears; some wear several.

    Accounting Law (会计法) art. 25 keeps cashier, bookkeeper and approver apart for one and the
    same payment.
    """

    DONOR = "donor"
    CLERK = "clerk"
    APPROVER = "approver"
    CASHIER = "cashier"
    BOOKKEEPER = "bookkeeper"
    TREASURER = "treasurer"
    PARTNER = "partner"
    AUDITOR = "auditor"
    ADMIN = "admin"


OPERATOR = "operator"
"""Whoever runs commands on the charity's own machine. No role of the charity goes with it."""

MONEY_ROLES = frozenset({Role.APPROVER, Role.CASHIER, Role.TREASURER})
"""Roles that decide on money or move it. Who hands out roles has none of them."""

SECOND_FACTOR_ROLES = MONEY_ROLES | {Role.ADMIN}
"""Roles that nobody has on a page by a password alone."""


class RoleForbidden(LedgerError):
    """Each role has its own tasks."""

    says = "this takes the role of {roles}"

    def __init__(self, roles: Collection[str], *, says: Msgid = "") -> None:
        """Name the ``roles`` that would do; ``says`` is a sentence for this case."""
        super().__init__(says, roles=Either(roles))


class AdminHoldsMoneyRole(Refused):
    """Who hands out roles neither decides on money nor moves it."""

    says = "nobody is {admin} and any of {others}"

    def __init__(self) -> None:
        super().__init__(admin=Role.ADMIN, others=Several(sorted(MONEY_ROLES)))


def check_together(roles: Collection[Role]) -> None:
    """Refuse roles that no one person has together."""
    if Role.ADMIN in roles and not MONEY_ROLES.isdisjoint(roles):
        raise AdminHoldsMoneyRole
