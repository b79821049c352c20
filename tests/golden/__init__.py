"""What others rely on, as it was last agreed: events as stored, the API's document, its problems.

``events.ndjson`` only grows (``tests/ledger/store/test_golden.py``). The other files are made from
the program and follow no module or class: ``python -m tests.golden --accept`` writes what it says
now.
"""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from api.app import create_app
from api.kernel.problems import MEDIA_TYPE, status_of, title_of
from ledger.kernel.errors import LedgerError
from ledger.kernel.lines import LineRefused
from tests.rules import every_rule

HERE = Path(__file__).parent


@cache
def document() -> dict[str, Any]:
    """Return the document that describes the API, as it is served."""
    return create_app(HERE / "nowhere").openapi()


def openapi() -> str:
    """Return the document that describes the API, sorted.

    Of a problem it has the name only: status and title stand in ``problems.txt``, once.
    """
    agreed = deepcopy(document())
    for answer in _answers(agreed):
        examples = answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        examples.update({name: {} for name in examples})
    return json.dumps(agreed, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def problems() -> str:
    """Return name, status and title of every problem, and the code of every refused line.

    Rules that share a name have a line each. What only a command line says is not among them.
    """
    lines = set(filter(None, map(_line, every_rule())))
    return "".join(f"{each}\n" for each in sorted(lines))


FILES: dict[str, Callable[[], str]] = {"openapi.json": openapi, "problems.txt": problems}
"""What is held to the program, and what it says of it now."""


def _answers(described: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in described["paths"].values():
        for operation in operations.values():
            yield from operation["responses"].values()


def _line(kind: type[LedgerError]) -> str | None:
    status = status_of(kind)
    if issubclass(kind, LineRefused):
        return f"{kind.code} line {title_of(kind)}"
    return f"{kind.problem_name()} {status.value} {title_of(kind)}" if status else None
