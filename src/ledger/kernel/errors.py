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
its message has the facts. Nothing in this package knows about HTTP: ``api.kernel.problems`` decides
which status each branch of this tree becomes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar


class LedgerError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        rival: Somebody was faster; what they left may decide the same question another way.
        NAME: What programs know it by, and every class below it that states no other; without
            one, each class goes by its own name.

    """

    rival: ClassVar[bool] = False
    NAME: ClassVar[str | None] = None

    @classmethod
    def problem_name(cls) -> str:
        """Return the name of the contract, as in ``/problems/wrong-state``."""
        return cls.NAME or cls.rule_name()

    @classmethod
    def rule_name(cls) -> str:
        """Return the name of the very rule, in lower case with hyphens: ``own-request``."""
        return re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()


class Invalid(LedgerError):
    """What was said cannot be true as written.

    Attributes:
        field: The name of the argument that is wrong, as the caller wrote it.

    """

    NAME = "invalid-request"

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault


class NotFound(LedgerError):
    """There is nothing of this name here."""

    NAME = "not-found"

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

    NAME = "wrong-state"

    def __init__(self, step: str, thing: str, state: str, allowed: Iterable[str]) -> None:
        self.state = state
        self.allowed = tuple(allowed)
        then = ", ".join(self.allowed) or "nothing"
        super().__init__(f"{step} is not possible: {thing} is {state}, which allows {then}")


class SamePerson(Refused):
    """Two people must act, and neither can be the other."""

    NAME = "same-person"


class Conflict(Refused):
    """Somebody else changed this meanwhile; look again and decide anew."""

    NAME = "conflict"
    rival = True


class Overloaded(LedgerError):
    """More work is waiting than can be stored soon; try again a little later."""
