"""What there is to translate: words of templates, marked words of modules, and rules.

``python -m tests.catalogues`` brings the catalogues under ``locales/`` up to it; what is new
stands there without a translation, which a test tells.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

import api
import ledger
import projections
from api.pages.languages import LANGUAGES, SOURCE, catalogue, place_of
from api.problems import status_of, title_of
from ledger.errors import LedgerError

KEYWORDS = {"marked": None, "_": None, "gettext": None, "ngettext": (1, 2)}

OURS = (ledger, projections, api)
"""Packages whose refusals may be answered to anybody."""

WIDTH = 100
"""Columns of a catalogue's lines."""


def extracted() -> Catalog:
    """Return everything that is said to people, in the source language."""
    found = Catalog(project="leifeng-ledger")
    for message, plural in _messages():
        found.add((message, plural) if plural else message)
    return found


def _messages() -> Iterator[tuple[str, str | None]]:
    pages = files("api.pages")
    for module in pages.iterdir():
        if module.name.endswith(".py"):
            yield from _in("python", module.read_bytes())
    for template in (pages / "templates").iterdir():
        yield from _in("jinja2", template.read_bytes())
    for rule in _rules():
        yield rule, None


def _in(kind: str, content: bytes) -> Iterator[tuple[str, str | None]]:
    options = {"trimmed": "true", "silent": "false"} if kind == "jinja2" else {}
    for _, message, _, _ in extract(kind, BytesIO(content), KEYWORDS, options=options):
        singular, plural = message if isinstance(message, tuple) else (message, None)
        yield singular, plural


def _rules() -> Iterator[str]:
    """Return the title of every problem that anybody may be answered with."""
    for package in OURS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    ours = {package.__name__ for package in OURS}
    for kind in _below(LedgerError):
        if status_of(kind) and kind.__module__.partition(".")[0] in ours:
            yield title_of(kind)


def _below(kind: type[LedgerError]) -> Iterator[type[LedgerError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


def main() -> None:
    """Bring every catalogue up to what is said."""
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        known = catalogue(language)
        known.project, known.version = "leifeng-ledger", "1"
        known.msgid_bugs_address = known.last_translator = ""
        known.header_comment = "# What pages say, in another language than the source."
        known.update(extracted(), no_fuzzy_matching=True)
        known.obsolete.clear()  # What is no longer said is forgotten.
        with Path(str(place_of(language))).open("wb") as file:
            write_po(file, known, width=WIDTH, sort_output=True, omit_header=False)


if __name__ == "__main__":
    main()
