"""The layer around the whole application: everybody comes in here, and out again."""

from __future__ import annotations

import ipaddress
from collections.abc import Hashable, Iterable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.gate.duplicate_headers import check_encoding, host_of, read
from api.gate.limits import Limits
from api.gate.origin import check_origin
from api.gate.rates import Rate
from api.gate.refusals import HeadTooLarge, HostUnknown, TargetTooLong
from api.gate.safe_answers import make_safe
from api.gate.target import check_path, check_query
from api.kernel import problems
from api.kernel.headers import HEADERS
from ledger.kernel.errors import LedgerError
from ledger.kernel.sentences import Word

FEED = b"application/x-ndjson"


class Gate:
    """Lets in what can be read in one way, from whoever leaves others their turn."""

    def __init__(self, app: ASGIApp, limits: Limits, hosts: Iterable[str] = ()) -> None:
        """Stand before ``app``, which answers to ``hosts``; none named, to any name."""
        self._app = app
        self._limits = limits
        self._hosts = frozenset(each.lower().encode() for each in hosts)
        self._by_address = Rate(limits.requests_per_address, Word("requests from an address"))
        self._by_token = Rate(limits.requests_per_token, Word("requests with a token"))
        self._feeds = Rate(limits.feeds_per_token, Word("feeds with a token"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse at once, or hand over; see to it that the answer is safe in either case."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                make_safe(message)
            await send(message)

        try:
            self._look_at(scope)
        except LedgerError as refusal:
            await problems.respond(problems.problem(refusal))(scope, receive, answer)
        else:
            await self._app(scope, receive, answer)

    def _look_at(self, scope: Scope) -> None:
        headers = scope["headers"]
        self._by_address.count(network(scope.get("client")))
        if len(headers) > self._limits.headers:
            raise HeadTooLarge("at most {most} headers", most=self._limits.headers)
        by_name = scope[HEADERS] = read(headers)
        self._count(by_name)
        host = host_of(by_name)
        if self._hosts and host not in self._hosts:
            raise HostUnknown("this is another host")
        path, query = scope.get("raw_path") or scope["path"].encode(), scope["query_string"]
        if len(path) + len(query) > self._limits.target_bytes:
            raise TargetTooLong(
                "at most {most:,} bytes of path and query", most=self._limits.target_bytes
            )
        check_path(path)
        check_query(query)
        check_encoding(by_name)
        check_origin(scope["method"], by_name)

    def _count(self, headers: Mapping[bytes, bytes]) -> None:
        token = headers.get(b"authorization")
        if token is None:
            return
        who = hash(token)  # So that no token is kept.
        self._by_token.count(who)
        if headers.get(b"content-type", b"").startswith(FEED):
            self._feeds.count(who)


def network(client: tuple[str, int] | None) -> Hashable:
    """Return whose address this is: in IPv6, a subscriber has a whole network of them.

    >>> network(("2001:db8::17", 5)) == network(("2001:db8::18", 6))
    True

    """
    if client is None:
        return None
    address = client[0]
    if ":" not in address:
        return address
    try:
        network = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:  # A proxy may say anything.
        return address
    return str(network.ipv4_mapped or network.packed[:8])
