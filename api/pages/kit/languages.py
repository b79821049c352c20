"""The languages that pages are read in: Chinese first, English by a toggle.

Templates and rules are written in English; the catalogue of any other language is a ``.po`` file
under ``locales/``, read when the process starts. The address chooses the language (``?lang=en``),
a cookie remembers it.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from typing import Literal, get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from fastapi import Request

Language = Literal["zh", "en"]

LANGUAGES: tuple[Language, ...] = get_args(Language)

FIRST: Language = "zh"
"""What a reader sees who has not chosen."""

SOURCE: Language = "en"
"""What templates and rules are written in."""

TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
"""What the ``lang`` attribute says (BCP 47)."""

NAME = "lang"
"""Of the query parameter and of the cookie."""


def language_of(request: Request) -> Language:
    """Return the language that a request asks for: by its address, else as it did before.

    A word that is no language of ours asks for none.
    """
    for name in (request.query_params.get(NAME), request.cookies.get(NAME)):
        for language in LANGUAGES:
            if name == language:
                return language
    return FIRST


@cache
def words(language: Language) -> NullTranslations:
    """Return what to say for what the source says."""
    if language == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def catalogue(language: Language) -> Catalog:
    """Read the catalogue of a language."""
    with place_of(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def place_of(language: Language) -> Traversable:
    """Return where the catalogue of a language is kept."""
    return files("api.pages.kit") / "locales" / language / "LC_MESSAGES" / "pages.po"
