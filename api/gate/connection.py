"""One connection: how fast and how much of it there must be, before there is any request.

uvicorn takes any head however large and waits for it however long; so do its answers for whoever
does not read them. This adds what it does not offer, and answers by problem documents. Whoever
sends a whole request at once, as nearly everybody does, is never timed.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseTransport, Protocol, TimerHandle
from collections import Counter, deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from api.gate.limits import Limits
from api.gate.refusals import HeadTooLarge, MessageUnreadable, TooSlow
from api.gate.safe_answers import SAFE
from api.kernel import problems
from ledger.kernel.errors import LedgerError, Overloaded

LINGER_S = 2.0
"""Seconds that are left to whoever was answered before they had said all."""


class Patience:
    """Gives up on somebody when too little moved within a turn.

    Attributes:
        over: There is nothing to wait for any more.

    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        turn_s: float,
        least: int,
        moved: Callable[[], int | None],
        give_up: Callable[[], None],
    ) -> None:
        self.over = False
        self._loop = loop
        self._turn_s = turn_s
        self._least = least
        self._moved = moved
        self._give_up = give_up
        self._before = moved() or 0
        self._timer = loop.call_later(turn_s, self._look)

    def _look(self) -> None:
        now = self._moved()
        if now is None:
            self.over = True
            return
        if now - self._before < self._least:
            self._give_up()
            return
        self._before = now
        self._timer = self._loop.call_later(self._turn_s, self._look)

    def end(self) -> None:
        """Wait no more."""
        self.over = True
        self._timer.cancel()


