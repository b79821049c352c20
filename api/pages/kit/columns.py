"""Declarations of a list: its columns, and the filters by which it is searched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from msgspec import Struct

from api.kernel.desk import Desk
from api.pages.kit.forms import day
from api.pages.kit.languages import Language, language_of, words
from ledger.kernel.errors import Invalid
from projections.exports.tables import Field, Kind
from projections.views.fund_balances import FundBalances, fund_rows

R = TypeVar("R")


class Column(Struct, Generic[R], frozen=True, kw_only=True):
    """A column of a list, on its page and in its files.

    Attributes:
        name: What programs and addresses call it, and what a row calls its value.
        title: What people call it, marked for translation.
        kind: What it holds; None stands for nothing, whatever the kind.
        read: Returns its value of a row, where the row does not call it by ``name``.
        words: The word of each code, marked for translation.
        none: What people read for None, marked for translation.
        link: Returns where a cell leads to, if anywhere.
        notes: Names of columns that stand small in the same cell of the page.
        sortable: The page offers to sort by it.
        on_page: It has a column of its own on the page.
        in_files: It has a column in files.
        heads: It names the row to those who hear the page.
        hides_zero: The page leaves zero out, as books do.
        struck: Says whether the page strikes an amount out, as of what did not come about.
        marks_difference: The page draws what is not zero as something that differs.

    """

    name: str
    title: str
    kind: Kind = Kind.TEXT
    read: Callable[[R], Any] | None = None
    words: Mapping[str, str] = {}
    none: str = ""
    link: Callable[[R], str | None] | None = None
    notes: tuple[str, ...] = ()
    sortable: bool = False
    on_page: bool = True
    in_files: bool = True
    heads: bool = False
    hides_zero: bool = False
    struck: Callable[[R], bool] | None = None
    marks_difference: bool = False

    def value(self, row: Any) -> Any:
        """Return what stands in a row, as stored."""
        if self.read is not None:
            return self.read(row)
        return row[self.name] if isinstance(row, Mapping) else getattr(row, self.name)

    def field(self, language: Language) -> Field:
        """Return the column as files have it, in the reader's language."""
        say = words(language).gettext
        return Field(
            name=self.name,
            title=say(self.title),
            kind=self.kind,
            words={code: say(word) for code, word in self.words.items()},
            none=say(self.none) if self.none else "",
            language=language,
        )

    def read_value(self, text: str) -> Any:
        """Read a value of this column as an address has it.

        Raises:
            ValueError: It is none.

        """
        match self.kind:
            case Kind.EVENT | Kind.NUMBER | Kind.AMOUNT:
                return int(text)
            case Kind.DAY:
                return date.fromisoformat(text)
        return text


class Filter(Struct, frozen=True, kw_only=True):
    """A part of the address that says which rows of a list are looked for.

    Attributes:
        name: In the address.
        title: What people call it, marked for translation.
        kind: A day, an id, text as typed, or a choice.
        words: The choices and the word of each, marked for translation.
        choices: Returns the choices with their names, where they are not known beforehand.
        strict: What is no choice is refused; otherwise nothing is found.
        appears: In the form: always, only while it is given, or hidden while it is given.
        max_length: Characters in the address.

    """

    name: str
    title: str = ""
    kind: Literal["day", "id", "text", "choice"] = "text"
    words: Mapping[str, str] = {}
    choices: Callable[[Desk], Mapping[str, str]] | None = None
    strict: bool = False
    appears: Literal["always", "given", "hidden"] = "always"
    max_length: int = 64

    def read(self, desk: Desk) -> Any:
        """Return what the address says, or None.

        Raises:
            Invalid: It says what is not possible.

        """
        text = desk.query_params.get(self.name, "").strip()
        if not text:
            return None
        if len(text) > self.max_length:
            raise Invalid(self.name, "must be at most {most} characters", most=self.max_length)
        if self.kind == "day":
            return day(text, self.name)
        if self.kind == "id":
            return _id(text, self.name)
        if self.strict and text not in self.options(desk):
            raise Invalid(self.name, "choose one")
        return text

    def options(self, desk: Desk) -> Mapping[str, str]:
        """Return the choices, in the reader's language."""
        if self.choices is not None:
            return self.choices(desk)
        say = words(language_of(desk)).gettext
        return {code: say(word) for code, word in self.words.items()}


def _id(text: str, name: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Invalid(name, "is not a valid id") from None


def fund_choices(desk: Desk) -> dict[str, str]:
    """Return every fund, by its code."""
    with desk.read(FundBalances) as reading:
        rows = fund_rows(reading.connection)
    return {row["fund"]: f"{row['name']} ({row['fund']})" for row in rows}
