"""What there is to translate: words of templates, marked words of modules, and refusals.

``python -m tests.catalogues`` brings the catalogues under ``locales/`` up to it; what is new
stands there without a translation, which a test tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import write_po

from api.pages.kit.languages import LANGUAGES, SOURCE, catalogue, place_of
from tests.folders import HOUSE
from tests.msgids import messages

KEYWORDS = {"marked": None, "_": None, "gettext": None, "ngettext": (1, 2)}

API = HOUSE / "api"

WIDTH = 100
"""Columns of a catalogue's lines."""


def extracted() -> Catalog:
    """Return everything that is said to people, in the source language."""
    catalog = Catalog(project="leifeng-ledger")
    for message, plural in _messages():
        catalog.add((message, plural) if plural else message)
    return catalog


def _messages() -> Iterator[tuple[str, str | None]]:
    for module in sorted(API.rglob("*.py")):
        yield from _in("python", module.read_bytes())
    for template in sorted(API.rglob("*.html")):
        yield from _in("jinja2", template.read_bytes())
    for message in messages():
        yield message, None


def _in(kind: str, content: bytes) -> Iterator[tuple[str, str | None]]:
    options = {"trimmed": "true", "silent": "false"} if kind == "jinja2" else {}
    for _, message, _, _ in extract(kind, BytesIO(content), KEYWORDS, options=options):
        singular, plural = message if isinstance(message, tuple) else (message, None)
        yield singular, plural


def main() -> None:
    """Bring every catalogue up to what is said."""
    for language in LANGUAGES:
        if language == SOURCE:
            continue
        known = catalogue(language)
        known.project, known.version = "leifeng-ledger", "1"
        known.msgid_bugs_address = known.last_translator = ""
        known.header_comment = "# What pages say, in another language than the source."
        known.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
        known.obsolete.clear()  # What is no longer said is forgotten.
        with Path(str(place_of(language))).open("wb") as file:
            write_po(file, known, width=WIDTH, sort_output=True, omit_header=False)


if __name__ == "__main__":
    main()
