"""Feeds over HTTP: read a line at a time, taken in a chunk at a time, whatever their length."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

from fastapi.concurrency import run_in_threadpool
from msgspec.structs import replace

from api.doors import Desk
from ledger.application import IdempotencyMismatch
from ledger.feeds import CHUNK_LINES, Feed
from ledger.names import SaleId
from ledger.store.commits import Receipt

LINE_BYTES_MAX = 64 * 1024
"""A longer line is no order. No more of it is kept, and it is rejected as malformed."""

TOO_LONG = b"{"


async def take_in(desk: Desk, kind: type[Feed], sale_id: SaleId) -> Receipt:
    """Take in the feed that is the body of the request; answer a repeated one as before."""
    act = desk.act(None)
    body = _Body(desk.request.stream())
    if desk.ledger.store.answer(act.command) is None:
        feed = await run_in_threadpool(kind, desk.ledger, act, sale_id)
        async for lines in body.chunks():
            await run_in_threadpool(feed.take_in, lines)
        return await run_in_threadpool(feed.finish, replace(act, fingerprint=_print(desk, body)))
    async for _ in body.chunks():
        pass
    repeated = desk.ledger.repeated(replace(act, fingerprint=_print(desk, body)))
    if repeated is None:  # It was there a moment ago, and nothing is ever taken out.
        raise IdempotencyMismatch(["body"])
    return repeated


def _print(desk: Desk, body: _Body) -> dict[str, str]:
    return {"path": desk.request.url.path, "body": body.digest.hexdigest()}


class _Body:
    """A body as chunks of lines, with the digest of all that was read."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self.digest = sha256()

    async def chunks(self) -> AsyncIterator[list[bytes]]:
        lines: list[bytes] = []
        rest = b""
        async for piece in self._stream:
            self.digest.update(piece)
            *whole, rest = (rest + piece).split(b"\n")
            rest = rest[: LINE_BYTES_MAX + 1]
            lines += map(_bounded, whole)
            while len(lines) >= CHUNK_LINES:
                yield lines[:CHUNK_LINES]
                del lines[:CHUNK_LINES]
        if rest:
            lines.append(_bounded(rest))
        if lines:
            yield lines


def _bounded(line: bytes) -> bytes:
    return line if len(line) <= LINE_BYTES_MAX else TOO_LONG
