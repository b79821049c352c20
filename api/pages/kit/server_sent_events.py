"""Server-sent events: an answer that goes on until either side has had enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from http import HTTPStatus

from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

SLOW_S = 30.0
"""Seconds that a listener may take over one message before it is let go."""

LAST_WORDS_S = 1.0
"""Seconds in which an answer that is to end has ended by itself, if its reader still reads."""


def message(text: str, position: int) -> bytes:
    r"""Return what sends ``text``, as of an event of the ledger, to whoever listens.

    >>> message("<p>\n</p>", 17)
    b'id: 17\ndata: <p>\ndata: </p>\n\n'

    """
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"id: {position}\n{lines}\n".encode()


HEARTBEAT = b": still here\n\n"
"""Says nothing, so that whoever stands between does not take silence for the end."""


class EventStream(Response):
    """Sends each message as it comes.

    The next one is asked for only when the last has left, so a slow listener holds up nobody and
    piles up nothing: what it missed meanwhile is in the next message it gets.
    """

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncGenerator[bytes, None], closing: asyncio.Event) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._messages = messages
        self._closing = closing

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send until the messages end, the listener leaves, or the server closes."""
        talking = asyncio.create_task(self._talk(send))
        others = [asyncio.create_task(_left(receive)), asyncio.create_task(self._closing.wait())]
        try:
            await asyncio.wait([talking, *others], return_when=asyncio.FIRST_COMPLETED)
            if self._closing.is_set():
                await asyncio.wait([talking], timeout=LAST_WORDS_S)
        finally:
            for task in (talking, *others):
                task.cancel()
            await asyncio.gather(talking, *others, return_exceptions=True)

    async def _talk(self, send: Send) -> None:
        start = {
            "type": "http.response.start",
            "status": HTTPStatus.OK,
            "headers": self.raw_headers,
        }
        with suppress(TimeoutError):
            await send(start)
            async with aclosing(self._messages) as messages:
                async for each in messages:
                    async with asyncio.timeout(SLOW_S):
                        await send({"type": "http.response.body", "body": each, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


async def _left(receive: Receive) -> None:
    """Wait until the listener has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
