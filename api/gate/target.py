"""The target of a request: only the one spelling that everybody reads alike is accepted.

A proxy, a log and a router that read ``/a/%2e%2e/b`` or ``?fund=A&fund=B`` each in their own way
see different requests. Nothing here needs such a way of writing, so there is none.
"""

from __future__ import annotations

import re
from string import ascii_letters, digits
from urllib.parse import unquote_to_bytes

from ledger.kernel.errors import Invalid
from ledger.kernel.wording import shows_itself

_PLAIN = f"{ascii_letters}{digits}/_~:@.-".encode()
_PLAIN_QUERY = re.compile(rb"[A-Za-z0-9_~.:,/=&-]*")
_NAME = re.compile(rb"[a-z_]{1,40}")
_SEGMENT_TRICKS = re.compile(rb"%(?:2[ef]|5c|25)|\\", re.IGNORECASE)
_ESCAPED = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def check_path(path: bytes) -> None:
    """Refuse a path, as it was sent, that could be read in two ways."""
    if not path.startswith(b"/"):
        raise Invalid("path", "must begin with a slash")
    if b"//" not in path and b"/." not in path and not path.translate(None, _PLAIN):
        return  # As nearly all are.
    if b"//" in path:
        raise Invalid("path", "has an empty part")
    if _SEGMENT_TRICKS.search(path):
        raise Invalid("path", "hides a dot, a slash, a backslash or a percent sign")
    if any(part in {b".", b".."} for part in path.split(b"/")):
        raise Invalid("path", "has a part of dots")
    _read(path, "path")


def check_query(query: bytes) -> None:
    """Refuse a query that asks the same thing twice, or what cannot be shown."""
    if not query:
        return
    parameters = query.split(b"&")
    names = [each.partition(b"=")[0] for each in parameters]
    if not _PLAIN_QUERY.fullmatch(query):
        for each, name in zip(parameters, names, strict=True):
            _read(each, name.decode() if _NAME.fullmatch(name) else "query")
        names = [unquote_to_bytes(each.replace(b"+", b" ")) for each in names]
    if len(names) != len(set(names)):
        raise Invalid("query", "has a parameter twice")


def _read(raw: bytes, field: str) -> None:
    if _ESCAPED.search(raw):
        raise Invalid(field, "has a percent sign that escapes nothing")
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Invalid(field, "is not UTF-8") from None
    if not shows_itself(text):
        raise Invalid(field, "has a control character")
