"""What others rely on, as it was last agreed: events as stored, the API's document, its problems.

``events.ndjson`` only grows (``tests/test_golden.py``). The other files are made from the program
and follow no module or class: ``python -m tests.golden --accept`` writes what it says now.
"""

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import api
import ledger
import projections
from api.app import create_app
from api.problems import BROKEN, MEDIA_TYPE, name_of, status_of, title_of
from ledger.errors import LedgerError
from ledger.lines import LineRefused

HERE = Path(__file__).parent


def openapi() -> str:
    """Return the document that describes the API, sorted.

    Of a problem it has the name only: status and title stand in ``problems.txt``, once.
    """
    document = create_app(HERE / "nowhere").openapi()
    for answer in _answers(document):
        examples = answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        examples.update({name: {} for name in examples})
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def problems() -> str:
    """Return name, status and title of every problem, and the code of every refused line.

    Rules that share a name have a line each. What only a command line says is not among them.
    """
    for package in (ledger, projections, api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    broken = f"{BROKEN['type'].rpartition('/')[2]} {BROKEN['status']} {BROKEN['title']}"
    return "".join(f"{each}\n" for each in sorted({broken, *_rules(LedgerError)}))


FILES: dict[str, Callable[[], str]] = {"openapi.json": openapi, "problems.txt": problems}
"""What is held to the program, and what it says of it now."""


def _answers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            yield from operation["responses"].values()


def _rules(kind: type[LedgerError]) -> Iterator[str]:
    for each in kind.__subclasses__():
        if each.__module__.partition(".")[0] == "tests":
            continue
        if issubclass(each, LineRefused):
            yield f"{each.code} line {title_of(each)}"
        elif status_of(each) is not None:
            yield f"{name_of(each)} {status_of(each).value} {title_of(each)}"
        yield from _rules(each)
