"""What people do for the charity, and so what they may do here."""

from __future__ import annotations

from enum import StrEnum


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
