"""Lists as CSV (RFC 4180), so that they go on in any spreadsheet.

In UTF-8 with a mark in front, by which spreadsheets know it; amounts in yuan, exact to the fen and
without grouping. Words that a spreadsheet would take for a formula are kept from it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from ledger.kernel.money import yuan

MARK = "\ufeff"

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet works out."""

ROWS_AT_ONCE = 200

Cell = object

As = Annotated[str, Query(alias="as", max_length=3)]
"""How an address asks for a list: as a page, unless it says otherwise."""

CSV = "csv"


class Yuan(int):
    """A cell that is an amount in fen."""


def sheet(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], say: Callable[[str], str]
) -> StreamingResponse:
    """Answer with a file of ``rows`` called ``name``, whose ``columns`` are said by ``say``."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
    }
    return StreamingResponse(
        _written(list(map(say, columns)), iter(rows)),
        media_type="text/csv; charset=utf-8",
        headers=headers,
    )


def _written(head: list[str], rows: Iterator[Sequence[Cell]]) -> Iterator[str]:
    yield MARK + _lines([head])
    while block := list(islice(rows, ROWS_AT_ONCE)):
        yield _lines([list(map(cell, row)) for row in block])


def _lines(rows: Iterable[Sequence[str]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def cell(value: Cell) -> str:
    """Write one cell.

    >>> cell(Yuan(-1_797_089)), cell("=1+1"), cell(None), cell(17)
    ('-17970.89', "'=1+1", '', '17')

    """
    match value:
        case Yuan():
            return yuan(value).replace(",", "")
        case None:
            return ""
        case str() if value.startswith(FORMULA):
            return f"'{value}"
    return str(value)
