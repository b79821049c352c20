"""The operations that forms are drawn for: every POST route of the API, by a readable name.

An operation is known by its noun and step, such as ``funds/transfers``, which follow from the path
of its route. What it takes, who may and what it is called all come from that route.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import cache
from typing import Any, get_type_hints

from fastapi.responses import Response
from msgspec import Struct
from pydantic import BaseModel

from api.kernel.doors import Door
from api.pages.kit.drawn.fields import LINES, Field, Kind, fields_of_body
from api.pages.kit.drawn.wording import noun_titles, things
from api.routes.every import routes
from ledger.commands.command import Command
from ledger.kernel.roles import Role

API = "/v1/"

NEW = "new"
"""The step that begins a thing; its path is the noun's own."""


class Operation(Struct, frozen=True):
    """Something that can be done by a request to the API.

    Attributes:
        noun: What it is about, such as ``funds``.
        step: What is done about it, such as ``transfers``.
        roles: Who may.
        things: What its path names, each to be chosen.
        fields: What is sent besides.
        body: The model of what is sent; nothing if it takes lines.
        endpoint: Carries it out.
        command: What it records, if that is in the history.
        title: What it is called on pages, to be translated.
        states: Of the thing in its path, in which it is possible; any, if none is given.

    """

    noun: str
    step: str
    roles: tuple[Role, ...]
    things: tuple[Field, ...]
    fields: tuple[Field, ...]
    body: type[BaseModel] | None
    endpoint: Callable[..., Coroutine[Any, Any, Response]]
    command: Command[Any] | None
    title: str
    states: frozenset[str] | None

    @property
    def name(self) -> str:
        """What it is called, once among all of them."""
        return f"{self.noun}/{self.step}"

    @property
    def takes_lines(self) -> bool:
        """It takes a file of lines in place of fields."""
        return self.body is None

    def every_field(self) -> tuple[Field, ...]:
        """Return the things of its path, then what is sent."""
        return self.things + self.fields

    def states_of(self, field: Field) -> Collection[str] | None:
        """Return the states in which a field's thing can be chosen; nothing if any will do."""
        if field in self.things:
            return self.states
        return None if field.thing is None else field.thing.states


def _operation(route: Door) -> Operation | None:
    """Return what a route carries out, unless nobody can search for the thing that it is about."""
    if not things().keys() >= route.param_convertors.keys():
        return None
    noun, step = _named(route.path)
    kinds = get_type_hints(inspect.unwrap(route.endpoint))
    body = kinds.get("body")
    named = tuple(Field(name, Kind.THING, thing=things()[name]) for name in route.param_convertors)
    return Operation(
        noun,
        step,
        route.roles,
        named,
        (LINES,) if body is None else fields_of_body(body),
        body,
        route.endpoint,
        route.command,
        route.title or route.description,
        route.states,
    )


def _named(path: str) -> tuple[str, str]:
    """Return the noun and step of a path.

    >>> _named("/v1/funds/{code}/transfers"), _named("/v1/donations:batch"), _named("/v1/sales")
    (('funds', 'transfers'), ('donations', 'batch'), ('sales', 'new'))

    """
    parts = path.removeprefix(API).replace(":", "/").split("/")
    noun, *steps = [each for each in parts if not each.startswith("{")]
    return noun, "-".join(steps) or NEW


@cache
def operations() -> Mapping[str, Operation]:
    """Return every operation by its name, in the order of the API's document."""
    doors = (each for router in routes() for each in router.routes)
    taking = (
        _operation(each)
        for each in doors
        if isinstance(each, Door) and each.records and each.path.startswith(API)
    )
    return {each.name: each for each in taking if each is not None}


def noun_of(operation: Operation) -> str:
    """Return what an operation is grouped under."""
    return noun_titles().get(operation.noun, operation.noun)


def open_to(roles: frozenset[Role]) -> list[Operation]:
    """Return what people of these roles may do."""
    return [each for each in operations().values() if not roles.isdisjoint(each.roles)]
