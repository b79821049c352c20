"""Headers that decide what a request means, each said once, in one encoding."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv6Address

from api.gate.refusals import MessageUnreadable
from ledger.kernel.errors import Invalid

Headers = Sequence[tuple[bytes, bytes]]

MAY_REPEAT = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"cookie",
        b"forwarded",
        b"pragma",
        b"via",
        b"x-forwarded-for",
    }
)
"""Headers that are lists, or that proxies add to. A second of any other is refused."""

_NAME = re.compile(rb"[a-z-]{1,40}")
_HOST = re.compile(rb"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def read(headers: Headers) -> Mapping[bytes, bytes]:
    """Return the headers by name; refuse duplicates of which either could count."""
    by_name = dict(headers)
    if len(by_name) != len(headers):
        names = [name for name, _ in headers]
        for name in by_name:
            if name not in MAY_REPEAT and names.count(name) > 1:
                if name == b"host":
                    raise MessageUnreadable("Host is sent twice")
                raise Invalid(_shown(name), "is sent twice")
    return by_name


def check_encoding(headers: Mapping[bytes, bytes]) -> None:
    """Refuse a body that comes in another coding than UTF-8 as it is."""
    if b"transfer-encoding" in headers and headers[b"transfer-encoding"].lower() != b"chunked":
        raise Invalid("Transfer-Encoding", "a body is sent as it is, in chunks or whole")
    if b"content-encoding" in headers and headers[b"content-encoding"].lower() != b"identity":
        raise Invalid("Content-Encoding", "a body is sent as it is, not compressed")
    media_type = headers.get(b"content-type", b"").lower()
    if b"charset" in media_type:
        charset = media_type.partition(b"charset")[2].strip(b'= "')
        if charset not in {b"utf-8", b"utf8"}:
            raise Invalid("Content-Type", "a body is in UTF-8")


def _no_host() -> MessageUnreadable:
    return MessageUnreadable("name the host in exactly one Host header")


@lru_cache(maxsize=64)
def _name_of(host: bytes) -> bytes:
    if not _HOST.fullmatch(host):
        raise _no_host()
    if host[:1] != b"[":
        return host.partition(b":")[0].lower()
    name = host[: host.index(b"]") + 1].lower()
    try:
        IPv6Address(name[1:-1].decode())
    except ValueError:
        raise _no_host() from None
    return name


def host_of(headers: Mapping[bytes, bytes]) -> bytes:
    """Return the requested host, in lower case and without the port."""
    return _name_of(headers.get(b"host", b""))


def _shown(name: bytes) -> str:
    """Return a header's name as people write it, if it is one that people write.

    >>> _shown(b"idempotency-key")
    'Idempotency-Key'

    """
    return name.decode().title() if _NAME.fullmatch(name) else "header"
