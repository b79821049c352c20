"""Sentences with places for facts: filled in here in English, by pages in a reader's language.

A sentence is written out where it is made, as a message with its places, such as
``fund {fund} is frozen``, so that it is found there for the catalogues. What stands in a place
keeps its type, which says how it is written: an ``Amount`` in yuan, a ``Word`` translated, a part
that is a sentence itself filled in, and anything else, such as an id or a day, as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, LiteralString, TypeAlias, TypeVar

T = TypeVar("T")

Msgid: TypeAlias = LiteralString
"""A sentence in the source language. Whoever calls for one writes it out, so that it is found."""

Term: TypeAlias = str
"""A word of ours in the source language, such as a step, a state or a kind of thing."""

Facts: TypeAlias = Mapping[str, object]
"""What stands in the places of a sentence, by their names."""


class Word(str):
    """A word of ours, which is translated where it is shown; nobody's name is one.

    Members of a ``StrEnum`` are words as they are.
    """

    __slots__ = ()


class FieldName(Word):
    """The name of a field as requests have it; pages say what people call it."""

    __slots__ = ()


class Sentence:
    """A sentence, or a part of one, with its facts.

    >>> str(Sentence("donation {donation}", donation=7))
    'donation 7'

    """

    __slots__ = ("facts", "says")

    def __init__(self, says: Msgid, /, **facts: object) -> None:
        """Say ``says`` with ``facts`` in its places."""
        self.says = says
        self.facts: Facts = facts

    def __str__(self) -> str:
        """Fill in the facts."""
        return filled(self.says, self.facts)

    def __format__(self, _: str) -> str:
        """Fill in the facts."""
        return str(self)


class Several(tuple[T, ...]):
    """Several facts in one place of a sentence.

    >>> f"{Several(('a', 'b'))}, {Either(('a', 'b'))}, {Several(())}"
    'a, b, a or b, nothing'

    """

    __slots__ = ()
    between: ClassVar[Msgid] = ", "
    none: ClassVar[Msgid] = "nothing"

    def __format__(self, _: str) -> str:
        """Join them."""
        return self.between.join(map(format, self)) or self.none


class Either(Several[T]):
    """Several facts joined by “or”."""

    __slots__ = ()
    between = " or "


class Series(Several[T]):
    """Several facts joined by semicolons, as each may have commas."""

    __slots__ = ()
    between = "; "


def filled(says: str, facts: Facts) -> str:
    """Return a sentence with its facts in English; without facts it has no places.

    >>> filled("it is {reason}", {}), filled("it is {reason}", {"reason": "late"})
    ('it is {reason}', 'it is late')

    """
    return says.format_map(facts) if facts else says


def as_data(facts: Facts) -> dict[str, object]:
    """Return facts as JSON has them: money in fen, and those of a part beside the others.

    >>> as_data({"thing": Sentence("donation {donation}", donation=7), "step": Word("refund")})
    {'donation': 7, 'step': 'refund'}

    """
    data: dict[str, object] = {}
    for name, fact in facts.items():
        if isinstance(fact, Sentence):
            data |= as_data(fact.facts)
        else:
            data[name] = _datum(fact)
    return data


def _datum(fact: object) -> object:
    match fact:
        case Sentence():
            return as_data(fact.facts)
        case tuple():
            return [_datum(each) for each in fact]
        case str():
            return str(fact)
        case int():
            return int(fact)
        case _:
            return fact
