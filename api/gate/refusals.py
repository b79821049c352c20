"""The gate's refusals, made before a route is known. Titles are the docstrings."""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar

from ledger.kernel.errors import LedgerError
from ledger.kernel.sentences import Msgid


class MessageUnreadable(LedgerError):
    """A request is HTTP as RFC 9112 has it, so that everybody on its way reads the same."""

    http_status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class HeadTooLarge(LedgerError):
    """The head of a request has a bounded size."""

    http_status: ClassVar[HTTPStatus] = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class TargetTooLong(LedgerError):
    """What is asked for is named in a few words."""

    http_status: ClassVar[HTTPStatus] = HTTPStatus.REQUEST_URI_TOO_LONG


class HostUnknown(LedgerError):
    """A request names the host that it is meant for."""

    http_status: ClassVar[HTTPStatus] = HTTPStatus.MISDIRECTED_REQUEST


class TooSlow(LedgerError):
    """Who begins to speak goes on, so that others have their turn."""

    http_status: ClassVar[HTTPStatus] = HTTPStatus.REQUEST_TIMEOUT


class TooOften(LedgerError):
    """Nobody asks so often that others wait.

    Attributes:
        retry_after: Seconds until there is room again.

    """

    http_status: ClassVar[HTTPStatus] = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, says: Msgid, /, *, retry_after: int, **facts: object) -> None:
        super().__init__(says, retry_after=retry_after, **facts)
        self.retry_after = retry_after


class CrossSite(LedgerError):
    """Pages of others make nobody's browser act here."""

    http_status: ClassVar[HTTPStatus] = HTTPStatus.FORBIDDEN


GATE_REFUSALS = (
    MessageUnreadable,
    HeadTooLarge,
    TargetTooLong,
    HostUnknown,
    TooSlow,
    TooOften,
    CrossSite,
)
"""All of them, for the document that describes the API."""
