"""Refusals for people: the rule in the reader's language, and what to do next.

A browser that asks for a page is answered with one; every program is answered as before, with a
problem document, and so is whoever asks below ``/v1``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from api.kernel.problems import MEDIA_TYPE, as_refusal, status_of
from api.pages.kit.readiness import StillReading
from api.pages.kit.rendering import page
from ledger.kernel.errors import LedgerError

API = "/v1/"

Handler = Callable[[Request, Any], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Answer people with pages where programs are answered with documents."""
    for kind, handler in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _for_people(handler))  # type: ignore[arg-type]  # Ours are asynchronous.


def _for_people(handler: Handler) -> Handler:
    async def handle(request: Request, error: Any) -> Response:
        response = await handler(request, error)
        if response.media_type != MEDIA_TYPE or not wants_a_page(request):
            return response
        answer = await run_in_threadpool(_shown, request, as_refusal(error))
        for name in ("retry-after", "www-authenticate", "allow"):
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer

    return handle


def wants_a_page(request: Request) -> bool:
    """Say whether somebody looks at the answer, and not a program."""
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted and not request.url.path.startswith(API)


def _shown(request: Request, refusal: LedgerError) -> Response:
    status = status_of(type(refusal))
    return page(
        request,
        "problem.html",
        status=status,
        number=status.value,
        refusal=refusal,
        reading=refusal if isinstance(refusal, StillReading) else None,
    )
