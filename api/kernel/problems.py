"""Refusals as RFC 9457 problem documents: one table from rule to answer.

A rule of the ledger becomes a problem named after it, such as ``/problems/public-promise-binds``;
a class that the contract calls by another word states its ``NAME``. The title is the rule, which is
the docstring of its class, and the detail has the facts. What was sent is never echoed whole.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from math import inf
from time import monotonic
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ledger.aggregates.sales.settlements import SettlementMismatch
from ledger.commands.application import IdempotencyMismatch
from ledger.kernel.errors import (
    Confidential,
    Invalid,
    LedgerError,
    NotFound,
    Overloaded,
    Refused,
    SamePerson,
    WrongState,
)
from ledger.kernel.roles import RoleForbidden
from ledger.kernel.sentences import Several, Word, as_data, filled
from ledger.people.sealing import VaultError
from ledger.store.commits import StoreFailed
from ledger.store.leaves import OutOfStep
from projections.kernel.follow import ViewsAway, ViewStopped
from projections.log.keys import WillNotSign
from projections.log.log import Changed

LOG = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

ERRORS_MAX = 20
"""Wrong fields that are named; who sends more has sent something else altogether."""

SHOWN_MAX = 200
"""Characters of anything that an answer repeats of a request."""

RETRY_AFTER_S = 1
"""Seconds after which a queue that was full has long been stored."""


class FieldError(BaseModel):
    """One field of a request, and what is wrong with it."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457). Nothing was written."""

    type: str = Field(examples=["/problems/wrong-state"])
    title: str
    status: int
    detail: str
    facts: dict[str, Any] = Field(
        default={},
        description="What the detail says, by name: money in fen, days as ISO 8601, ids as text.",
        examples=[{"step": "payment", "donation": "01a2075f-…", "state": "withdrawn"}],
    )
    errors: list[FieldError] | None = None


class Unauthenticated(LedgerError):
    """Who acts here shows a token that is known."""


class KeyRequired(LedgerError):
    """What moves money or state names itself, so that it can be repeated without harm."""

    NAME = "idempotency-key-required"


class TooLarge(LedgerError):
    """A request has a bounded size."""


class NotTypeset(LedgerError):
    """Receipts come as PDF where typst and its font are installed."""

    says = "there is no {missing} here; the receipt as JSON says the same"

    def __init__(self, missing: str | None) -> None:
        super().__init__(missing=missing)


class MethodNotAllowed(LedgerError):
    """Each path takes its own methods."""

    says = "this address does not take that method"


class InternalError(LedgerError):
    """This should not have happened and has been logged."""  # noqa: D404  # A title.

    says = "it is not known whether anything was written; send the request again with the same key"


class _Unreadable(Invalid):
    """What was said cannot be true as written.

    Attributes:
        errors: What is wrong with each field.

    """

    says = "cannot be read: {fields}"

    def __init__(self, errors: Sequence[Mapping[str, str]]) -> None:
        self.errors = errors
        named = dict.fromkeys(each["field"] for each in errors)
        LedgerError.__init__(self, fields=Several(map(Word, named)))


STATUS: Mapping[type[LedgerError], HTTPStatus] = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Refused: HTTPStatus.CONFLICT,
    SamePerson: HTTPStatus.FORBIDDEN,
    IdempotencyMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    RoleForbidden: HTTPStatus.FORBIDDEN,
    KeyRequired: HTTPStatus.BAD_REQUEST,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    VaultError: HTTPStatus.SERVICE_UNAVAILABLE,
    ViewStopped: HTTPStatus.SERVICE_UNAVAILABLE,
    ViewsAway: HTTPStatus.SERVICE_UNAVAILABLE,
    WillNotSign: HTTPStatus.SERVICE_UNAVAILABLE,
    Changed: HTTPStatus.INTERNAL_SERVER_ERROR,
    OutOfStep: HTTPStatus.INTERNAL_SERVER_ERROR,
    NotTypeset: HTTPStatus.NOT_IMPLEMENTED,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of each branch of the tree of errors; the nearest ancestor counts.

A refusal that knows of HTTP, as those of the gate do, states its own ``http_status``.
"""

LOGGED_EVERY_S = 10.0
"""Seconds between two lines in the log about errors of one kind, however many ask meanwhile."""


def _nearest(kind: type[LedgerError], table: Mapping[type[LedgerError], Any]) -> Any:
    return next((table[each] for each in kind.__mro__ if each in table), None)


def status_of(kind: type[LedgerError]) -> HTTPStatus:
    """Return the status that a kind of error is answered with."""
    status: HTTPStatus = getattr(kind, "http_status", None) or _nearest(kind, STATUS)
    return status


def title_of(kind: type[LedgerError]) -> str:
    """Return the rule, as its class says it."""
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def detail_of(error: LedgerError) -> str:
    """Return the facts of an error, as far as they are anybody's business."""
    return filled(error.says, error.facts)


