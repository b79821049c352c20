"""The tree of the ledger's errors and refusals.

* LedgerError
  * Invalid          what was said cannot be true as written: a field is wrong in itself
  * NotFound         the thing named was never recorded
  * Refused          well formed, but a rule of the charity forbids it
    x WrongState     the step is not allowed at this stage of the thing's life
    x SamePerson     two people must act, and one tried to be both
    x Conflict       somebody else changed the same thing first
  * Overloaded       more work is queued than the store can take
  * Confidential     what went wrong is for whoever runs the ledger to know

A rule has a class of its own, beside the aggregate it protects: its docstring is the rule, ``says``
is its sentence with places, and ``facts`` are what stands in them. Nobody reads a sentence to learn
a fact. Nothing in this package knows about HTTP: ``api.kernel.problems`` decides which status each
branch of this tree becomes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from ledger.kernel.sentences import Facts, FieldName, Msgid, Sentence, Several, Term, Word, filled


class LedgerError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        says: The sentence, with a place for each fact: the class's, or one given for this case.
        facts: What stands in its places, by name. None is anybody's name.
        rival: Somebody was faster; what they left may decide the same question another way.
        NAME: What programs know it by, and every class below it that states no other; without
            one, each class goes by its own name.

    """

    says: str = ""
    facts: Facts
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

    def __init__(self, says: Msgid = "", /, **facts: object) -> None:
        if says:
            self.says = says
        self.facts = facts

    def __str__(self) -> str:
        """Return the sentence with its facts, in English."""
        return filled(self.says, self.facts)


class Invalid(LedgerError):
    """What was said cannot be true as written.

    Attributes:
        field: The name of the argument that is wrong, as the caller wrote it.
        fault: What is wrong with it, to follow that name.

    """

    NAME = "invalid-request"
    says = "{field}: {fault}"

    def __init__(self, field: str, fault: Msgid | Sentence, /, **facts: object) -> None:
        """Refuse ``field`` for a fault: a sentence, with ``facts`` for its places."""
        self.field = field
        self.fault = fault if isinstance(fault, Sentence) else Sentence(fault, **facts)
        self.facts = {"field": FieldName(field), "fault": self.fault}


class NotFound(LedgerError):
    """There is nothing of this name here."""

    NAME = "not-found"

    def __init__(
        self, kind: Term, name: object = None, *, by: Term = "id", says: Msgid = ""
    ) -> None:
        """Say that there is no ``kind`` called ``name``, or none with this ``by``.

        Args:
            kind: The kind of thing that was looked for.
            name: What it was looked for by, if that may be repeated.
            by: What it was looked for by, if it may not.
            says: A sentence for this case.

        """
        if says:
            super().__init__(says, kind=Word(kind))
        elif name is None:
            super().__init__("there is no {kind} with this {by}", kind=Word(kind), by=Word(by))
        else:
            super().__init__("there is no {kind} {name}", kind=Word(kind), name=name)


class Refused(LedgerError):
    """A well-formed request that a rule of the charity forbids."""


class WrongState(Refused):
    """Each step is allowed only at its own stage.

    Attributes:
        state: Where the thing stands now.
        allowed: The steps that it could take from there.

    """

    NAME = "wrong-state"
    says = "{step} is not possible: {thing} is {state}, which allows {allowed}"

    def __init__(self, step: Term, thing: Sentence, state: Term, allowed: Iterable[str]) -> None:
        self.state = state
        self.allowed = tuple(allowed)
        super().__init__(
            step=Word(step),
            thing=thing,
            state=Word(state),
            allowed=Several(map(Word, self.allowed)),
        )


class SamePerson(Refused):
    """Two people must act, and neither can be the other."""

    NAME = "same-person"


class Conflict(Refused):
    """Somebody else changed this meanwhile; look again and decide anew."""

    NAME = "conflict"
    rival = True


class Overloaded(LedgerError):
    """More work is waiting than can be stored soon; try again a little later."""


class Confidential(LedgerError):
    """What went wrong is told to whoever runs the ledger, and to others only that it did.

    Its ``says`` and ``facts`` are for everybody. As a text it is what the operator is told, which
    may name a file or speak in a database's words.
    """

    def __init__(self, details: str = "", /, **facts: object) -> None:
        super().__init__(**facts)
        self.details = details

    def __str__(self) -> str:
        """Return what whoever runs the ledger is told."""
        return self.details or super().__str__()
