"""Rows of a list as HTML. They are most of a page, so they are drawn here and not by a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from api.pages.kit.columns import Column
from api.pages.kit.languages import Language, words
from api.pages.kit.rendering import moment, signed
from projections.exports.tables import Kind, enumerated

Draw = Callable[[Any], Markup]
"""A macro of a page that draws the cell of a row."""

FIGURES = frozenset({Kind.AMOUNT, Kind.NUMBER})
"""What stands at the end of its cell, and has its title beside it on a narrow screen."""


class Cells:
    """Draws the rows of a list.

    Args:
        columns: All of the list.
        grouped: Names of those that only the first row of a group has.
        language: The reader's.
        drawn: Macros for cells that the page draws itself, by the name of the column.

    """

    def __init__(
        self,
        columns: Sequence[Column[Any]],
        grouped: Sequence[str],
        language: Language,
        drawn: Mapping[str, Draw],
    ) -> None:
        self._named = {each.name: each for each in columns}
        self._language, self._drawn, self._grouped = language, drawn, grouped
        self._say = words(language).gettext
        self._columns = [each for each in columns if each.on_page]
        self._labels = {
            each.name: f' data-name="{escape(self._say(each.title))}"'
            for each in self._columns
            if each.kind in FIGURES
        }

    def row(self, row: Any, *, is_total: bool = False, rows: int = 1) -> Markup:
        """Draw a row.

        Args:
            row: The row.
            is_total: It adds up others.
            rows: How many its group has, if it is the first of them; none, if it is another.

        """
        cells = "".join(self._cells(row, rows))
        total = ' class="total"' if is_total else ""
        return Markup(f'<tr role="row"{total}>{cells}</tr>')  # noqa: S704  # Drawn below, escaped.

    def _cells(self, row: Any, rows: int) -> Iterator[str]:
        for column in self._columns:
            is_grouped = column.name in self._grouped
            if is_grouped and not rows:
                continue
            span = f' rowspan="{rows}"' if is_grouped and rows > 1 else ""
            content = self._content(column, row)
            if column.heads:
                scope = "rowgroup" if span else "row"
                yield f'<th role="rowheader" scope="{scope}"{span}>{content}</th>'
            else:
                label, differs = self._labels.get(column.name, ""), ""
                if column.marks_difference and column.value(row):
                    differs = ' class="differs"'
                yield f'<td role="cell"{span}{label}{differs}>{content}</td>'

    def _content(self, column: Column[Any], row: Any) -> str:
        draw = self._drawn.get(column.name)
        content: str = self.linked(column.name, row) if draw is None else draw(row)
        for name in column.notes:
            note = self.linked(name, row)
            if note:
                content = f"{content} <small>{note}</small>"
        return content

    def linked(self, name: str, row: Any) -> Markup:
        """Draw what a column says of a row, and where that leads to."""
        column = self._named[name]
        text = str(self._value(column, column.value(row)))
        href = None if column.link is None else column.link(row)
        if href:
            text = f'<a href="{escape(href)}">{text}</a>'
        elif column.struck is not None and column.struck(row):
            text = f"<del>{text}</del>"
        return Markup(text)  # noqa: S704  # Its parts are escaped.

    def _value(self, column: Column[Any], value: Any) -> str:  # noqa: PLR0911  # One a kind.
        if value is None:
            return escape(self._say(column.none)) if column.none else ""
        match column.kind:
            case Kind.AMOUNT:
                if column.hides_zero and not value:
                    return ""
                less = " less" if value < 0 else ""
                return f'<data class="amount{less}" value="{value}">{signed(value)}</data>'
            case Kind.NUMBER:
                return f'<data class="amount" value="{value}">{value:,}</data>'
            case Kind.DAY:
                return f'<time datetime="{value}">{value}</time>'
            case Kind.INSTANT:
                return f'<time datetime="{value.isoformat()}">{moment(value)}</time>'
            case Kind.CODE:
                return escape(self._say(column.words.get(value, value)))
            case Kind.CODES:
                named = [self._say(column.words.get(code, code)) for code in value]
                return escape(enumerated(named, self._language))
            case Kind.TRANSLATED:
                return escape(getattr(value, self._language))
        return escape(value)
