"""Summary of a form's answers, shown again before it is carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from api.kernel.texts import marked
from api.pages.kit.drawn.drawing import Drawn
from api.pages.kit.drawn.fields import Kind

YES, NO = marked("Yes"), marked("No")


class Line(Struct, frozen=True):
    """One field as it is shown again.

    Attributes:
        label: What it is called, to be translated.
        text: What was written, as it is.
        words: What was chosen, to be translated.
        row: Of a list, from one; nothing if it stands in none.

    """

    label: str
    text: str = ""
    words: tuple[str, ...] = ()
    row: int | None = None


def summary(fields: Sequence[Drawn], row: int | None = None) -> Iterator[Line]:
    """Yield what was written, in the order of the form; nothing for what was left out."""
    for each in fields:
        match each.kind:
            case Kind.GROUP:
                yield from summary(each.parts, row)
            case Kind.ROWS:
                for number, parts in enumerate(each.rows, start=1):
                    yield from summary(parts, number)
            case _:
                yield from _line(each, row)


def _line(each: Drawn, row: int | None) -> Iterator[Line]:
    match each.kind:
        case Kind.CHOICE | Kind.CHOICES:
            words = tuple(one.label for one in each.choices if one.is_chosen)
            if words:
                yield Line(each.label, words=words, row=row)
        case Kind.THING if each.chosen is not None:
            text = " · ".join((each.chosen.title, *each.chosen.details))
            yield Line(each.label, text, row=row)
        case Kind.TICK:
            yield Line(each.label, words=(YES if each.value else NO,), row=row)
        case _ if each.value:
            yield Line(each.label, each.value, row=row)
