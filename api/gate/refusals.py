"""What is refused before anybody looks at what it is about. Titles are the docstrings."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from ledger.kernel.errors import LedgerError


class MessageUnreadable(LedgerError):
    """A request is HTTP as RFC 9112 has it, so that everybody on its way reads the same."""


class HeadTooLarge(LedgerError):
    """The head of a request has a bounded size."""


class TargetTooLong(LedgerError):
    """What is asked for is named in a few words."""


class HostUnknown(LedgerError):
    """A request names the host that it is meant for."""


class TooSlow(LedgerError):
    """Who begins to speak goes on, so that others have their turn."""


class TooOften(LedgerError):
    """Nobody asks so often that others wait.

    Attributes:
        retry_after: Seconds until there is room again.

    """

    def __init__(self, fact: str, retry_after: int) -> None:
        super().__init__(fact)
        self.retry_after = retry_after


class CrossSite(LedgerError):
    """Pages of others make nobody's browser act here."""


STATUS: Mapping[type[LedgerError], HTTPStatus] = {
    MessageUnreadable: HTTPStatus.BAD_REQUEST,
    HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    TargetTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    HostUnknown: HTTPStatus.MISDIRECTED_REQUEST,
    TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    TooOften: HTTPStatus.TOO_MANY_REQUESTS,
    CrossSite: HTTPStatus.FORBIDDEN,
}
"""How each is answered."""
