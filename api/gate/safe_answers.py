"""Security headers of every answer, unless its route sets others.

Most answers are for programs: a browser is told to show nothing of them but text. A page brings its
own ``Content-Security-Policy``, and what may be kept its own ``Cache-Control``; what a route says
itself is left as it is. Nothing here lets pages of others read anything (no CORS).
"""

from __future__ import annotations

from starlette.types import Message

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-store"),
)


_NAMES = frozenset(name for name, _ in SAFE)


def make_safe(message: Message) -> None:
    """Add the security headers that an answer does not set itself."""
    headers = message.get("headers", ())
    names = dict(headers)
    if _NAMES.isdisjoint(names):
        message["headers"] = [*headers, *SAFE]
    else:
        message["headers"] = [*headers, *(each for each in SAFE if each[0] not in names)]
