"""Fields of a form, read off the model of a body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from annotated_types import Ge, Le, MaxLen, MinLen
from msgspec import Struct
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from api.kernel.things import Thing
from api.pages.kit.drawn.wording import things
from ledger.kernel.money import AMOUNT_MAX, BASIS_POINTS


class Kind(StrEnum):
    """How a field is drawn and read."""

    TEXT = "text"
    MONEY = "money"
    RATE = "rate"
    NUMBER = "number"
    DAY = "day"
    CHOICE = "choice"
    CHOICES = "choices"
    TICK = "tick"
    THING = "thing"
    GROUP = "group"
    ROWS = "rows"
    FIXED = "fixed"
    FILE = "file"


class Field(Struct, frozen=True):
    """One thing that a form asks for.

    Attributes:
        name: As the body has it.
        kind: How it is drawn.
        optional: It may be left out.
        least: Its smallest number, or fewest rows.
        longest: Most characters, most rows or the largest number.
        default: What stands if it is left out.
        choices: Words of which one, or some, are chosen.
        thing: What kind of thing is chosen by searching.
        parts: Of a group, or of each row.

    """

    name: str
    kind: Kind
    optional: bool = False
    least: int | None = None
    longest: int | None = None
    default: Any = None
    choices: tuple[str, ...] = ()
    thing: Thing | None = None
    parts: tuple[Field, ...] = ()

    def names(self, kind: str) -> bool:
        """Say whether a thing of this kind is chosen."""
        return self.thing is not None and self.thing.kind == kind


LINES = Field("lines", Kind.FILE)
"""The file that stands in place of a body which is read a line at a time."""


class _Shape(Struct):
    """A type without ``Annotated`` and ``| None``, and what they said: bounds, and optional."""

    base: Any
    optional: bool = False
    least: int | None = None
    longest: int | None = None


def fields_of_body(body: type[BaseModel]) -> tuple[Field, ...]:
    """Return what a body asks for, in its order."""
    return tuple(_field(name, info) for name, info in body.model_fields.items())


def _field(name: str, info: FieldInfo) -> Field:
    shape = _Shape(info.annotation)
    _bound(shape, info.metadata)
    _unwrap(shape)
    default = None if info.default is PydanticUndefined else info.default
    kind, about = _kind(name, shape)
    if kind is Kind.CHOICE and len(about["choices"]) == 1:
        kind = Kind.FIXED
    return Field(
        name,
        kind,
        optional=shape.optional or (kind is Kind.ROWS and not shape.least),
        least=shape.least,
        longest=shape.longest,
        default=default,
        **about,
    )


def _unwrap(shape: _Shape) -> None:
    """Take off ``Annotated`` and ``| None``."""
    origin = get_origin(shape.base)
    while origin in {Annotated, Union, UnionType}:
        inner, *others = get_args(shape.base)
        if origin is Annotated:
            _bound(shape, others)
        else:
            inner = next(each for each in (inner, *others) if each is not NoneType)
            shape.optional = True
        shape.base, origin = inner, get_origin(inner)


def _bound(shape: _Shape, metadata: list[Any]) -> None:
    for each in metadata:
        match each:
            case FieldInfo():
                _bound(shape, each.metadata)
            case MinLen():
                shape.least = each.min_length
            case Ge():
                shape.least = each.ge  # type: ignore[assignment]  # Ours are whole numbers.
            case MaxLen():
                shape.longest = each.max_length
            case Le():
                shape.longest = each.le  # type: ignore[assignment]


def _kind(name: str, shape: _Shape) -> tuple[Kind, dict[str, Any]]:  # A table.
    base, origin = shape.base, get_origin(shape.base)
    if origin is Literal:
        return Kind.CHOICE, {"choices": get_args(base)}
    if origin in {list, tuple}:
        return _several(get_args(base)[0])
    if issubclass(base, BaseModel):
        return Kind.GROUP, {"parts": fields_of_body(base)}
    if issubclass(base, Enum):
        return Kind.CHOICE, {"choices": tuple(each.value for each in base)}
    if issubclass(base, UUID) or (issubclass(base, str) and name in things() and name != "code"):
        return Kind.THING, {"thing": things()[name]}
    return _SIMPLE.get(base, _number(shape)), {}


def _several(each: Any) -> tuple[Kind, dict[str, Any]]:
    if issubclass(each, Enum):
        return Kind.CHOICES, {"choices": tuple(one.value for one in each)}
    return Kind.ROWS, {"parts": fields_of_body(each)}


_SIMPLE = {str: Kind.TEXT, bool: Kind.TICK, date: Kind.DAY}

_NUMBERS = {AMOUNT_MAX: Kind.MONEY, BASIS_POINTS: Kind.RATE}
"""What a whole number counts, by the largest that it may be."""


def _number(shape: _Shape) -> Kind:
    return _NUMBERS.get(shape.longest or 0, Kind.NUMBER)


ROW = re.compile(r"\.\d+(?=\.|$)")


def label_path(name: str) -> str:
    """Return a field's name without the number of its row.

    >>> label_path("sales/new:items.0.sku")
    'sales/new:items.sku'

    """
    return ROW.sub("", name)


def leaves(fields: tuple[Field, ...], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field with its whole name, rows without a number."""
    for each in fields:
        yield prefix + each.name, each
        yield from leaves(each.parts, f"{prefix}{each.name}.")
