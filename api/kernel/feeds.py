"""Feeds over HTTP: read a line at a time, taken in a chunk at a time, whatever their length."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from hashlib import sha256
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from msgspec.structs import replace
from pydantic import BaseModel, Field

from api.kernel.desk import Desk
from api.kernel.dry_run import DryRun as DryRunAnswer
from api.kernel.dry_run import as_foreseen
from api.kernel.problems import TooLarge
from ledger.commands.application import IdempotencyMismatch
from ledger.commands.rehearsal import added_up, come_to
from ledger.feeds.chunk_store import DryRun
from ledger.feeds.feed import CHUNK_LINES, NAMED_MAX, Feed
from ledger.kernel.aggregate import Act
from ledger.kernel.sentences import Sentence
from ledger.store.commits import Receipt

LINE_BYTES_MAX = 64 * 1024
"""A longer line is nothing we know. No more of it is kept, and it is rejected as malformed."""

CHUNK_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of lines taken in together, should they be longer than any order ever was."""

TOO_LONG = b"{"


REHEARSED_LINES_MAX = 10_000
"""Lines of a dry run, whose events are all in memory and all in its answer."""


class RejectedLine(BaseModel):
    """A line that changed nothing, and why."""

    line: int = Field(examples=[3], description="Counting from 1, blank lines as well.")
    code: str = Field(examples=["amount.invalid"])
    detail: str = Field(examples=["amount must be a whole number of fen"])


class FeedOutcome(BaseModel):
    """How the lines of a feed fare. Good lines stand; a repeated line counts as a duplicate."""

    accepted: int
    duplicates: int
    rejected: list[RejectedLine] = Field(description=f"The first {NAMED_MAX:,}.")


class FeedTaken(FeedOutcome):
    """What came of a feed. Good lines stand; a repeated line counts as a duplicate."""

    position: int


class FeedForeseen(FeedOutcome, DryRunAnswer):
    """What a feed would come to, whose entry is added up by account and fund."""


def in_ndjson(example: str) -> dict[str, Any]:
    """Return the part of an OpenAPI operation that documents its body as lines of JSON."""
    media = {"schema": {"type": "string"}, "example": example}
    return {"requestBody": {"required": True, "content": {"application/x-ndjson": media}}}


class FeedAnswer(Response):
    """The answer to a feed.

    Attributes:
        sentences: Why lines were rejected, by their numbers, for a page to translate; none if the
            feed repeats one.

    """

    media_type = "application/json"
    sentences: Mapping[int, Sentence] = MappingProxyType({})


async def take_in(desk: Desk, begin: Callable[[Act], Feed[Any]]) -> FeedAnswer:
    """Take in the feed that is the body of the request; answer a repeated one as before."""
    if desk.dry_run:
        return await _rehearsed(desk, begin)
    act = desk.act(None)
    body = _Body(desk)
    if await run_in_threadpool(desk.ledger.store.answer, act.command) is not None:
        return _answer(await _repeated(desk, act, body))
    feed = await run_in_threadpool(begin, act)
    async for lines in body.chunks():
        await run_in_threadpool(feed.take_in, lines)
    receipt = await run_in_threadpool(feed.finish, replace(act, fingerprint=_print(desk, body)))
    answer = _answer(receipt)
    answer.sentences = {
        each.line: each.sentence for each in feed.rejected if each.sentence is not None
    }
    return answer


async def _rehearsed(desk: Desk, begin: Callable[[Act], Feed[Any]]) -> FeedAnswer:
    """Decide the lines as they would be, one after the other, and store none."""
    feed = await run_in_threadpool(begin, desk.attempt(desk.role))
    run = feed.rehearse()
    async for lines in _Body(desk).chunks():
        if feed.lines + len(lines) > REHEARSED_LINES_MAX:
            raise TooLarge(
                "a dry run takes at most {most:,} lines: try the file in parts",
                most=REHEARSED_LINES_MAX,
            )
        await run_in_threadpool(feed.take_in, lines)
    return await run_in_threadpool(_foreseen, feed, run)


def _foreseen(feed: Feed[Any], run: DryRun) -> FeedAnswer:
    feed.flush()
    rehearsal = come_to(feed.ledger, run.events, run.changes)
    rehearsal = rehearsal._replace(entry=added_up(rehearsal.entry))
    return FeedAnswer(msgspec.json.encode(as_foreseen(rehearsal, HTTPStatus.OK) | feed.summary()))


def _answer(receipt: Receipt) -> FeedAnswer:
    headers = {"Idempotency-Replayed": "true"} if receipt.repeated else {}
    body = msgspec.json.encode(receipt.summary | {"position": receipt.position})
    return FeedAnswer(body, headers=headers)


async def _repeated(desk: Desk, act: Act, body: _Body) -> Receipt:
    async for _ in body.chunks():
        pass
    repeated = await run_in_threadpool(
        desk.ledger.repeated, replace(act, fingerprint=_print(desk, body))
    )
    if repeated is None:  # It was there a moment ago, and nothing is ever taken out.
        raise IdempotencyMismatch(["body"])
    return repeated


def _print(desk: Desk, body: _Body) -> dict[str, str]:
    return {"path": desk.url.path, "body": body.digest.hexdigest()}


class Lines:
    """Cuts what comes in pieces into chunks of lines, keeping no more than a chunk."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._bytes = 0
        self._rest = b""

    def more(self, piece: bytes) -> Iterator[list[bytes]]:
        """Take the next piece; return the chunks that it completes."""
        *whole, rest = (self._rest + piece).split(b"\n")
        self._rest = rest[: LINE_BYTES_MAX + 1]
        for line in map(_bounded, whole):
            self._lines.append(line)
            self._bytes += len(line)
            if len(self._lines) == CHUNK_LINES or self._bytes > CHUNK_BYTES_MAX:
                yield self._lines
                self._lines, self._bytes = [], 0

    def end(self) -> Iterator[list[bytes]]:
        """Return what is left, if anything is."""
        if self._rest:
            self._lines.append(_bounded(self._rest))
        if self._lines:
            yield self._lines


class _Body:
    """A body as chunks of lines, with the digest of all that was read."""

    def __init__(self, desk: Desk) -> None:
        self._stream = desk.stream()
        self._left = desk.app.state.limits.feed_bytes
        self.digest = sha256()
        length = desk.headers.get("content-length")
        if length is not None:  # So that nothing of it is recorded.
            self._must_fit(int(length))

    def _must_fit(self, size: int) -> None:
        if size > self._left:
            raise TooLarge("a feed is too long: send it in parts, which are known again")

    async def chunks(self) -> AsyncIterator[list[bytes]]:
        lines = Lines()
        async for piece in self._stream:
            self._must_fit(len(piece))
            self._left -= len(piece)
            self.digest.update(piece)
            for chunk in lines.more(piece):
                yield chunk
        for chunk in lines.end():
            yield chunk


def _bounded(line: bytes) -> bytes:
    return line if len(line) <= LINE_BYTES_MAX else TOO_LONG
