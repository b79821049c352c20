"""A form as it is drawn: each field with its label, hint, choices and fault, for the template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from api.kernel.desk import today
from api.kernel.things import MATCHES_MAX, Match, Search, Thing
from api.pages.kit.drawn.answers import ROWS, rows_of
from api.pages.kit.drawn.fields import Field, Kind, label_path
from api.pages.kit.drawn.operations import Operation
from api.pages.kit.drawn.wording import choices_of, hint_of, label_of
from api.pages.kit.entrance import PageDesk
from api.pages.kit.rendering import percent
from ledger.kernel.sentences import Sentence

FIND = ".find"
"""What the field is called in which it is written what is looked for."""

NOT_OF_TODAY = frozenset({"starts_on", "ends_on", "due_on"})
"""Days that are seldom the one on which a form is filled in."""

SHOWN_AT_FIRST = 6
"""Things that are shown before anything is searched for, the newest."""

TEXT_DEFAULT_MAX = 500
"""Characters of a text of which the body names no bound."""


class Choice(Struct, frozen=True):
    """One of several things to choose, or to tick."""

    value: str
    label: str
    is_chosen: bool


class Drawn(Struct, frozen=True):
    """A field as it is drawn.

    Attributes:
        name: By which it is sent.
        kind: How it is drawn.
        label: What it is called, to be translated.
        hint: What else there is to say, to be translated.
        optional: It may be left out.
        value: What stands in it.
        fault: What is wrong with it, if anything is.
        longest: Most characters.
        choices: Of which one, or some, are chosen.
        matches: Things that were found.
        chosen: The one of them that is chosen.
        more: There are more than are shown.
        looked_for: What was written to find them.
        parts: Of a group.
        rows: Of a list, each with its parts.

    """

    name: str
    kind: Kind
    label: str
    hint: str | None = None
    optional: bool = False
    value: str = ""
    fault: Sentence | None = None
    longest: int | None = None
    choices: Sequence[Choice] = ()
    matches: Sequence[Match] = ()
    chosen: Match | None = None
    more: bool = False
    looked_for: str = ""
    parts: Sequence[Drawn] = ()
    rows: Sequence[Sequence[Drawn]] = ()

    @property
    def id(self) -> str:
        """Where a page has it, which a summary of faults links to."""
        return f"f-{self.name}"


class Drawing:
    """Draws the fields of an operation with what was written into them."""

    def __init__(
        self,
        desk: PageDesk,
        operation: Operation,
        form: Mapping[str, str],
        faults: Mapping[str, Sentence],
        *,
        is_new: bool = False,
    ) -> None:
        self._desk = desk
        self._operation = operation
        self._form = form
        self._faults = faults
        self._is_new = is_new

    def fields(self) -> list[Drawn]:
        """Return every field, in the order of path and body."""
        return self._all(self._operation.every_field(), "")

    def _all(self, fields: Sequence[Field], prefix: str) -> list[Drawn]:
        return [
            self._one(each, prefix + each.name) for each in fields if each.kind is not Kind.FIXED
        ]

    def _one(self, field: Field, name: str) -> Drawn:
        path = label_path(f"{self._operation.name}:{name}")
        return Drawn(
            name,
            field.kind,
            label_of(path),
            hint_of(path),
            optional=field.optional,
            fault=self._faults.get(name),
            longest=field.longest or TEXT_DEFAULT_MAX,
            **self._about(field, name),
        )

    def _about(self, field: Field, name: str) -> dict[str, Any]:  # noqa: PLR0911  # A table.
        match field.kind:
            case Kind.GROUP:
                return {"parts": self._all(field.parts, f"{name}.")}
            case Kind.ROWS:
                rows = range(rows_of(field, self._form, name))
                return {
                    "value": str(len(rows)),
                    "rows": [self._all(field.parts, f"{name}.{row}.") for row in rows],
                }
            case Kind.CHOICE:
                return {"choices": self._choices(field, {self._form.get(name, "")})}
            case Kind.CHOICES:
                ticked = {each for each in field.choices if f"{name}.{each}" in self._form}
                return {"choices": self._choices(field, ticked)}
            case Kind.TICK:
                return {"value": "yes" if name in self._form else ""}
            case Kind.THING if field.thing is not None:
                return self._things(field, field.thing, name)
        return {"value": self._form.get(name, self._default(field))}

    def _choices(self, field: Field, picked: set[str]) -> list[Choice]:
        names = choices_of(field.choices)
        return [Choice(each, names[each], each in picked) for each in field.choices]

    def _default(self, field: Field) -> str:
        if not self._is_new or field.optional:
            return ""
        if field.kind is Kind.DAY and field.name not in NOT_OF_TODAY:
            return today().isoformat()
        if field.default is None:
            return ""
        return percent(field.default) if field.kind is Kind.RATE else str(field.default)

    def _things(self, field: Field, thing: Thing, name: str) -> dict[str, Any]:
        text, value = self._form.get(name + FIND, "").strip(), self._form.get(name, "")
        search = self.search(field, text=text)
        matches = thing.find(search)
        if not value and search.own is not None and len(matches) == 1:
            value = matches[0].value
        one = self.chosen(field, value) if value else None
        most = MATCHES_MAX if text else SHOWN_AT_FIRST
        others = [each for each in matches if one is None or each.value != one.value]
        first = ([one] if one else []) + others[:most]
        return {
            "value": value,
            "matches": first,
            "chosen": one,
            "more": len(others) > most,
            "looked_for": text,
        }

    def chosen(self, field: Field, value: str) -> Match | None:
        """Return the thing of a field that was chosen."""
        return None if field.thing is None else field.thing.one(self.search(field, value=value))

    def search(self, field: Field, *, text: str = "", value: str | None = None) -> Search:
        """Return what is looked for among the things of a field."""
        return Search(
            self._desk,
            self._operation.name,
            text,
            self._operation.states_of(field),
            among=self._form,
            value=value,
        )


def carried(form: Mapping[str, str], *, but: frozenset[str]) -> dict[str, str]:
    """Return what a form was filled in with, to be sent again, without what was looked for."""
    return {
        name: text
        for name, text in form.items()
        if name not in but and not name.endswith(FIND) and (text or name.endswith(ROWS))
    }
