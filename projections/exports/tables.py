"""Tables as files: CSV (RFC 4180), XLSX and JSON lines, each with the same rows.

CSV and XLSX are for people: titles and words are in the reader's language, and amounts in yuan,
exact to the fen. JSON lines are for programs: fields go by names that no language changes, amounts
are whole fen, days and instants as in ISO 8601, and words the codes that the API uses. What a
table needs in memory does not grow with its rows.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from io import TextIOWrapper
from itertools import islice
from typing import IO, Any, NamedTuple

import msgspec
from msgspec import Struct
from xlsxwriter import Workbook
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from ledger.kernel.aggregate import BUSINESS_ZONE
from ledger.kernel.money import yuan

MARK = "\ufeff"
"""Begins a CSV file, by which spreadsheets know that it is UTF-8."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would take for a formula when it opens a CSV file."""

ROWS_AT_ONCE = 200
"""Rows of a text file that are written at a time."""

SHEET_ROWS_MAX = 2**20 - 1
"""Rows of a worksheet below its titles; further rows go to another."""

TEXT_MAX = 2**15 - 1
"""Characters that a cell of a worksheet holds."""

FEN_PER_YUAN = 100

Row = Sequence[Any]


class Kind(StrEnum):
    """What a field holds, and so how each format writes it."""

    TEXT = "text"
    """Text, and references of banks and platforms, which stay text however like numbers."""

    EVENT = "event"
    """The position of an event."""

    NUMBER = "number"
    AMOUNT = "amount"
    """Money, in fen."""

    DAY = "day"
    INSTANT = "instant"
    CODE = "code"
    """One of a few codes, each of which has a word in every language."""

    CODES = "codes"
    """Several of them."""

    TRANSLATED = "translated"
    """Something that has its text in every language, each an attribute."""


