"""Every view that is kept, and every sentence: those that the modules of this folder declare.

What follows them needs no more of the program.
"""

from __future__ import annotations

from ledger.kernel.aggregate import Fact
from ledger.kernel.modules import modules_beside
from projections.kernel.sentences import Sentence, Sentences
from projections.kernel.view import View

MODULES = tuple(modules_beside(__name__, but={"opening"}))
"""All but the one that opens what the others keep."""

VIEWS: tuple[type[View], ...] = tuple(
    each
    for module in MODULES
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, View) and each.__module__ == module.__name__
)

SENTENCES: dict[type[Fact], Sentences] = {
    kind: module.SENTENCES
    for module in MODULES
    if hasattr(module, "SENTENCES")
    for kind in module.SENTENCES.tellings
}
"""The sentences that each kind of event is told by."""


def all_views() -> tuple[View, ...]:
    """Return every view that is kept."""
    return tuple(view() for view in VIEWS)


def sentence(fact: Fact) -> Sentence:
    """Tell an auditor what happened, without naming a person."""
    return SENTENCES[type(fact)].whole(fact)


def public_sentence(fact: Fact) -> Sentence | None:
    """Tell everybody what happened, if it is everybody's business."""
    return SENTENCES[type(fact)].public(fact)
