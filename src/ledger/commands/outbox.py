"""The outbox: records changes of roles that the command line made, in the history.

One process at a time writes a ledger in a file, and while a server runs that is the server. So the
command changes the user directory and leaves a note, both in one transaction, and the server turns
the note into an event within a fraction of a second; if none runs, the next one does before it
serves. A crash between event and note is harmless: recorded again, it changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Event, Thread
from uuid import UUID

from ledger.aggregates.staff import StaffMember
from ledger.commands import Ledger
from ledger.commands.staff import disable_person, enrol_person, withdraw_roles
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import Conflict, Invalid, LedgerError, NotFound, Refused
from ledger.kernel.names import PersonId
from ledger.kernel.roles import OPERATOR
from ledger.people.user_directory import Pending, Standing, UserDirectory
from ledger.store.engine import DATABASE_TROUBLE

LOOKS_S = 0.1
"""Seconds between two looks for pending changes."""

_log = logging.getLogger(__name__)


class Outbox:
    """Delivers pending changes of roles, at once on request and then continuously."""

    def __init__(self, ledger: Ledger, users: UserDirectory, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._users = users
        self._clock = clock
        self._closing = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Deliver continuously in a thread of its own."""
        self._thread = Thread(target=self._go_on, name="outbox", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _go_on(self) -> None:
        while not self._closing.wait(LOOKS_S):
            try:
                self.deliver()
            except (LedgerError, *DATABASE_TROUBLE) as error:  # The notes are still there.
                _log.warning("changes of roles cannot be recorded at the moment: %s", error)

    def deliver(self) -> None:
        """Record each pending change as an event, or undo it in the directory if it is refused."""
        for pending in self._users.pending():
            act = Act(PersonId(OPERATOR), OPERATOR, pending.id, pending.at)
            try:
                self._record(act, pending)
            except Conflict:
                raise  # Somebody else changes this person at the same time; it is tried again.
            except (Refused, Invalid, NotFound) as error:
                _log.warning("a change of roles is taken back: %s", error)
            self.reconcile(pending.person, note=pending.id)

    def _record(self, act: Act, pending: Pending) -> None:
        match pending.change:
            case "granted":
                self._ledger.record(enrol_person, act, pending.person, pending.roles)
            case "withdrawn":
                self._ledger.record(withdraw_roles, act, pending.person, pending.roles)
            case "disabled":
                self._ledger.record(disable_person, act, pending.person)

    def reconcile(self, person: PersonId, note: UUID | None = None) -> None:
        """Bring the directory's entry for ``person`` up to the history."""
        self._users.follow(person, lambda: self._standing(person), at=self._clock(), note=note)

    def reconcile_all(self) -> None:
        """Repair what a crash or a restored older directory left behind the history."""
        for person, standing in self._users.all_standings().items():
            if self._standing(person) not in {None, standing}:
                self.reconcile(person)

    def _standing(self, person: PersonId) -> Standing | None:
        member = self._ledger.find(StaffMember, UUID(person))
        return None if member is None else Standing(member.roles, member.disabled_at)
