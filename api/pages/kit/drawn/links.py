"""Pages made by hand: where one does what a drawn form would, and where a thing is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from api.pages.kit.entrance import PageDesk
from api.routes.disbursements import READERS
from ledger.kernel.roles import Role

HAND_MADE: Mapping[str, Mapping[Role, str]] = {
    "donations/new": {Role.DONOR: "/give"},
    "donations/withdrawal": {Role.DONOR: "/mine"},
    "donors/restriction": {Role.DONOR: "/mine/data"},
    "donors/erasure": {Role.DONOR: "/mine/data"},
    "donations/payments-confirmation": dict.fromkeys(
        (Role.BOOKKEEPER, Role.TREASURER), "/desk/bank"
    ),
    "sales/remittances-confirmation": dict.fromkeys(
        (Role.BOOKKEEPER, Role.TREASURER), "/desk/bank"
    ),
    "disbursements/payment-confirmation": dict.fromkeys(
        (Role.BOOKKEEPER, Role.TREASURER), "/desk/bank"
    ),
    "disbursements/new": {Role.CLERK: "/desk/request"},
    "people/relations": dict.fromkeys(READERS, "/desk/relations"),
}
"""Where an operation has a better page than the drawn one, by the role that it is done in."""

SHOWN: Mapping[str, tuple[tuple[tuple[Role, ...], str], ...]] = {
    "donations": (((Role.DONOR,), "/mine/"), (READERS, "/desk/pledges/")),
    "disbursements": ((READERS, "/desk/aid/"),),
    "sales": ((READERS, "/desk/sales/"),),
    "funds": ((tuple(Role), "/funds/"),),
}
"""Where a thing of each noun is shown, to whom."""

KNOWN_BY = re.compile(r"[\w-]{1,64}", re.ASCII)
"""What a thing can be known by: an id or a code."""


def page_of(noun: str, desk: PageDesk) -> str | None:
    """Return the page of the thing that the address is about, if the reader has one."""
    about = desk.query_params.get("about", "")
    if not KNOWN_BY.fullmatch(about):
        return None
    return next(
        (
            path + about
            for roles, path in SHOWN.get(noun, ())
            if not desk.caller.roles.isdisjoint(roles)
        ),
        None,
    )
