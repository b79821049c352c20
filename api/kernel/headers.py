"""Headers of a request, by name."""

from __future__ import annotations

from fastapi import Request

HEADERS = "leifeng.headers"
"""Where the scope of a request has its headers by name; the gate reads them, once, and puts them
there.
"""


def header(request: Request, name: bytes) -> str | None:
    """Return a header's value, if it is there. The gate lets none through that is there twice."""
    value: bytes | None = request.scope[HEADERS].get(name)
    return None if value is None else value.decode("latin-1")