class Field(Struct, frozen=True):
    """What all rows have at one place.

    Attributes:
        name: Names it to programs.
        title: Names it to people.
        kind: What it holds; any field may also hold None.
        words: The word of each code, to people.
        none: What people read for None.
        language: Attribute of what is translated.

    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    words: Mapping[str, str] = {}
    none: str = ""
    language: str = "zh"

    def text(self, value: Any) -> str:
        """Return what people read for a value of kind text, code, codes or translated."""
        if value is None:
            return self.none
        if self.kind is Kind.CODE:
            return self.words.get(value, value)
        if self.kind is Kind.CODES:
            return enumerated([self.words.get(code, code) for code in value], self.language)
        return str(getattr(value, self.language) if self.kind is Kind.TRANSLATED else value)


def enumerated(words: Iterable[str], language: str) -> str:
    """Return words one after the other, as a language enumerates them.

    >>> enumerated(["经办", "出纳"], "zh"), enumerated(["Clerk", "Cashier"], "en")
    ('经办、出纳', 'Clerk, Cashier')

    """
    return ("、" if language == "zh" else ", ").join(words)


def write_csv(file: IO[bytes], fields: Sequence[Field], rows: Iterable[Row]) -> None:
    """Write a table as CSV in UTF-8."""
    text = TextIOWrapper(file, "utf-8", newline="")
    text.write(MARK)
    write = csv.writer(text).writerow
    write([field.title for field in fields])
    for row in rows:
        write([csv_cell(field, value) for field, value in zip(fields, row, strict=True)])
    text.detach()


def csv_cell(field: Field, value: Any) -> str:
    """Write one cell.

    >>> csv_cell(Field("a", "A", Kind.AMOUNT), -1_797_089), csv_cell(Field("t", "T"), "=1+1")
    ('-17970.89', "'=1+1")

    """
    match field.kind, value:
        case Kind.AMOUNT, int():
            return yuan(value).replace(",", "")
        case Kind.INSTANT, datetime():
            return value.isoformat()
        case ((Kind.EVENT | Kind.NUMBER | Kind.DAY), _) if value is not None:
            return str(value)
    text = field.text(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def write_json_lines(file: IO[bytes], fields: Sequence[Field], rows: Iterable[Row]) -> None:
    """Write a table as JSON lines: an object a row."""
    encode = msgspec.json.Encoder().encode_lines
    objects = (
        {field.name: _raw(field, value) for field, value in zip(fields, row, strict=True)}
        for row in rows
    )
    while block := list(islice(objects, ROWS_AT_ONCE)):
        file.write(encode(block))


def _raw(field: Field, value: Any) -> Any:
    if field.kind is Kind.TRANSLATED and value is not None:
        return {"zh": value.zh, "en": value.en}
    return value


def write_xlsx(file: IO[bytes], fields: Sequence[Field], rows: Iterable[Row]) -> None:
    """Write a table as an Excel workbook: text is text, and never a formula, a link or a number."""
    book = Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    rest, formats = iter(rows), {kind: book.add_format(how) for kind, how in _FORMATS.items()}
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    while True:
        sheet = book.add_worksheet()
        _begin(sheet, fields, heading)
        if _fill(sheet, fields, formats, islice(rest, SHEET_ROWS_MAX)) < SHEET_ROWS_MAX:
            break
    book.close()


_FORMATS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.AMOUNT: {"num_format": "#,##0.00"},
    Kind.NUMBER: {"num_format": "#,##0"},
    Kind.EVENT: {"num_format": "0"},
    Kind.DAY: {"num_format": "yyyy-mm-dd", "align": "left"},
    Kind.INSTANT: {"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"},
    Kind.TEXT: {"num_format": "@"},
}

_WIDTHS: Mapping[Kind, int] = {
    Kind.TEXT: 28,
    Kind.EVENT: 10,
    Kind.NUMBER: 12,
    Kind.AMOUNT: 18,
    Kind.DAY: 12,
    Kind.INSTANT: 20,
    Kind.CODE: 24,
    Kind.CODES: 36,
    Kind.TRANSLATED: 48,
}
"""Of a column, in characters."""


def _begin(sheet: Worksheet, fields: Sequence[Field], heading: CellFormat) -> None:
    sheet.freeze_panes(1, 0)
    for number, field in enumerate(fields):
        sheet.set_column(number, number, _WIDTHS[field.kind])
        sheet.write_string(0, number, field.title, heading)


def _fill(
    sheet: Worksheet,
    fields: Sequence[Field],
    formats: Mapping[Kind, CellFormat],
    rows: Iterator[Row],
) -> int:
    """Write rows below the titles; return how many there were."""
    count = 0
    for count, row in enumerate(rows, start=1):  # How many is what is returned.
        for number, (field, value) in enumerate(zip(fields, row, strict=True)):
            _write(
                sheet, (count, number), field, value, formats.get(field.kind, formats[Kind.TEXT])
            )
    return count


def _write(
    sheet: Worksheet, place: tuple[int, int], field: Field, value: Any, how: CellFormat
) -> None:
    match field.kind, value:
        case Kind.AMOUNT, int():
            sheet.write_number(*place, value / FEN_PER_YUAN, how)
        case ((Kind.EVENT | Kind.NUMBER), int()):
            sheet.write_number(*place, value, how)
        case Kind.INSTANT, datetime():
            sheet.write_datetime(*place, value.astimezone(BUSINESS_ZONE).replace(tzinfo=None), how)
        case Kind.DAY, date():
            sheet.write_datetime(*place, datetime.combine(value, time()), how)
        case _ if text := field.text(value):
            sheet.write_string(*place, text[:TEXT_MAX], how)


class Format(NamedTuple):
    """A format of files.

    Attributes:
        title: What people call it.
        media_type: As HTTP names it.
        write: Writes a table.

    """

    title: str
    media_type: str
    write: Callable[[IO[bytes], Sequence[Field], Iterable[Row]], None]


FORMATS: Mapping[str, Format] = {
    "csv": Format("CSV", "text/csv; charset=utf-8", write_csv),
    "xlsx": Format(
        "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx
    ),
    "ndjson": Format("JSON Lines", "application/x-ndjson", write_json_lines),
}
"""Every format, by the suffix of its files."""
