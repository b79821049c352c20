"""Free text that may stand in a history nobody can edit.

What identifies a person could never be taken out again, so it is kept out: the Personal
Information Protection Law (个人信息保护法) arts. 6 and 19 ask for as little as possible and for as
short as possible.
"""

from __future__ import annotations

import re
import unicodedata

from ledger.errors import Invalid

TEXT_MAX = 500
"""Characters in one note. Long enough for a reason, too short for a file."""

_PERSONAL = {
    "an identity-card number": re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])"),
    "a bank-card number": re.compile(r"(?<!\d)(?:\d[ -]?){15,18}\d(?!\d)"),
    "a mobile-phone number": re.compile(
        r"(?<!\d)(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
    ),
}

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, and those that turn the reading direction so that a line shows another."""


def printable(text: str, field: str) -> str:
    """Return ``text`` if it is short and shows what it is; refuse it by ``field``'s name if not."""
    if not text.strip():
        raise Invalid(field, "must say something")
    if len(text) > TEXT_MAX:
        raise Invalid(field, f"must be at most {TEXT_MAX} characters, not {len(text)}")
    if _CONTROL.search(text):
        raise Invalid(field, "has a control character")
    return text


def plain(text: str, field: str) -> str:
    """Return ``text`` if it may stand in the history; refuse it by ``field``'s name if not.

    >>> plain("为76名儿童捐建测听室", "purpose")
    '为76名儿童捐建测听室'

    """
    printable(text, field)
    for what, pattern in _PERSONAL.items():
        if pattern.search(text):
            raise Invalid(field, f"has what looks like {what}, which may not be in the history")
    return text


REFERENCE = re.compile(r"[!-~]{1,64}")
"""Visible ASCII, as banks and payment platforms write their references."""


def reference(external_ref: str, field: str = "external_ref") -> str:
    """Return ``external_ref`` if it can be a bank's or platform's reference."""
    if not REFERENCE.fullmatch(external_ref):
        raise Invalid(field, "must be 1 to 64 visible ASCII characters")
    return external_ref


def spelled_alike(name: str) -> str:
    """Return what all spellings of an organisation's name have in common: letters and digits.

    >>> spelled_alike("ＡＢＣ 贸易（长沙）有限公司") == spelled_alike("abc贸易(长沙)有限公司 ")
    True

    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(each for each in folded if each.isalnum())
