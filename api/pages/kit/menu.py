"""The menu of whoever is signed in: the pages of their roles, on every page, and their own desk."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from typing import NamedTuple

from fastapi import Request

from api.kernel.desk import READS_ALL
from api.kernel.texts import marked
from api.pages.kit.entrance import ACCOUNT, PageDesk, session_of
from api.routes.disbursements import READERS
from ledger.kernel.errors import LedgerError
from ledger.kernel.roles import Role
from ledger.people.sessions import SignedIn

BOOKS = (Role.BOOKKEEPER, Role.TREASURER, Role.AUDITOR)
"""Who reads the books."""

WHO_DO = tuple(role for role in Role if role is not Role.AUDITOR)
"""Who records anything at all."""


class OwnPage(NamedTuple):
    """A page that is offered to whoever has one of its roles."""

    path: str
    name: str
    roles: tuple[Role, ...]


OWN_PAGES = (
    OwnPage("/give", marked("Give"), (Role.DONOR,)),
    OwnPage("/mine", marked("My pledges"), (Role.DONOR,)),
    OwnPage("/mine/data", marked("My data"), (Role.DONOR,)),
    OwnPage("/desk", marked("Inbox"), READERS),
    OwnPage("/desk/do", marked("What I can do"), WHO_DO),
    OwnPage("/desk/funds", marked("Funds and what to do"), (Role.TREASURER,)),
    OwnPage("/desk/people", marked("People"), (Role.ADMIN,)),
    OwnPage("/desk/aid", marked("Aid"), READERS),
    OwnPage("/desk/request", marked("Ask for aid"), (Role.CLERK,)),
    OwnPage("/desk/relations", marked("Relations"), READERS),
    OwnPage("/desk/bank", marked("Against the bank"), BOOKS),
    OwnPage("/desk/journal", marked("Journal"), BOOKS),
    OwnPage("/desk/trial-balance", marked("Trial balance"), BOOKS),
    OwnPage("/audit/history", marked("History"), READS_ALL),
    OwnPage("/audit/time", marked("Back in time"), READS_ALL),
    OwnPage("/audit/checks", marked("Checks and exports"), READS_ALL),
)

DESKS: tuple[tuple[Role, str], ...] = (
    *((role, "/desk") for role in READERS if role is not Role.AUDITOR),
    (Role.AUDITOR, "/audit/history"),
    (Role.ADMIN, "/desk/people"),
    (Role.PARTNER, "/desk/do"),
    (Role.DONOR, "/mine"),
)
"""Where somebody of a role lands who signs in; of several roles, the first."""


class Menu(NamedTuple):
    """What a page offers whoever is signed in.

    Attributes:
        pages: Of their roles.
        current: The address of the one that is shown, or that what is shown belongs to.

    """

    pages: tuple[OwnPage, ...] = ()
    current: str | None = None


def menu_of(request: Request) -> Menu:
    """Return the menu of whoever asks; an empty one if they are not signed in."""
    reader = _reader(request)
    if reader is None:
        return Menu()
    roles = reader.caller.roles
    pages = tuple(each for each in OWN_PAGES if roles.intersection(each.roles))
    return Menu(pages, current_of(request.url.path, [each.path for each in pages]))


def _reader(request: Request) -> SignedIn | None:
    """Return who is signed in. A register that is away costs a page its menu and nothing else."""
    if isinstance(request, PageDesk):
        return request.signed_in
    with suppress(LedgerError):
        return session_of(request)
    return None


def current_of(path: str, offered: Collection[str]) -> str | None:
    """Return the page of a menu that an address is, or is below of.

    >>> current_of("/desk/aid/7", ["/desk", "/desk/aid"]), current_of("/funds", ["/desk"])
    ('/desk/aid', None)

    """
    above = [each for each in offered if path == each or path.startswith(f"{each}/")]
    return max(above, key=len, default=None)


def desk_of(reader: SignedIn) -> str:
    """Return where somebody lands who signs in: where their work is.

    Who lacks a second factor that their role takes lands where they can set one up.
    """
    if reader.lacking:
        return ACCOUNT
    return next((path for role, path in DESKS if role in reader.caller.roles), ACCOUNT)
