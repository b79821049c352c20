"""Protection against cross-site requests (CSRF), by the origin of the sending page.

A browser sends cookies along with what pages of others make it send (CSRF). It says so in
``Sec-Fetch-Site``, and older ones in ``Origin``; no script can forge either. What changes something
is taken from our own pages, from programs, and from nobody else's page.
"""

from __future__ import annotations

from collections.abc import Mapping

from api.gate.refusals import CrossSite

READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing, so that any page may link to what they ask for."""

OUR_OWN = frozenset({b"same-origin", b"none"})
"""Our own pages, and what a person did themselves, such as typing the address."""


def check_origin(method: str, headers: Mapping[bytes, bytes]) -> None:
    """Refuse what a page of others makes a browser change here."""
    if method in READING:
        return
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        if site not in OUR_OWN:
            raise CrossSite("a page of another site sent this")
        return
    origin = headers.get(b"origin")
    if origin is not None:
        if origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower():
            raise CrossSite("a page of another site sent this")
    elif b"cookie" in headers:
        raise CrossSite("a browser must name the origin of its page in Sec-Fetch-Site or Origin")