class Connection(HttpToolsProtocol):
    """A connection that is cut off when it is too slow, too large, one of too many or no HTTP."""

    limits: ClassVar[Limits]
    by_address: ClassVar[Counter[str]]

    _whole = True
    """All of the request that was begun last has come; so it is before the first."""
    _head = 0
    """Bytes of the head so far; all that came with it, if nothing else did."""
    _alone = True
    _named = 0
    _came = 0
    _paused = False
    """When it was last looked at, we did not read."""
    _open: deque[RequestResponseCycle] | None = None
    """Requests that are not answered yet; uvicorn itself knows the last one only."""
    _refusal: LedgerError | None = None
    _head_timer: TimerHandle | None = None
    _linger_timer: TimerHandle | None = None
    _sending: Patience | None = None
    _taking: Patience | None = None

    # What the event loop says.

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin, unless too many have."""
        super().connection_made(transport)  # type: ignore[arg-type]  # As uvicorn's.
        address = self._address()
        self.by_address[address] += 1
        if (
            len(self.connections) > self.limits.connections
            or self.by_address[address] > self.limits.connections_per_address
        ):
            self._refuse(Overloaded("too many connections are open"))
        else:
            self._head_timer = self.loop.call_later(self.limits.head_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, with all that was waited for."""
        address = self._address()
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]
        self._wait_no_more()
        self._forget_requests()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the next piece, and see what of the request is still to come."""
        self._came += len(data)
        self._alone = self._whole
        self._head = len(data) + (self._head if self._in_head() else 0)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head():
            if self._head > self.limits.head_bytes:
                self._refuse(
                    HeadTooLarge("at most {most:,} bytes of head", most=self.limits.head_bytes)
                )
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(self.limits.head_s, self._head_is_late)
        elif not self._whole:
            if len(self.headers) != self._named:
                self._refuse(MessageUnreadable("a body has no trailers here"))
            elif self._sending is None:
                self._sending = self._patience(self._moved_in, self._body_is_late)

    def pause_writing(self) -> None:
        """See whether an answer that is not read will be."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Go on, as it was read."""
        super().resume_writing()
        self._reader_keeps_up()

    # What the parser says.

    def on_message_begin(self) -> None:
        """Begin a request."""
        if not self._alone:  # Part of its first piece was another's.
            self._head = 0
        self._whole = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Look at the head as a whole before anybody works for it."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        if self._head > self.limits.head_bytes or not self._alone:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > self.limits.head_bytes:
                raise self._at_fault(
                    HeadTooLarge("at most {most:,} bytes of head", most=self.limits.head_bytes)
                )
        if not self.url.startswith(b"/") or b"#" in self.url:
            raise self._at_fault(MessageUnreadable("a target is a path and a query"))
        if self.parser.should_upgrade():
            raise self._at_fault(MessageUnreadable("no other protocol is supported"))
        self._named = len(self.headers)
        super().on_headers_complete()
        if self._open is None:
            self._open = deque()
        self._open.append(self.cycle)

    def on_message_complete(self) -> None:
        """End a request."""
        if len(self.headers) != self._named:
            raise self._at_fault(MessageUnreadable("a body has no trailers here"))
        self._whole, self._alone = True, False
        if self._sending is not None:
            self._sending.end()
            self._sending = None
        if self._linger_timer is not None:
            self._linger_timer.cancel()
            self._linger_timer = None
        super().on_message_complete()

    # What uvicorn says.

    def on_response_complete(self) -> None:
        """Close on whoever goes on sending what was answered, and on whoever reads nothing."""
        if self._open:
            self._open.popleft()
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._watch_reader()
        if not self._whole and not self._in_head() and not self.transport.is_closing():
            self._linger_timer = self.loop.call_later(LINGER_S, self.transport.close)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words, not ours.
        """Answer what is no HTTP, or none that is taken here."""
        self._refuse(self._refusal or MessageUnreadable("this is not an HTTP request"))

    # How it ends.

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._is_answering():
            return
        if not self._came:  # A browser opens a connection for later.
            self.transport.close()
            return
        self._refuse(
            TooSlow(
                "a request's head must arrive within {seconds} seconds", seconds=self.limits.head_s
            )
        )

    def _body_is_late(self) -> None:
        self._sending = None
        self._refuse(
            TooSlow(
                "a body must arrive at {least:,} bytes a second or more",
                least=self.limits.bytes_per_s,
            )
        )

    def _refuse(self, refusal: LedgerError) -> None:
        """Answer and close; an earlier request is answered first, and one half answered is cut."""
        self._wait_no_more()
        if self._is_answering():
            self.cycle.keep_alive = False
            self.pipeline.clear()
            self.flow.pause_reading()
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.response_started or self._whole or self._in_head():
            self.transport.write(_written(refusal))  # Else it has had its answer.
        self._forget_requests()
        self.transport.close()

    def _cut_off(self) -> None:
        self._forget_requests()
        self.transport.abort()

    def _forget_requests(self) -> None:
        """Tell those who work for this connection that nobody listens any more."""
        self.pipeline.clear()
        for cycle in self._open or ():
            cycle.disconnected = True
            cycle.message_event.set()

    def _is_answering(self) -> bool:
        """Say whether a whole request is being answered."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _in_head(self) -> bool:
        return not self._whole and "method" not in self.scope

    def _at_fault(self, refusal: LedgerError) -> LedgerError:
        self._refusal = refusal
        return refusal

    def _address(self) -> str:
        return self.client[0] if self.client else ""

    # Patience.

    def _patience(self, moved: Callable[[], int | None], give_up: Callable[[], None]) -> Patience:
        least = self.limits.head_s * self.limits.bytes_per_s
        return Patience(self.loop, self.limits.head_s, least, moved, give_up)

    def _moved_in(self) -> int:
        """Count what came; while we do not read, nobody is slow but us."""
        if self._paused or self.flow.read_paused:
            self._came += self.limits.head_s * self.limits.bytes_per_s
        self._paused = self.flow.read_paused
        return self._came

    def _watch_reader(self) -> None:
        if self._taking is None or self._taking.over:
            self._taking = self._patience(self._moved_out, self._cut_off)

    def _moved_out(self) -> int | None:
        """Count what is still to be read, as a debt; nothing, and nobody is waited for."""
        return -self.transport.get_write_buffer_size() or None

    def _reader_keeps_up(self) -> None:
        if self._taking is not None:
            self._taking.end()
            self._taking = None

    def _wait_no_more(self) -> None:
        for timer in (self._head_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        if self._sending is not None:
            self._sending.end()
        self._head_timer = self._linger_timer = self._sending = None
        self._reader_keeps_up()


def limited(limits: Limits) -> type[Protocol]:
    """Return the kind of connection that keeps these limits."""
    attributes: dict[str, Any] = {"limits": limits, "by_address": Counter()}
    return type("LimitedConnection", (Connection,), attributes)


def _written(refusal: LedgerError) -> bytes:
    """Return a refusal as it goes over the wire."""
    document = problems.problem(refusal)
    status = HTTPStatus(document["status"])
    body = msgspec.json.encode(document)
    headers = [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        *SAFE,
    ]
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", str(problems.RETRY_AFTER_S).encode()))
    first = f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode()
    return first + b"".join(b"%s: %s\r\n" % each for each in headers) + b"\r\n" + body
