"""Limits on what one client may ask for, and how an operator changes them.

The defaults are far above what people, a partner's feed or a public page come to; they stop one
client from taking all of a server. An operator changes them by ``--limit NAME=NUMBER`` or by
``LEIFENG_LIMIT_NAME``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Self

from msgspec import Struct
from msgspec.structs import fields

from ledger.kernel.errors import LedgerError

PREFIX = "LEIFENG_LIMIT_"

_NUMBER = re.compile("[1-9][0-9]{0,14}")


class LimitUnknown(LedgerError):
    """A limit is set by its name and a whole number above zero."""


class Limits(Struct, frozen=True):
    """The limits; rates are counted by each server process for itself.

    Attributes:
        requests_per_token: A minute, with one token.
        requests_per_address: A minute, from one address.
        feeds_per_token: Feeds and batches a minute, with one token, of whatever length.
        feed_bytes: Bytes of one feed.
        head_bytes: Bytes of a request's line and headers.
        headers: How many headers there are.
        target_bytes: Bytes of a path with its query.
        head_s: Seconds in which a head is sent.
        bytes_per_s: What whoever sends a body, or reads an answer, keeps up, looked at by turns of
            ``head_s``.
        idle_s: Seconds for which a connection is kept for a next request. Behind a proxy that
            keeps its own, more than it does, or it will now and then send into a closed one.
        connections: Open at once.
        connections_per_address: Open at once, from one address.

    """

    requests_per_token: int = 120_000
    requests_per_address: int = 600_000
    feeds_per_token: int = 6_000
    feed_bytes: int = 1024**3
    head_bytes: int = 32 * 1024
    headers: int = 100
    target_bytes: int = 8 * 1024
    head_s: int = 10
    bytes_per_s: int = 1024
    idle_s: int = 5
    connections: int = 2_000
    connections_per_address: int = 1_000

    @classmethod
    def of(cls, environment: Mapping[str, str], overrides: Iterable[str] = ()) -> Self:
        """Return the limits that the environment sets, and over it ``overrides``.

        >>> Limits.of({"LEIFENG_LIMIT_HEAD_S": "5"}, ["connections=10"]).connections
        10

        """
        named = {each.name for each in fields(cls)}
        values = {
            name: environment[PREFIX + name.upper()]
            for name in named
            if PREFIX + name.upper() in environment
        }
        values |= dict(each.partition("=")[::2] for each in overrides)
        for name, number in values.items():
            if name not in named:
                raise LimitUnknown(
                    f"there is no limit {name}; there are {', '.join(sorted(named))}"
                )
            if not _NUMBER.fullmatch(number):
                raise LimitUnknown(f"{name} must be a whole number above zero")
        return cls(**{name: int(number) for name, number in values.items()})