def problem(error: LedgerError) -> dict[str, Any]:
    """Return the document that says why."""
    kind = type(error)
    document: dict[str, Any] = {
        "type": f"/problems/{kind.problem_name()}",
        "title": title_of(kind),
        "status": status_of(kind).value,
        "detail": detail_of(error),
        "facts": as_data(error.facts),
    }
    match error:
        case _Unreadable():
            document["errors"] = error.errors
        case Invalid():
            document["errors"] = [{"field": error.field, "message": str(error.fault)}]
        case WrongState():
            document |= {"state": error.state, "allowed": error.allowed}
        case SettlementMismatch():
            document["figures"] = [each._asdict() for each in error.differing]
        case IdempotencyMismatch():
            document["fields"] = error.fields
    retry_after: int | None = getattr(error, "retry_after", None)
    if retry_after is not None:
        document["retry_after"] = retry_after
    return document


def respond(document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem document."""
    status = document["status"]
    extra = dict(headers or {})
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        extra["Retry-After"] = str(document.get("retry_after", RETRY_AFTER_S))
    if status == HTTPStatus.UNAUTHORIZED:
        extra["WWW-Authenticate"] = "Bearer"
    return Response(msgspec.json.encode(document), status, extra, media_type=MEDIA_TYPE)


class OperatorLog:
    """Tells the operator what strangers are not told: of one kind, a line now and then."""

    def __init__(self) -> None:
        self._logged_at: dict[type[LedgerError], float] = {}

    def add(self, error: LedgerError) -> None:
        """Log an error, unless one of its kind was logged a moment ago."""
        now = monotonic()
        if now - self._logged_at.get(type(error), -inf) >= LOGGED_EVERY_S:
            self._logged_at[type(error)] = now
            LOG.error("%s", error)


def as_refusal(error: Exception) -> LedgerError:
    """Return an error that leaves a route as one of ours."""
    match error:
        case LedgerError():
            return error
        case RequestValidationError():
            return _unreadable(error.errors())
        case HTTPException():
            return _of_the_server(error.status_code)
        case _:
            return InternalError()


def nothing_here() -> NotFound:
    """Return what an address is answered with that names nothing."""
    return NotFound("page", says="there is nothing here")


def _of_the_server(status: int) -> LedgerError:
    """Return what the web framework refuses by itself as one of ours."""
    match status:
        case HTTPStatus.NOT_FOUND:
            return nothing_here()
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return TooLarge("the body is too large")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return MethodNotAllowed()
        case _:
            return Invalid("body", "cannot be read")


def _unreadable(faults: Sequence[Mapping[str, Any]]) -> LedgerError:
    if any(each["loc"][0] == "path" for each in faults):  # What is no id is no known id.
        return nothing_here()
    return _Unreadable(
        [
            {"field": _field(each["loc"]), "message": _shown(each["msg"])}
            for each in faults[:ERRORS_MAX]
        ]
    )


def _field(loc: Iterable[str | int]) -> str:
    """Return a field's name as its sender wrote it.

    >>> _field(("body", "instalments", 0, "amount"))
    'instalments.0.amount'
    >>> _field(("body", "13900000000"))
    '?'

    """
    path = [str(each) for each in loc]
    return ".".join(each if _NAME.fullmatch(each) else "?" for each in path[1:]) or path[0]


_NAME = re.compile(r"[0-9]{1,6}|[A-Za-z_][A-Za-z_-]{0,39}")
"""What can be the name of a field, or a place in a list; nothing else that was sent is repeated."""


def _shown(text: str) -> str:
    r"""Return ``said``, which may repeat what was sent, short and so that it can be written.

    >>> _shown("amount" + chr(0xD800))
    'amount\\ud800'

    """
    return text[:SHOWN_MAX].encode(errors="backslashreplace").decode()


def install(app: FastAPI) -> None:
    """Answer every error that leaves a route."""
    log = OperatorLog()

    async def refuse(_: Request, error: Exception) -> Response:
        refusal = as_refusal(error)
        if isinstance(refusal, Confidential) and refusal.details:
            log.add(refusal)
        return respond(problem(refusal), getattr(error, "headers", None))

    for kind in (LedgerError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, refuse)


def refusals(kinds: Iterable[type[LedgerError]]) -> dict[int | str, dict[str, Any]]:
    """Return the part of an OpenAPI operation that documents these refusals."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status = status_of(kind).value
        documented = by_status.setdefault(
            status,
            {
                "description": HTTPStatus(status).phrase,
                "content": {
                    MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {},
                    }
                },
            },
        )
        documented["content"][MEDIA_TYPE]["examples"][kind.problem_name()] = {
            "summary": title_of(kind),
            "value": {
                "type": f"/problems/{kind.problem_name()}",
                "title": title_of(kind),
                "status": status,
                "detail": "what exactly, with the figures and ids in question",
            },
        }
    return by_status
