"""Lists: declared once, and read as a page, as CSV, as XLSX and as JSON lines.

A declaration says what a list is called, where its rows come from, and which columns and filters
it has. From it come the table of the page, its parts, sorting, the form of filters, and the files.
A list is as good as one position of the history: its parts keep it in the address, so that what is
recorded meanwhile moves no row from one part to another, and a file is made in one reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, partial
from itertools import groupby
from tempfile import SpooledTemporaryFile
from types import MappingProxyType
from typing import IO, Any, Generic, TypeVar

from fastapi.responses import Response, StreamingResponse
from msgspec import Struct, structs

from api.kernel.desk import Desk, Reading
from api.kernel.texts import marked
from api.pages.kit.cells import Cells
from api.pages.kit.cells import Draw as DrawCell
from api.pages.kit.columns import Column, Filter
from api.pages.kit.languages import language_of
from api.pages.kit.moments import as_of
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rendering import query_of
from api.pages.kit.rows import ListQuery, Part, Source
from ledger.kernel.errors import Invalid
from projections.exports.tables import FORMATS
from projections.kernel.keyset import Range
from projections.kernel.view import View

R = TypeVar("R")

FORM, SORT, UNTIL, AFTER, BEFORE = "as", "sort", "until", "after", "before"
"""What addresses call the format of a file, what a list is sorted by, and where a part begins."""

DIGITS_MAX = 16
"""Of a position."""

MEMORY_MAX, PIECE_BYTES = 2**20, 2**16
"""Bytes of a file above which it is kept on disk until it is sent, and that are sent at a time."""

Draw = Callable[..., Response]
"""Makes the page of a list, which it is given as ``listing``."""


class ListPage(Struct, Generic[R], frozen=True, kw_only=True):
    """A list.

    Attributes:
        name: What its files are called.
        title: What people call it, marked for translation.
        lead: What its page says first, marked for translation.
        view: The view that it is read from.
        rows: Where its rows come from.
        columns: What each row says.
        filters: By what it is looked through.
        order: The name of what it is sorted by unless the address says otherwise, after a minus
            where the largest comes first; nothing where it stands as it is read.
        order_of_files: The same for files, where it differs.
        size: Rows on a page.
        none: What the page says where there is no row, marked for translation.
        later: What leads to the next part, marked for translation.
        group: Rows that stand together, of which only the first says what is ``grouped``.
        grouped: Names of the columns that all rows of a group have alike.
        is_total: Says whether a row adds up others.
        section: The part of the page that the list is, for addresses.

    """

    name: str
    title: str
    view: type[View]
    rows: Source[R]
    columns: tuple[Column[R], ...]
    lead: str = ""
    filters: tuple[Filter, ...] = ()
    order: str = ""
    order_of_files: str | None = None
    size: int = 50
    none: str = marked("There is nothing of this kind.")
    later: str = marked("Later rows")
    group: Callable[[R], Any] | None = None
    grouped: tuple[str, ...] = ()
    is_total: Callable[[R], bool] | None = None
    section: str = ""

    def answer(self, desk: Desk, draw: Draw, **given: Any) -> Response:
        """Answer with the list: as a file if the address asks for one, and else as its page.

        Args:
            desk: Who asks.
            draw: Makes the page.
            given: What the rows need to know besides the filters.

        """
        suffix = desk.query_params.get(FORM, "")
        if suffix not in FORMATS:
            return self.page(desk, draw, **given)
        require_views_ready(desk.site)
        return self._file(desk, suffix, self._given(desk, given))

    def page(self, desk: Desk, draw: Draw, **given: Any) -> Response:
        """Answer with the page of the list, whatever the address asks for.

        It is drawn while the view is read, for what else it shows to be of the same position.
        """
        require_views_ready(desk.site)
        filters = self._given(desk, given)
        with desk.read(self.view) as reading:
            query = self._begun(self._query(desk, reading, filters, self._order(desk)))
            return draw(listing=ListView(self, query, self.rows.part(query)))

    def _given(self, desk: Desk, given: Mapping[str, Any]) -> dict[str, Any]:
        return {**given, **{each.name: each.read(desk) for each in self.filters}}

    def names(self) -> tuple[str, ...]:
        """Return every name that the list reads of an address."""
        return (*(each.name for each in self.filters), FORM, SORT, UNTIL, AFTER, BEFORE)

    def _query(
        self, desk: Desk, reading: Reading, given: Mapping[str, Any], order: str
    ) -> ListQuery[R]:
        """Return what is asked for, beginning with the first row."""
        name = order.removeprefix("-")
        column = next((each for each in self.columns if each.name == name), None)
        page_range = Range(self.size, name, order.startswith("-"), until=reading.position)
        return ListQuery(desk, reading, dict(given), page_range, column)

    def _begun(self, query: ListQuery[R]) -> ListQuery[R]:
        """Return what is asked for, beginning and ending where the address says."""
        page_range, text = query.range, query.desk.query_params.get(cursor_of(query.range), "")
        try:
            after = self.rows.read_key(text, query.column) if text else None
        except ValueError:
            raise Invalid(cursor_of(page_range), "was not issued by this page") from None
        until = _position(query.desk, UNTIL) or page_range.until
        return structs.replace(query, range=structs.replace(page_range, after=after, until=until))

    def _order(self, desk: Desk) -> str:
        order = desk.query_params.get(SORT, "") or self.order
        sortable = {each.name for each in self.columns if each.sortable}
        if order != self.order and order.removeprefix("-") not in sortable:
            raise Invalid(SORT, "choose one")
        return order

    def _file(self, desk: Desk, suffix: str, given: Mapping[str, Any]) -> Response:
        form = FORMATS[suffix]
        fields = [each.field(language_of(desk)) for each in self.columns if each.in_files]
        file = SpooledTemporaryFile(MEMORY_MAX)  # noqa: SIM115  # Closed once it is sent.
        with desk.read(self.view) as reading:
            form.write(file, fields, self._cells(desk, reading, given))
        size = file.tell()
        file.seek(0)
        headers = {
            "Content-Disposition": f'attachment; filename="{self.name.format(**given)}.{suffix}"',
            "Content-Length": str(size),
            "Cache-Control": "no-store",
        }
        return StreamingResponse(_sent(file), media_type=form.media_type, headers=headers)

    def _cells(self, desk: Desk, reading: Reading, given: Mapping[str, Any]) -> Iterator[list[Any]]:
        """Yield the cells of every row, all of one reading."""
        order = self._order(desk)
        if not desk.query_params.get(SORT) and self.order_of_files is not None:
            order = self.order_of_files
        query = self._query(desk, reading, given, order)
        page_range = structs.replace(query.range, limit=self.rows.rows_at_once)
        columns = [each for each in self.columns if each.in_files]
        while True:
            part = self.rows.part(structs.replace(query, range=page_range))
            for row in part.rows:
                yield [each.value(row) for each in columns]
            if part.following is None:
                return
            page_range = structs.replace(page_range, after=part.following)


def cursor_of(page_range: Range) -> str:
    """Return what addresses call the key of the last row before a part."""
    return BEFORE if page_range.descending else AFTER


def _position(desk: Desk, name: str) -> int | None:
    text = desk.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise Invalid(name, "was not issued by this page")
    return int(text)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(partial(file.read, PIECE_BYTES), b"")


class ListView(Generic[R]):
    """A part of a list as a page shows it.

    Attributes:
        page: The list.
        part: Its rows.
        reading: The view that it was read from.
        given: The filters, and what else the page was given.

    """

    def __init__(self, page: ListPage[R], query: ListQuery[R], part: Part[R]) -> None:
        self.page, self.part, self._query = page, part, query
        self.reading, self.given = query.reading, query.given
        self._address = query.desk.query_params

    @cached_property
    def as_of(self) -> dict[str, Any]:
        """Return which event the list is as good as, and when that was recorded."""
        return as_of(self._query.desk, self.reading.position)

    @cached_property
    def columns(self) -> list[Column[R]]:
        """Return those that the page has."""
        return [each for each in self.page.columns if each.on_page]

    def cells(self, drawn: Mapping[str, DrawCell] = MappingProxyType({})) -> Cells:
        """Return what draws the rows, but for the cells that the page draws itself."""
        language = language_of(self._query.desk)
        return Cells(self.page.columns, self.page.grouped, language, drawn)

    def is_total(self, row: R) -> bool:
        """Say whether a row adds up others."""
        return self.page.is_total is not None and self.page.is_total(row)

    @property
    def groups(self) -> list[list[R]]:
        """Return the rows, those together that stand together."""
        if self.page.group is None:
            return [list(self.part.rows)]
        return [list(rows) for _, rows in groupby(self.part.rows, self.page.group)]

    @property
    def count(self) -> int | None:
        """Return how many rows the list has, if that is known and none of them is a sum."""
        if self.page.is_total is not None:
            return None
        if self.part.count is not None:
            return self.part.count
        return None if self.is_part else len(self.part.rows)

    @property
    def is_part(self) -> bool:
        """Say whether there are other parts."""
        return self._begins_later or self.part.following is not None

    @property
    def until(self) -> int | None:
        """Return the position that the first part belongs to, where it is not this reading's."""
        until = self._query.range.until
        return until if self.page.rows.in_parts and until != self.reading.position else None

    @property
    def filters(self) -> list[tuple[Filter, Any, Mapping[str, str]]]:
        """Return what the form has, with what each filter is set to and its choices."""
        given, desk = self.given, self._query.desk
        return [
            (each, given[each.name], each.options(desk) if each.kind == "choice" else {})
            for each in self.page.filters
            if each.appears == "always" or given[each.name] is not None
        ]

    @property
    def is_filtered(self) -> bool:
        """Say whether some rows may be left out."""
        return any(self.given[each.name] is not None for each in self.page.filters)

    @property
    def sort(self) -> str | None:
        """Return what the address sorts the list by, if it does."""
        return self._address.get(SORT) or None

    def sorted_by(self, column: Column[R]) -> str | None:
        """Return how the list is sorted by a column, in the words of ARIA."""
        if column.name != self._query.range.column:
            return None
        return "descending" if self._query.range.descending else "ascending"

    def sort_href(self, column: Column[R]) -> str:
        """Return where the list is sorted by a column, and the other way if it is already."""
        turned = "-" if self.sorted_by(column) == "ascending" else ""
        return self._href({SORT: f"{turned}{column.name}"})

    @property
    def files(self) -> list[tuple[str, str]]:
        """Return the name of each format, and where the list is in it."""
        return [
            (form.title, self._href({FORM: suffix, SORT: self.sort}, section=""))
            for suffix, form in FORMATS.items()
        ]

    @property
    def first(self) -> str | None:
        """Return where the first part is, if this is another."""
        return self._href({SORT: self.sort}) if self._begins_later else None

    @property
    def following(self) -> str | None:
        """Return where the next part is, if there is one."""
        if self.part.following is None:
            return None
        key = self.page.rows.write_key(self.part.following)
        until = self._query.range.until if self.page.rows.in_parts else None
        return self._href({SORT: self.sort, UNTIL: until, cursor_of(self._query.range): key})

    @property
    def _begins_later(self) -> bool:
        return self._query.range.after is not None

    def _href(self, names: Mapping[str, str | int | None], section: str | None = None) -> str:
        filters = {each.name: self.given[each.name] for each in self.page.filters}
        place = self.page.section if section is None else section
        return query_of(filters | dict(names)) + place
