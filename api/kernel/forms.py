"""Forms of a noun, which pages draw from its routes: what these cannot say of themselves.

A noun declares it beside its routes, in the source language. What several nouns have, such as an
amount or a reason, is called alike everywhere and stands with the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from api.kernel.things import Thing

E = TypeVar("E", bound=Callable[..., Any])

Possible = tuple[Mapping[Any, Sequence[str]], str]
"""An aggregate's table of the steps that each state allows, and the word of one of them."""


class Forms(Struct, frozen=True):
    """What the forms of a noun say.

    Attributes:
        noun: As its paths begin, such as ``sales``.
        title: What they are grouped under; if several modules are of the noun, one says so.
        things: Kinds of things of the noun, which its forms and those of others name.
        labels: What fields are called, by ``step:field``, whole name or its last part.
        hints: What else there is to say of fields, by the same names.
        choices: Tables of what is chosen from; a list of choices is that of the table with all.

    """

    noun: str
    title: str | None = None
    things: tuple[Thing, ...] = ()
    labels: Mapping[str, str] = {}
    hints: Mapping[str, str] = {}
    choices: tuple[Mapping[str, str], ...] = ()


def titled(title: str | None, possible: Possible | None = None) -> Callable[[E], E]:
    """Say what pages call the route below, and in which states of its thing it is possible.

    Raises:
        LookupError: No state allows the step: its word is misspelt.

    """
    states = None if possible is None else _states(*possible)

    def mark(endpoint: E) -> E:
        vars(endpoint)["title"] = title
        vars(endpoint)["states"] = states
        return endpoint

    return mark


def _states(table: Mapping[Any, Sequence[str]], step: str) -> frozenset[str]:
    states = frozenset(str(state) for state, steps in table.items() if step in steps)
    if not states:
        raise LookupError(f"no state allows {step}")
    return states
