"""Which refusals a command can meet, read off the code that decides it.

What is called is followed by name: functions, and methods of the classes that a function names, has
in its annotations or is defined in. So more may be found than can happen, and hardly less.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from ledger.books.tallies import BOUNDS, changes
from ledger.commands.command import Command
from ledger.commands.records import Records
from ledger.kernel.aggregate import Fact
from ledger.kernel.errors import LedgerError
from ledger.kernel.tallies import Breach
from tests.samples import SAMPLES

OURS = "ledger."

NAME = re.compile(r"[A-Za-z_]\w*")


class Reach:
    """What a command's decision comes across.

    Attributes:
        refusals: The classes of refusals that it names.
        facts: The kinds of facts that it names, which it may record.

    """

    def __init__(self, command: Command[Any]) -> None:
        self.refusals: set[type[LedgerError]] = set()
        self.facts: set[type[Fact]] = set()
        self._seen: set[object] = set()
        self._follow(command.decide)
        for fact in self.facts:
            self.refusals.update(_breaches(fact))

    def _follow(self, function: Callable[..., Any], owner: type | None = None) -> None:
        function = inspect.unwrap(function)
        if not isinstance(function, FunctionType) or not function.__module__.startswith(OURS):
            return
        owner = owner or _class_of(function)
        if function is Records.find or (function, owner) in self._seen:
            return  # What is not there is nothing to ``find``, and no refusal.
        self._seen.add((function, owner))
        names = set(_names(function.__code__))
        cells = (cell.cell_contents for cell in function.__closure__ or ())
        met = [*_values(function, names), *cells]
        for each in met:
            self._meet(each)
        for kind, thing in _members(names, _classes(function, met, owner)):
            self._meet(thing, kind)

    def _meet(self, thing: Any, owner: type | None = None) -> None:
        match thing:
            case type() if issubclass(thing, LedgerError):
                self.refusals.add(thing)
            case type() if issubclass(thing, Fact):
                self.facts.add(thing)
            case classmethod() | staticmethod():
                self._follow(thing.__func__, owner)
            case property():
                self._follow(thing.fget, owner)
            case FunctionType():
                self._follow(thing, owner)
            case Mapping():  # A table of refusals, such as of duties to keep apart.
                for each in thing.values():
                    self._meet(each)


def _names(code: CodeType) -> Iterator[str]:
    """Yield the names in a function, and in those that are defined in it."""
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _class_of(function: FunctionType) -> type | None:
    """Return the class that a method was written in."""
    kind = function.__globals__.get(function.__qualname__.partition(".")[0])
    return kind if isinstance(kind, type) else None


def _classes(function: FunctionType, met: list[Any], owner: type | None) -> set[type]:
    """Return the classes whose members a function may name."""
    classes = {each for each in met if isinstance(each, type)} | _annotated(function)
    for each in met:
        if isinstance(each, FunctionType):
            classes |= _annotated(each)
    return classes if owner is None else classes | {owner}


def _members(names: set[str], classes: set[type]) -> Iterator[tuple[type, Any]]:
    """Yield what these names are of the classes, and of those that such members return."""
    looked_through: set[type] = set()
    while left := _with_parts(classes) - looked_through:
        looked_through |= left
        for kind in left:
            for name in names:
                member = _member(kind, name)
                yield kind, member
                function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                if isinstance(function, FunctionType):
                    classes = classes | _annotated(function)


def _member(kind: type, name: str) -> Any:
    """Return what a class calls so; what it remembers the results of goes by another name."""
    member = inspect.getattr_static(kind, name, None)
    return inspect.getattr_static(kind, f"_{name}", None) if member is None else member


def _values(function: FunctionType, names: set[str]) -> Iterator[Any]:
    return (function.__globals__[name] for name in names if name in function.__globals__)


def _annotated(function: FunctionType) -> set[type]:
    """Return the classes that a function's parameters and its result are of."""
    names = set(NAME.findall(" ".join(map(str, function.__annotations__.values()))))
    return {each for each in _values(function, names) if isinstance(each, type)}


def _with_parts(classes: set[type]) -> set[type]:
    """Return our classes among these, and those that they are made of."""
    ours = {each for each in classes if each.__module__.startswith(OURS)}
    parts = {part for each in ours for part in _parts(each)}
    return ours | {each for each in parts if each.__module__.startswith(OURS)}


def _parts(kind: type) -> Iterator[type]:
    """Yield the classes that are named where one is made, and of which its attributes are."""
    make = vars(kind).get("__init__")
    named = set(NAME.findall(" ".join(map(str, vars(kind).get("__annotations__", {}).values()))))
    values = [vars(sys.modules[kind.__module__]).get(each) for each in named]
    if isinstance(make, FunctionType):
        values += _values(make, set(_names(make.__code__)))
    yield from (each for each in values if isinstance(each, type))


def _breaches(kind: type[Fact]) -> Iterator[type[LedgerError]]:
    """Yield the refusals of what facts of a kind may take below its floor."""
    for sample in SAMPLES:
        if sample.kind is kind:
            for tally, change in changes([sample.stamped()]).items():
                bound = BOUNDS.of(tally)
                if bound is not None and change < 0:
                    yield type(bound.breach(Breach(tally, 0, change)))
