"""Encoding of bytes and numbers in the C2SP line formats, with strict decoding."""

from __future__ import annotations

import base64
import binascii
import re

from ledger.kernel.errors import LedgerError

NUMBER_MAX = 2**63 - 1
"""The greatest size, index or time: what a signed 64-bit number holds."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class Malformed(LedgerError):
    """What is read has to be written exactly as its format says."""


def to_base64(data: bytes) -> str:
    """Write bytes as RFC 4648 §4 has them."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, size: int | None = None) -> bytes:
    """Read base64; there is one way to write each sequence of bytes, and no other is read.

    Args:
        text: With its padding, without spaces or line ends.
        size: How many bytes there must be, if that is known.

    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("this is not base64") from None
    if to_base64(data) != text:  # Bits after the last byte, or padding within.
        raise Malformed("this is not how base64 spells these bytes")
    if size is not None and len(data) != size:
        raise Malformed(f"there are {len(data)} bytes where {size} belong")
    return data


def from_decimal(text: str) -> int:
    """Read a number: "ASCII decimal with no leading zeroes (unless the index is 0)"."""
    if not _DECIMAL.fullmatch(text) or int(text) > NUMBER_MAX:
        raise Malformed("this is not a whole number below 2^63 without leading zeroes")
    return int(text)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, each of which ends in a newline."""
    if not text.endswith("\n"):
        raise Malformed("the last line does not end")
    return text[:-1].split("\n")
