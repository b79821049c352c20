"""Opening the people database for commands, and waiting until the history records the change."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from api.places import Places
from ledger.commands import Ledger
from ledger.commands.outbox import LOOKS_S, Outbox
from ledger.kernel.errors import LedgerError
from ledger.people.identity import Identity
from ledger.store.sqlite import is_being_written

DELIVERED_WITHIN_S = 10.0
"""Seconds in which a running server tells the history; it looks ten times a second."""


class NoRegisterHere(LedgerError):
    """A command about people needs a ledger that there are people in."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"there is no ledger in {data}")


def now() -> datetime:
    """Return this moment."""
    return datetime.now(UTC)


@contextmanager
def open_identity(data: Path, *, makes: bool = False) -> Iterator[Identity]:
    """Open the register of people; afterwards see to it that the history knows what was changed.

    Args:
        data: The folder of the ledger.
        makes: There may be none yet.

    """
    places = Places.of(data)
    if makes:
        data.mkdir(parents=True, exist_ok=True)
    elif isinstance(places.people, Path) and not places.people.is_file():
        raise NoRegisterHere(data)
    with closing(Identity(places.people, places.vault_key)) as identity:
        yield identity
        _deliver(places, identity)


def _deliver(places: Places, identity: Identity) -> None:
    """Have the history record the changes: from here where many may write, else by the server.

    If no server runs, the next one does so before it serves. A busy one does so later.
    """
    if not isinstance(places.ledger, Path):
        with closing(Ledger(places.ledger)) as ledger:
            Outbox(ledger, identity.users, now).deliver()
        return
    until = time.monotonic() + DELIVERED_WITHIN_S
    while identity.users.pending() and is_being_written(places.ledger) and time.monotonic() < until:
        time.sleep(LOOKS_S)
