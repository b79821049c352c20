"""What a refusal found, in the reader's language.

The ledger says its facts in English sentences (``ledger.kernel.errors``), which programs are
answered with as they are. For people each sentence is known again by its form, what stands in its
places is said in their language as far as it is a word of ours, and what nobody translated is shown
as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from markupsafe import Markup, escape

from api.pages.kit.fact_words import BETWEEN, KINDS, SENTENCES, WORDS
from api.pages.kit.languages import SOURCE, TAGS, Language, words

SAID_MAX = 500
"""Characters of a sentence that is looked for. A longer one repeats what was sent, and is shown as
it is: to look for forms in it would take whoever sent it nothing and us long.
"""

_PLACE = re.compile(r"\{(\w+)\}")


def facts(language: Language) -> Callable[[str], Markup]:
    """Return what shows the facts of a refusal, marked as English where they stay so."""

    def shown(said: str) -> Markup:
        if language == SOURCE:
            return escape(said)
        found = told(said, language)
        if found is None:
            return Markup('<span lang="{}">{}</span>').format(TAGS[SOURCE], said)
        return escape(found)

    return shown


def told(said: str, language: Language) -> str | None:
    """Return what ``said`` is in a language, if it is a sentence or a word of ours.

    >>> told("fund F-HEAR is frozen", "zh")
    '基金 F-HEAR 已冻结'
    >>> told("it rains", "zh")

    """
    translate = words(language).gettext
    if said in WORDS:
        return translate(said)
    if len(said) > SAID_MAX:
        return None
    for form, sentence in _forms():
        if found := form.fullmatch(said):
            places = {name: _place(each, language) for name, each in found.groupdict().items()}
            return translate(sentence).format(**places)
    return None


@cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    """Return how each sentence looks with anything in its places."""
    return [(re.compile(_form(sentence), re.DOTALL), sentence) for sentence in SENTENCES]


def _form(sentence: str) -> str:
    r"""Return the form of a sentence.

    >>> _form("fund {fund} is closed")
    'fund\\ (?P<fund>.+?)\\ is\\ closed'

    """
    parts = _PLACE.split(sentence)
    said = [re.escape(part) for part in parts[::2]]
    places = [f"(?P<{name}>.+?)" for name in parts[1::2]]
    return "".join(each for pair in zip(said, [*places, ""], strict=True) for each in pair)


def _place(said: str, language: Language) -> str:
    """Return what stands in a place: a word, a sentence, a list of these, one of a kind, a name.

    >>> _place("donation 7", "zh"), _place("payment, refund", "zh"), _place("F-HEAR", "zh")
    ('捐赠 7', '付款、退款', 'F-HEAR')

    """
    found = told(said, language)
    if found is not None:
        return found
    translate = words(language).gettext
    for between in BETWEEN:
        parts = [each for part in said.split(between) if (each := told(part, language))]
        if len(parts) > said.count(between) > 0:
            return translate(between).join(parts)
    kind, _, name = said.partition(" ")
    return f"{translate(kind)} {name}" if kind in KINDS and name else said
