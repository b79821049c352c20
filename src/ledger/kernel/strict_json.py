"""JSON that everybody reads alike (RFC 8259, and RFC 7493 where it leaves room).

Of two values under one key some readers keep the first and some the last: what one checks, another
records. So such a text is refused, as is one in another encoding, with a number that is none, or
nested deeper than anything that is said here.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import msgspec

from ledger.kernel.sentences import Sentence

DEPTH_MAX = 16
"""Objects and lists within each other. An order has three."""

_read = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder().encode
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_A_BRACKET = re.compile(rb"[^][{}]+")


class _Fault(ValueError):
    """The reason why a text is refused.

    Attributes:
        sentence: The fault, to follow the name of what was sent.

    """

    def __init__(self, sentence: Sentence) -> None:
        super().__init__()
        self.sentence = sentence


def fault_of(text: bytes, *, numbers: bool = True) -> Sentence | None:
    """Return why this JSON text is refused, or None.

    Whether it is JSON, and what it says, is for its reader; so are its ``numbers``, if that reader
    turns down what is none and can say in which field.

    >>> str(fault_of(b'{"amount": 1, "amount": 100}'))
    'has a key twice'

    """
    if text.count(b"[") + text.count(b"{") > DEPTH_MAX and _depth(text) > DEPTH_MAX:
        return Sentence("is nested more than {most} deep", most=DEPTH_MAX)
    try:
        once = b"\\" not in text and _write(_read(text)).count(b'"') == text.count(b'"')
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        once = False
    return None if once else _named_fault(text, _slowly if numbers else _leniently)


def _named_fault(text: bytes, read: Callable[[str], object]) -> Sentence | None:
    """Read with the slow parser, which names what the quick check could not rule out."""
    if text.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Sentence("begins with a byte order mark")
    if b"\0" in text:
        return Sentence("has a NUL, or is not in UTF-8")
    try:
        read(text.decode())
    except UnicodeDecodeError:
        return Sentence("is not in UTF-8")
    except _Fault as fault:
        return fault.sentence
    except (ValueError, RecursionError):
        return None
    return None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _Fault(Sentence("has a key twice"))
    return fields


def _no_number(word: str) -> object:
    raise _Fault(Sentence("has {word}, which is no number", word=word))


def _bounded(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _Fault(Sentence("has a number beyond all bounds"))
    return number


_leniently = json.JSONDecoder(object_pairs_hook=_once).decode
_slowly = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_number, parse_float=_bounded
).decode


def _depth(text: bytes) -> int:
    """Return how deep a text is nested, an estimate if it is not JSON."""
    deepest = depth = 0
    for bracket in _NOT_A_BRACKET.sub(b"", _STRINGS.sub(b"", text)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
