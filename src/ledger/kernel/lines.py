"""Lines of a feed: the strict reader, and the code by which a line is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self, TypeVar

import msgspec

from ledger.kernel.errors import LedgerError
from ledger.kernel.sentences import FieldName, Sentence
from ledger.kernel.strict_json import fault_of

L = TypeVar("L")


class LineRefused(LedgerError):
    """A line of a feed that cannot be taken in; the others stand.

    Attributes:
        code: The contract's name for what is wrong with it.

    """

    code = "line.malformed"


class LineMalformed(LineRefused):
    """A feed line is one JSON object of the agreed shape.

    Attributes:
        quoted: The words of the JSON reader, which are English, in place of the sentence.

    """

    quoted: str = ""

    @classmethod
    def quoting(cls, words: str) -> Self:
        """Return the refusal of a line in the words of its reader."""
        refusal = cls("is not of the agreed shape")
        refusal.quoted = words
        return refusal

    def __str__(self) -> str:
        """Return the reader's words, or the sentence with its facts."""
        return self.quoted or super().__str__()


class AmountInvalid(LineRefused):
    """Money is a whole, positive number of fen."""

    code = "amount.invalid"


class DateInvalid(LineRefused):
    """A business day is one of the calendar, and not after today."""

    code = "date.invalid"


class Suspect(NamedTuple):
    """A field whose fault has a code of its own.

    Attributes:
        field: Its name, in the line itself or in a part of it.
        kind: What its value must be.
        refusal: What a line is refused by if it is not.
        rule: The rule, which follows the field's name.

    """

    field: str
    kind: type
    refusal: type[LineRefused]
    rule: Sentence


def reader(kind: type[L], *suspects: Suspect) -> Callable[[bytes], L]:
    """Return what reads a line as ``kind``, or raises ``LineRefused`` by the first fault.

    Faults of ``suspects`` come first, in their order; whatever else is wrong is malformed.
    """
    decode = msgspec.json.Decoder(kind).decode

    def read(line: bytes) -> L:
        try:
            fields = decode(line)
        except _NOT_READ as error:
            raise _fault(line, error, suspects) from None
        if (fault := fault_of(line)) is not None:
            raise _malformed(fault)
        return fields

    return read


_NOT_READ = (msgspec.MsgspecError, UnicodeError, RecursionError)

_anything = msgspec.json.Decoder().decode


def _fault(line: bytes, error: Exception, suspects: tuple[Suspect, ...]) -> LineRefused:
    """Return the refusal of a line that the strict reader rejected."""
    try:
        value = _anything(line)
    except _NOT_READ:
        return _malformed(fault_of(line) or Sentence("is not JSON"))
    for suspect in suspects:
        for part in _parts(value):
            if suspect.field in part and not _is(part[suspect.field], suspect.kind):
                return suspect.refusal(_RULE, field=FieldName(suspect.field), rule=suspect.rule)
    fault = fault_of(line)
    if fault is not None:
        return _malformed(fault)
    return LineMalformed.quoting(_ECHO.sub(r"\1\2", str(error)))


def _malformed(fault: Sentence) -> LineMalformed:
    return LineMalformed(fault.says, **fault.facts)


_RULE = Sentence("{field} {rule}").says


_ECHO = re.compile(
    r"(Invalid enum value) .*(?= - at `\$)|(unknown field) `(?![A-Za-z_]{1,40}`).*`(?= - at|$)",
    re.DOTALL,
)
"""What the reader's words repeat of a line, but for names that could be those of fields."""


def _parts(fields: Any) -> Iterator[dict[str, Any]]:
    """Return the objects of a line: itself, and those directly in it."""
    if isinstance(fields, dict):
        yield fields
        for value in fields.values():
            for each in value if isinstance(value, list) else (value,):
                if isinstance(each, dict):
                    yield each


def _is(value: object, kind: type) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
