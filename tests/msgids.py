"""What refusals say: the sentences of their classes and calls, and the words among their facts.

A parameter annotated ``Msgid`` takes a sentence and one annotated ``Term`` a word, so what is
written out in their place at any call is found here, as xgettext finds the arguments of gettext.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args

from api.kernel.problems import status_of, title_of
from ledger.books.tallies import HOLDINGS
from ledger.kernel.aggregate import Aggregate
from ledger.kernel.errors import LedgerError
from ledger.kernel.lines import LineRefused
from ledger.kernel.payments import Channel
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Sentence, Several, Word
from tests.rules import OURS, below, every_rule

SENTENCE, WORD = "Msgid", "Term"


class Argument(NamedTuple):
    """What stands at a call where a sentence or a word is due.

    Attributes:
        where: The module and line.
        kind: ``SENTENCE`` or ``WORD``.
        text: What is written there; nothing if it is not written out.

    """

    where: str
    kind: str
    text: str | None


def modules() -> Iterator[ModuleType]:
    """Import everything of ours."""
    for package in OURS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                yield importlib.import_module(module.name)


def messages() -> Iterator[str]:
    """Return everything of refusals that is translated."""
    everything = list(modules())
    for kind in filter(status_of, every_rule()):
        yield title_of(kind)
        if kind.says:
            yield kind.says
    for each in chain.from_iterable(map(arguments, everything)):
        if each.text:
            yield each.text
    for several in below(Several):
        yield from (several.between, several.none)
    yield from words(everything)


def words(everything: list[ModuleType]) -> Iterator[str]:
    """Return the words that facts are made of, from the tables that they are of."""
    for kind in below(StrEnum):
        if kind is Role or (
            kind.__module__.startswith("ledger.") and kind.__name__.endswith("State")
        ):
            yield from kind
    for module in everything:
        states = getattr(module, "STEPS", {})
        if module.__name__.startswith("ledger."):
            yield from chain(states, *states.values())
    yield from (kind.TOPIC for kind in Aggregate.__subclasses__() if hasattr(kind, "TOPIC"))
    yield from chain(HOLDINGS, get_args(Channel))


def arguments(module: ModuleType) -> Iterator[Argument]:
    """Return what a module writes where a sentence or a word is due."""
    source = Path(str(module.__file__))
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for owner, call in _calls(tree, None):
        made = _made(module, owner, call)
        if made is None:
            continue
        for kind, node in _due(made, call):
            where = f"{module.__name__}:{call.lineno}"
            yield from (Argument(where, kind, text) for text in _written(node))


def silent(module: ModuleType) -> Iterator[str]:
    """Return where a module makes a refusal that has no sentence."""
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    bare = (each.exc for each in ast.walk(tree) if isinstance(each, ast.Raise))
    calls = (each.func for each in ast.walk(tree) if isinstance(each, ast.Call) and not each.args)
    for made in chain(bare, calls):
        kind = getattr(module, made.id, None) if isinstance(made, ast.Name) else None
        if _speaks(kind) and issubclass(kind, LedgerError) and not kind.says:
            yield f"{module.__name__}:{made.lineno}"


def _calls(node: ast.AST, owner: str | None) -> Iterator[tuple[str | None, ast.Call]]:
    """Return every call below ``node``, and the class that it is in."""
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.ClassDef) else owner
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls(child, inside)


def _made(module: ModuleType, owner: str | None, call: ast.Call) -> Callable[..., Any] | None:
    """Return what is called, if it can say something to people."""
    if ast.unparse(call.func) == "super().__init__" and owner is not None:
        kind = getattr(module, owner, None)
        if not _speaks(kind):
            return None
        return next(each for each in kind.__mro__[1:] if "__init__" in vars(each))
    made = getattr(module, call.func.id, None) if isinstance(call.func, ast.Name) else None
    return made if _speaks(made) else None


def _speaks(made: object) -> bool:
    if not isinstance(made, type):
        return False
    if issubclass(made, LedgerError):
        return bool(status_of(made)) or issubclass(made, LineRefused)
    return made in {Sentence, Word}


def _due(made: Callable[..., Any], call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Return the arguments of a call that are sentences or words."""
    if made is Word:
        yield WORD, call.args[0]
        return
    parameters = inspect.signature(made).parameters.values()
    named = {each.arg: each.value for each in call.keywords}
    for place, parameter in enumerate(parameters):
        kinds = str(parameter.annotation).split(" | ")
        at_its_place = place < len(call.args) and not isinstance(call.args[place], ast.Starred)
        node = call.args[place] if at_its_place else named.get(parameter.name)
        for kind in {SENTENCE, WORD}.intersection(kinds):
            if node is not None:
                yield kind, node
            elif parameter.default is not parameter.empty and parameter.default:
                yield kind, ast.Constant(parameter.default)


def _written(node: ast.expr) -> Iterator[str | None]:
    """Return the texts that an expression can be, as far as they are written out."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from chain(_written(node.body), _written(node.orelse))
        case ast.Name("says" | "fault") | ast.Attribute(attr="fault" | "says"):
            return  # It was written out where this one comes from.
        case _:
            yield None
