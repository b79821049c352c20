"""Tells the history what was changed on the roll from the command line.

One process at a time writes a ledger in a file, and while a server runs that is the server. So the
command changes the roll and leaves a note, both in one transaction, and the server turns the note
into an event within a fraction of a second; if none runs, the next one does before it serves. A
crash between event and note is harmless: told again, there is nothing left to change.
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
from ledger.people.roll import Held, Roll, Untold
from ledger.store.engine import DATABASE_TROUBLE

LOOKS_S = 0.1
"""Seconds between two looks whether there is anything to tell."""

_log = logging.getLogger(__name__)


class Telling:
    """Tells, at once when asked and then for as long as it runs."""

    def __init__(self, ledger: Ledger, roll: Roll, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._roll = roll
        self._clock = clock
        self._closing = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Go on telling in a thread of its own."""
        self._thread = Thread(target=self._go_on, name="telling", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def _go_on(self) -> None:
        while not self._closing.wait(LOOKS_S):
            try:
                self.tell()
            except (LedgerError, *DATABASE_TROUBLE) as error:  # The notes are still there.
                _log.warning("changes of roles cannot be recorded at the moment: %s", error)

    def tell(self) -> None:
        """Turn every note into an event. What the history refuses is taken back on the roll."""
        for untold in self._roll.untold():
            act = Act(PersonId(OPERATOR), OPERATOR, untold.id, untold.at)
            try:
                self._record(act, untold)
            except Conflict:
                raise  # Somebody else is as busy with this person; it is told again.
            except (Refused, Invalid, NotFound) as error:
                _log.warning("a change of roles is taken back: %s", error)
            self.bring_level(untold.person, told=untold.id)

    def _record(self, act: Act, untold: Untold) -> None:
        match untold.change:
            case "granted":
                self._ledger.record(enrol_person, act, untold.person, untold.roles)
            case "withdrawn":
                self._ledger.record(withdraw_roles, act, untold.person, untold.roles)
            case "disabled":
                self._ledger.record(disable_person, act, untold.person)

    def bring_level(self, person: PersonId, told: UUID | None = None) -> None:
        """Have the roll say of ``person`` what the history says."""
        self._roll.follow(person, lambda: self._held(person), at=self._clock(), told=told)

    def bring_all_level(self) -> None:
        """Make up for what a crash came between; a roll that was put back is older, too."""
        for person, held in self._roll.all_held().items():
            if self._held(person) not in {None, held}:
                self.bring_level(person)

    def _held(self, person: PersonId) -> Held | None:
        member = self._ledger.find(StaffMember, UUID(person))
        return None if member is None else Held(member.roles, member.disabled_at)
