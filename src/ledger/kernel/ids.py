"""New ids and salts, and the random bytes they are made of, drawn from the system a page at a time.

A call to the system lets another thread run, and a busy ledger would pay for that twice an event.
What is handed out is the system's own randomness, each byte once.
"""

from __future__ import annotations

import os
import time
from threading import local
from uuid import UUID

PAGE_BYTES = 4096


class _Pages(local):
    """The unused rest of each thread's page, so that no two threads are given the same bytes."""

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


def new_id() -> UUID:
    """Return a fresh UUID version 7 (RFC 9562 §5.7): ordered in time, so inserts stay local."""
    unix_ms = time.time_ns() // 1_000_000
    value = unix_ms << 80 | 0x7 << 76 | int.from_bytes(random_bytes(10)) >> 4
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def _forget() -> None:
    _pages.page = b""
    _pages.used = 0


os.register_at_fork(after_in_child=_forget)
