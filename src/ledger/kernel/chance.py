"""Random bytes for ids and salts, drawn from the system a page at a time.

A call to the system lets another thread run, and a busy ledger would pay for that twice an event.
What is handed out is the system's own randomness, each byte once.
"""

from __future__ import annotations

import os
from threading import local

PAGE_BYTES = 4096


class _Pages(local):
    """What is left of each thread's page, so that no two threads are handed the same bytes."""

    page = b""
    used = 0


_pages = _Pages()


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes that nobody can guess, at most a page of them."""
    start = _pages.used
    end = start + count
    if end > len(_pages.page):
        _pages.page, start, end = os.urandom(PAGE_BYTES), 0, count
    _pages.used = end
    return _pages.page[start:end]


def _forget() -> None:
    _pages.page = b""
    _pages.used = 0


os.register_at_fork(after_in_child=_forget)
