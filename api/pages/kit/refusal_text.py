"""Refusals in the reader's language: the rule, what to do next, and the sentence with its facts.

The ledger refuses with a sentence and facts apart (``ledger.kernel.sentences``). The sentence is
translated as every message is; so are the words and sentences among its facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from api.kernel.problems import title_of
from api.pages.kit.field_names import name_of
from api.pages.kit.labels import WHAT_NEXT, WHAT_NEXT_OTHERWISE
from api.pages.kit.languages import Language, words
from ledger.kernel.errors import LedgerError
from ledger.kernel.sentences import FieldName, Sentence, Several, Word


def globals_in(language: Language) -> Mapping[str, Callable[[LedgerError], str]]:
    """Return what templates write refusals by: two messages to translate, and the sentence."""
    return {
        "title_of": lambda refusal: title_of(type(refusal)),
        "advice_on": lambda refusal: WHAT_NEXT.get(refusal.problem_name(), WHAT_NEXT_OTHERWISE),
        "sentence_of": lambda refusal: sentence(refusal, language),
    }


def sentence(text: LedgerError | Sentence, language: Language) -> str:
    """Return a sentence in a language, with its facts.

    >>> from ledger.aggregates.funds import FundCode, FundFrozen
    >>> sentence(FundFrozen(FundCode("F-HEAR")), "zh")
    '基金 F-HEAR 已冻结'

    """
    says = words(language).gettext(text.says)
    if not text.facts:
        return says
    return says.format_map({name: _fact(each, language) for name, each in text.facts.items()})


def _fact(fact: object, language: Language) -> object:
    """Return a fact as it stands in a sentence: what is a word of ours is translated."""
    translate = words(language).gettext
    match fact:
        case Sentence():
            return sentence(fact, language)
        case Several():
            parts = [format(_fact(each, language)) for each in fact]
            return translate(fact.between).join(parts) or translate(fact.none)
        case FieldName():
            return translate(name_of(fact) or fact)
        case Word() | StrEnum():
            return translate(str(fact))
        case _:
            return fact
