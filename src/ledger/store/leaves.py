"""Leaves of the public log, made from the stored events."""

from __future__ import annotations

from ledger.kernel.errors import LedgerError
from ledger.kernel.sentences import Sentence
from ledger.store.recorder import Store
from ledger.transparency.leaf import Leaf, leaf_of


class OutOfStep(LedgerError):
    """An event's place in the log is its position, which has no gaps."""

    says = "after event {position} comes {found} and not {expected}"

    def __init__(self, position: int, found: int | Sentence) -> None:
        super().__init__(position=position, found=found, expected=position + 1)


def leaves(store: Store, after: int, limit: int) -> list[Leaf]:
    """Return the leaves of the ``limit`` events that follow position ``after``.

    Raises:
        OutOfStep: Some of them are not there, though later ones may be.

    """
    stored = [leaf_of(*row) for row in store.rows(after, limit)]
    for index, leaf in enumerate(stored, after):
        if leaf.index != index:
            raise OutOfStep(index, leaf.nid)
    if len(stored) < limit:
        raise OutOfStep(after + len(stored), Sentence("nothing"))
    return stored
