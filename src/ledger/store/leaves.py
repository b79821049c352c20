"""What the public log commits to of the stored events."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from eventsourcing.persistence import Notification

from ledger.errors import LedgerError
from ledger.names import Position
from ledger.store.recorder import Store
from ledger.transparency.leaf import Leaf, leaf_of


class OutOfStep(LedgerError):
    """An event's place in the log is its position, which has no gaps."""

    def __init__(self, position: int, found: object) -> None:
        super().__init__(f"after event {position} comes {found} and not {position + 1}")


def leaf_of_stored(stored: Notification) -> Leaf:
    """Return the leaf of an event."""
    return leaf_of(
        Position(stored.id),
        cast("UUID", stored.originator_id),
        stored.originator_version,
        stored.topic,
        stored.state,
    )


def leaves(store: Store, after: int, limit: int) -> list[Leaf]:
    """Return the leaves of the ``limit`` events that follow position ``after``.

    Raises:
        OutOfStep: Some of them are not there, though later ones may be.

    """
    found = [leaf_of_stored(each) for each in store.history(after, limit)]
    for index, leaf in enumerate(found, after):
        if leaf.index != index:
            raise OutOfStep(index, leaf.nid)
    if len(found) < limit:
        raise OutOfStep(after + len(found), "nothing")
    return found
