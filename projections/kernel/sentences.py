"""Sentences of events, one each, in Chinese and in English.

A noun's sentences stand with its view: the whole one for an auditor, and what everybody may know of
it. The sums, days, funds and steps of the charity's money are public (慈善法 chapter 8); who gave,
whom the aid went to and what anybody wrote by hand are not. So a public sentence has no free text,
no reference of a bank or a shop, and no name but those of funds, sales and partners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.kernel.aggregate import Fact
from ledger.kernel.money import yuan


class Sentence(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str


class Telling(NamedTuple):
    """How one kind of event is told, with places for its fields and words.

    Attributes:
        whole: To an auditor.
        public: To everybody; an event without one is not shown at all.

    """

    whole: Sentence
    public: Sentence | None = None


def private(zh: str, en: str) -> Telling:
    """Tell auditors alone."""
    return Telling(Sentence(zh, en))


def public(zh: str, en: str) -> Telling:
    """Tell everybody the same: the sentence has nothing that is not everybody's business."""
    sentence = Sentence(zh, en)
    return Telling(sentence, sentence)


def shortened(whole: tuple[str, str], everybody: tuple[str, str]) -> Telling:
    """Tell everybody less than an auditor."""
    return Telling(Sentence(*whole), Sentence(*everybody))


MONEY = frozenset(
    {
        "amount",
        "open",
        "excess",
        "released",
        "refund",
        "gross",
        "refunds",
        "net_proceeds",
    }
)
"""Fields that are amounts in fen, and told in yuan."""

Words = Mapping[str, Callable[[Any], Sentence | str]]
"""Words that are worked out from an event: in both languages, or the same in either."""


class Sentences:
    """The sentences of one noun, and the words that they use beside the fields of its events.

    A place such as ``{channel}`` takes a word of ``words`` in the language of the sentence, else
    the field of that name.
    """

    def __init__(self, tellings: Mapping[type[Fact], Telling], words: Words | None = None) -> None:
        self.tellings = tellings
        self._words = words or {}

    def whole(self, fact: Fact) -> Sentence:
        """Tell an auditor what happened, without naming a person."""
        return self._filled(fact, self.tellings[type(fact)].whole)

    def public(self, fact: Fact) -> Sentence | None:
        """Tell everybody what happened, if it is everybody's business."""
        pattern = self.tellings[type(fact)].public
        return None if pattern is None else self._filled(fact, pattern)

    def _filled(self, fact: Fact, pattern: Sentence) -> Sentence:
        zh, en = (_Places(fact, self._words, language) for language in ("zh", "en"))
        return Sentence(pattern.zh.format_map(zh), pattern.en.format_map(en))


class _Places(dict[str, str]):
    """What stands in the places of a sentence in one language."""

    def __init__(self, fact: Fact, words: Words, language: str) -> None:
        super().__init__()
        self._fact = fact
        self._words = words
        self._language = language

    def __missing__(self, name: str) -> str:
        if name in self._words:
            word = self._words[name](self._fact)
            return word if isinstance(word, str) else str(getattr(word, self._language))
        value = getattr(self._fact, name)
        return yuan(value) if name in MONEY else str(value)
