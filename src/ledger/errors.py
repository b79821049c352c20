"""Why the ledger says no.

* LedgerError
  * Invalid          what was said cannot be true as written: a field is wrong in itself
  * NotFound         the thing named was never recorded
  * Refused          well formed, but a rule of the charity forbids it
    x WrongState     the step is not allowed at this stage of the thing's life
    x SamePerson     two people must act, and one tried to be both
    x Conflict       somebody else changed the same thing first
  x Overloaded       more work is queued than the store can take

A rule has a class of its own, beside the aggregate it protects; its docstring is the rule and
its message has the facts. Nothing in this package knows about HTTP: ``api.problems`` decides
which status each branch of this tree becomes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class LedgerError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        rival: Somebody was faster; what they left may decide the same question another way.

    """

    rival: ClassVar[bool] = False


class Invalid(LedgerError):
    """What was said cannot be true as written.

    Attributes:
        field: The name of the argument that is wrong, as the caller wrote it.

    """

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault


class NotFound(LedgerError):
    """There is nothing of this name here."""

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(f"there is no {kind} {name}")


class Refused(LedgerError):
    """A well-formed request that a rule of the charity forbids."""


class WrongState(Refused):
    """Each step is allowed only at its own stage.

    Attributes:
        state: Where the thing stands now.
        allowed: The steps that it could take from there.

    """

    def __init__(self, step: str, thing: str, state: str, allowed: Iterable[str]) -> None:
        self.state = state
        self.allowed = tuple(allowed)
        then = ", ".join(self.allowed) or "nothing"
        super().__init__(f"{step} is not possible: {thing} is {state}, which allows {then}")


class SamePerson(Refused):
    """Two people must act, and neither can be the other."""


class Conflict(Refused):
    """Somebody else changed this meanwhile; look again and decide anew."""

    rival = True


class Overloaded(LedgerError):
    """More work is waiting than can be stored soon; try again a little later."""
