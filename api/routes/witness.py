"""A witness over HTTP (C2SP tlog-witness): one call, and answers as the specification has them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from ledger.transparency.encoding import Malformed
from ledger.transparency.merkle import NotProven
from ledger.transparency.note import NOTE_BYTES_MAX, NotSigned
from ledger.transparency.witness import OldSizeDiffers, UnknownLog
from projections.log.witness import Witness

TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"

STATUS = {
    Malformed: HTTPStatus.BAD_REQUEST,
    NotSigned: HTTPStatus.FORBIDDEN,
    UnknownLog: HTTPStatus.NOT_FOUND,
    NotProven: HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""What each refusal is answered with; ``OldSizeDiffers``, with the size as its body, by 409."""


def create_witness(witness: Witness) -> FastAPI:
    """Build the service of a witness."""
    app = FastAPI(title="Witness", openapi_url=None)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > NOTE_BYTES_MAX:
                return Response("too large\n", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, media_type=TEXT)
        signature = await run_in_threadpool(witness.add_checkpoint, bytes(body))
        return Response(f"{signature}\n", media_type=TEXT)

    @app.exception_handler(OldSizeDiffers)
    async def conflict(_: Request, error: OldSizeDiffers) -> Response:
        # "The response MUST have a Content-Type of text/x.tlog.size": without a charset.
        headers = {"Content-Type": SIZE}
        return Response(f"{error.size}\n", HTTPStatus.CONFLICT, headers)

    async def refuse(_: Request, error: Exception) -> Response:
        return Response(f"{error}\n", STATUS[type(error)], media_type=TEXT)

    for kind in STATUS:
        app.add_exception_handler(kind, refuse)
    return app
