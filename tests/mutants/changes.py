"""What can be changed in a module: one operator, number, name, condition or statement at a time."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

INSTEAD: dict[type[ast.AST], tuple[str, ...]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.BitOr: ("|", "&"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
"""How each operator is written, and what is written instead."""

NAME = re.compile(r"[a-z][a-z0-9_.-]*")
"""A text that is the name of a figure, a field or a state, and no sentence."""

DECLARED = (ast.Import, ast.ImportFrom, ast.JoinedStr)
"""What is left as it is: imports, and texts with places, whose parts have no position."""


class Change(NamedTuple):
    """One change to one module.

    Attributes:
        path: Of the module.
        place: The function or class that it is in; empty at the top.
        before: The lines it is in, as one line.
        after: The same with the change.
        nth: Which of several changes that read alike it is, from 0.
        source: The whole module with the change.

    """

    path: Path
    place: str
    before: str
    after: str
    nth: int
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What the change is, wherever the module lies."""
        return self.place, self.before, self.after

    def rank(self, seed: int) -> bytes:
        """Return where the change comes in the order that ``seed`` stands for."""
        return sha256(repr((seed, *self.key, self.nth)).encode()).digest()

    def diff(self) -> str:
        """Return the change as a diff."""
        original = self.path.read_text(encoding="utf-8").splitlines()
        changed = self.source.splitlines()
        name = self.path.as_posix()
        lines = difflib.unified_diff(original, changed, name, name, n=1, lineterm="")
        return "\n".join(lines)


def changes(path: Path) -> Iterator[Change]:
    """Yield every change to a module that can be made."""
    source = path.read_bytes()
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    seen: dict[tuple[str, str, str], int] = {}
    for place, start, end, new in _Finder(source, starts).of_module():
        changed = source[:start] + new + source[end:]
        first, last = source.rfind(b"\n", 0, start) + 1, source.find(b"\n", end)
        before = _one_line(source[first:last])
        after = _one_line(changed[first : last + len(changed) - len(source)])
        key = place, before, after
        seen[key] = seen.get(key, -1) + 1
        yield Change(path, *key, seen[key], changed.decode())


def _one_line(text: bytes) -> str:
    return " ".join(text.decode().split())


Edit = tuple[str, int, int, bytes]
"""The place, from which byte to which, and what stands there instead."""


class _Finder:
    """Walks a module and says what could be changed."""

    def __init__(self, source: bytes, starts: list[int]) -> None:
        self._source = source
        self._starts = starts

    def of_module(self) -> Iterator[Edit]:
        yield from self._below(ast.parse(self._source), "")

    def _below(self, node: ast.AST, place: str) -> Iterator[Edit]:
        for each in _children(node):
            within = place
            if isinstance(each, ast.FunctionDef | ast.ClassDef):
                within = f"{place}.{each.name}".lstrip(".")
            for start, end, new in self._at(each):
                yield within, start, end, new
            yield from self._below(each, within)

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        start = self._starts[node.lineno - 1] + node.col_offset
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def _at(self, node: ast.AST) -> Iterator[tuple[int, int, bytes]]:
        match node:
            case ast.Compare(left, operators, others):
                yield from self._operators([left, *others], operators)
            case ast.BinOp(left, operator, right):
                yield from self._operators([left, right], [operator])
            case ast.BoolOp(operator, values):
                yield from self._operators(values, [operator] * (len(values) - 1))
            case ast.UnaryOp(ast.USub() | ast.Not(), operand):
                yield *self._span(node), self._text(operand)
            case ast.Constant(value) if (new := _other(value)) is not None:
                yield *self._span(node), new.encode()
            case ast.If(test) | ast.While(test) | ast.IfExp(test):
                yield *self._span(test), b"not (" + self._text(test) + b")"
            case ast.stmt():
                yield from self._statement(node)

    def _statement(self, node: ast.stmt) -> Iterator[tuple[int, int, bytes]]:
        match node:
            case ast.AugAssign(target, operator, value):
                yield from self._operators([target, value], [operator])
                yield *self._span(node), b"pass"
            case ast.Return(ast.expr() as value):
                yield *self._span(value), b"None"
            case ast.Raise() | ast.Expr(ast.Call()) | ast.Assign([ast.Attribute()]):
                yield *self._span(node), b"pass"
            case ast.AnnAssign(ast.Attribute(), value=ast.expr()):
                yield *self._span(node), b"pass"

    def _text(self, node: ast.expr) -> bytes:
        start, end = self._span(node)
        return self._source[start:end]

    def _operators(
        self, operands: list[ast.expr], operators: list[ast.AST]
    ) -> Iterator[tuple[int, int, bytes]]:
        """Yield each operator's change: it stands between two operands."""
        for left, right, operator in zip(operands, operands[1:], operators, strict=False):
            start, end = self._span(left)[1], self._span(right)[0]
            if type(operator) in INSTEAD:
                old, new = (each.encode() for each in INSTEAD[type(operator)])
                yield start, end, self._source[start:end].replace(old, new, 1)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is below a node and is done when the program runs: no annotation, no docstring."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        if name == "keywords" and isinstance(node, ast.ClassDef):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST) and not isinstance(each, DECLARED) and not _inert(each):
                yield each


def _inert(node: ast.AST) -> bool:
    """Say whether a node does nothing: a text alone, or the values of a type."""
    match node:
        case ast.Expr(ast.Constant()) | ast.Subscript(ast.Name("Literal")):
            return True
    return False


def _other(value: object) -> str | None:
    """Return what is written instead of a constant, if anything is."""
    match value:
        case bool():
            return str(not value)
        case int():
            return str(value + 1)
        case str() if NAME.fullmatch(value):
            return repr(value + "_")
    return None
