"""Tables as files: each format says the same, as those who read it take it."""

import csv
import json
import tracemalloc
from datetime import UTC, date, datetime
from io import BytesIO, StringIO
from tempfile import TemporaryFile
from types import SimpleNamespace

import pytest
from openpyxl import load_workbook

from ledger.kernel.aggregate import BUSINESS_ZONE
from projections.exports import tables
from projections.exports.tables import FORMATS, Field, Kind

FIELDS = (
    Field("position", "记录", Kind.EVENT),
    Field("on", "日期", Kind.DAY),
    Field("at", "时刻", Kind.INSTANT),
    Field("state", "状态", Kind.CODE, {"paid": "已拨付"}),
    Field("sentence", "事项", Kind.TRANSLATED, language="zh"),
    Field("reference", "流水号"),
    Field("units", "件数", Kind.NUMBER),
    Field("amount", "元", Kind.AMOUNT),
    Field("payee", "收款方", none="个人"),
)
AT = datetime(2026, 3, 8, 12, 12, 38, tzinfo=UTC)
ROW = [
    *(7, date(2026, 3, 8), AT, "paid", SimpleNamespace(zh="已付款", en="It was paid")),
    *("00123456789012345678", 1_200, -123_456_789, None),
]


def written(name, rows, fields=FIELDS):
    file = BytesIO()
    FORMATS[name].write(file, fields, iter(rows))
    return file.getvalue()


def in_csv(content):
    return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))


def in_xlsx(content):
    book = load_workbook(BytesIO(content))
    return [[list(row) for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]


def test_csv_is_read_by_people():
    titles, row = in_csv(written("csv", [ROW]))

    assert titles == [field.title for field in FIELDS]
    assert row == [
        *("7", "2026-03-08", "2026-03-08T12:12:38+00:00", "已拨付", "已付款"),
        *("00123456789012345678", "1200", "-1234567.89", "个人"),
    ]


def test_json_lines_are_read_by_programs():
    content = written("ndjson", [ROW, ROW])

    lines = [json.loads(line) for line in content.splitlines()]
    assert (
        lines[0]
        == lines[1]
        == {
            "position": 7,
            "on": "2026-03-08",
            "at": "2026-03-08T12:12:38Z",
            "state": "paid",
            "sentence": {"zh": "已付款", "en": "It was paid"},
            "reference": "00123456789012345678",
            "units": 1_200,
            "amount": -123_456_789,
            "payee": None,
        }
    )


def test_a_workbook_has_numbers_days_and_text_that_stays_text():
    sheet = load_workbook(BytesIO(written("xlsx", [ROW]))).active
    titles, row = sheet.iter_rows()

    assert [cell.value for cell in titles] == [field.title for field in FIELDS]
    assert [cell.value for cell in row] == [
        *(7, datetime(2026, 3, 8), AT.astimezone(BUSINESS_ZONE).replace(tzinfo=None)),  # noqa: DTZ001  # As a workbook has it.
        *("已拨付", "已付款", "00123456789012345678", 1_200, -1_234_567.89, "个人"),
    ]
    assert [cell.data_type for cell in row] == [*"nddsssnns"]
    assert [cell.number_format for cell in row][1:3] == ["yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]
    assert row[7].number_format == "#,##0.00"
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("amount", [0, 1, -1, 99, 100, 123_456_789_012_345, 10**15 + 1])
def test_an_amount_of_a_workbook_is_exact_to_the_fen(amount):
    ((_, (value,)),) = in_xlsx(written("xlsx", [[amount]], [Field("a", "A", Kind.AMOUNT)]))

    assert round(value * 100) == amount


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "http://example.org", "007", "1e5"]
)
def test_no_text_is_worked_out_by_a_spreadsheet(text):
    fields = [Field("t", "T")]
    (_, (in_text,)) = in_csv(written("csv", [[text]], fields))
    cell = load_workbook(BytesIO(written("xlsx", [[text]], fields))).active["A2"]

    assert not in_text.startswith(tables.FORMULA)
    assert in_text.removeprefix("'") == text
    assert (cell.data_type, cell.hyperlink) == ("s", None)
    assert cell.value.replace("_x000D_", "\r") == text


def test_a_table_without_rows_has_its_titles():
    assert in_csv(written("csv", [])) == [[field.title for field in FIELDS]]
    assert written("ndjson", []) == b""
    assert in_xlsx(written("xlsx", [])) == [[[field.title for field in FIELDS]]]


@pytest.mark.parametrize("rows", [4, 5, 6, 10, 11])
def test_a_worksheet_that_is_full_is_followed_by_another(monkeypatch, rows):
    monkeypatch.setattr(tables, "SHEET_ROWS_MAX", 5)
    sheets = in_xlsx(written("xlsx", [[each] for each in range(rows)], [FIELDS[0]]))

    assert all(len(sheet) <= 6 and sheet[0] == ["记录"] for sheet in sheets)
    assert [value for sheet in sheets for (value,) in sheet[1:]] == list(range(rows))


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_of_any_length_is_written_in_little_memory(name):
    peaks = []
    for rows in (500, 8_000):
        with TemporaryFile() as file:
            tracemalloc.start()
            FORMATS[name].write(file, FIELDS, (ROW for _ in range(rows)))
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()

    assert peaks[1] < peaks[0] + 500_000, peaks
