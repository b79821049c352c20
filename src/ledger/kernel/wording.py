"""Free text that may stand in a history nobody can edit.

What identifies a person could never be taken out again, so it is kept out: the Personal
Information Protection Law (个人信息保护法) arts. 6 and 19 ask for as little as possible and for as
short as possible.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from ledger.kernel.errors import Invalid
from ledger.kernel.sentences import Word

TEXT_MAX = 500
"""Characters in one note. Long enough for a reason, too short for a file."""

_PERSONAL = {
    Word("an identity-card number"): re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])"),
    Word("a bank-card number"): re.compile(r"(?<!\d)(?:\d[ -]?){15,18}\d(?!\d)"),
    Word("a mobile-phone number"): re.compile(
        r"(?<!\d)(?:(?:\+|00)?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
    ),
}

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\uffff\U000e0000-\U000e007f]"
)
"""Characters that do not show, or that turn the reading direction so that a line shows another."""


def shows_itself(text: str) -> bool:
    """Say whether ``text`` has nothing in it that does not show or that steers what shows it."""
    return _CONTROL.search(text) is None


def printable(text: str, field: str) -> str:
    """Return ``text`` if it is short and shows what it is; refuse it by ``field``'s name if not."""
    if not text.strip():
        raise Invalid(field, "must not be empty")
    if len(text) > TEXT_MAX:
        raise Invalid(
            field,
            "must be at most {most} characters, not {length}",
            most=TEXT_MAX,
            length=len(text),
        )
    if not shows_itself(text):
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
            raise Invalid(
                field,
                "seems to contain {what}, which may not be in the history",
                what=what,
            )
    return text


REFERENCE_MAX = 64
"""Characters of a reference."""

REFERENCE = re.compile(f"[!-~]{{1,{REFERENCE_MAX}}}")
"""Visible ASCII, as banks and payment platforms write their references."""


def reference(external_ref: str, field: str = "external_ref") -> str:
    """Return ``external_ref`` if it can be a bank's or platform's reference."""
    if not REFERENCE.fullmatch(external_ref):
        raise Invalid(
            field, "must be {least} to {most} visible ASCII characters", least=1, most=REFERENCE_MAX
        )
    return external_ref


def spelled_alike(name: str) -> str:
    """Return an organisation's name reduced to letters and digits, alike for all spellings.

    >>> spelled_alike("ＡＢＣ 贸易（长沙）有限公司") == spelled_alike("abc贸易(长沙)有限公司 ")
    True

    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(each for each in folded if each.isalnum())


_SOMEBODYS = re.compile(r"\d{11}|@")
"""Without any of these it is nobody's number; most have none."""

_E_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MOBILE_ALONE = re.compile(r"(?:(?:\+|00)?86-?)?1[3-9]\d{9}")
_IDENTITY_APART = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
"""Not in the midst of letters, as what programs count in hexadecimal digits may have it."""

_CARD = re.compile(r"62\d{14,17}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
"""Weights and check characters of an identity number (GB 11643)."""


def code(text: str, field: str) -> str:
    """Return ``text`` if it can be what somebody's program calls an order, and is nobody's number.

    Programs number orders with as many digits as cards and telephones have. So what has check
    digits is refused only if they are right, and a telephone's number only if it stands alone.

    >>> code("JLG-20260308-000005", "order_no")
    'JLG-20260308-000005'
    >>> code("01a21540f52d790997681607038360c5", "order_no")
    '01a21540f52d790997681607038360c5'

    """
    if not REFERENCE.fullmatch(text):
        raise Invalid(
            field, "must be {least} to {most} visible ASCII characters", least=1, most=REFERENCE_MAX
        )
    if _SOMEBODYS.search(text) is None:
        return text
    for what, looks_like in (
        (Word("an identity-card number"), _is_identity),
        (Word("a bank-card number"), _is_card),
        (Word("a mobile-phone number"), _MOBILE_ALONE.fullmatch),
        (Word("an e-mail address"), _E_MAIL.search),
    ):
        if looks_like(text):
            raise Invalid(field, "looks like {what}, which may not be in the history", what=what)
    return text


def _is_identity(text: str) -> bool:
    match = _IDENTITY_APART.search(text)
    if match is None:
        return False
    number = match.group().upper()
    try:
        date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == number[17]


def _is_card(text: str) -> bool:
    """Say whether this is a card of China UnionPay, by its first and its check digit (Luhn)."""
    if not _CARD.fullmatch(text):
        return False
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(text))]
    return sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0
