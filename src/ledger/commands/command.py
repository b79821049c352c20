"""A command, declared once: what it is called, who may give it, and how it is decided.

Whichever door an act comes through, ``Ledger.record`` refuses who is not in ``by``. Pages, the
API's document and the command line read the same declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

from ledger.books.tallies import Expectation
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act, Aggregate
from ledger.kernel.errors import NotFound
from ledger.kernel.roles import Role

A = TypeVar("A", bound=Aggregate)
P = ParamSpec("P")

DONOR = Role.DONOR
"""Looked up once: every pledge asks for it."""


class Decision(NamedTuple):
    """The result of deciding a command.

    Attributes:
        about: The aggregate that the receipt names; its new events are to be stored.
        expects: What must hold of the tallies when they are.
        repeat_of: The version that recorded the same already; then there is nothing to store.

    """

    about: Aggregate
    expects: Sequence[Expectation] = ()
    repeat_of: int | None = None

    @property
    def repeats(self) -> bool:
        """Say whether all of it is recorded already."""
        return self.repeat_of is not None


@dataclass(frozen=True, slots=True)
class Command(Generic[P]):
    """Something that the ledger can be asked to do.

    Attributes:
        name: What it is called, once in the whole ledger.
        by: Who may: roles, and ``operator`` for what is done on the charity's own machine.
        purpose: What it does, in a sentence.
        decide: Loads what it is about and decides; records nothing.
        owner: The donor whose thing it is about, of the command's arguments; a donor acts on
            their own alone.

    """

    name: str
    by: tuple[str, ...]
    purpose: str
    decide: Callable[Concatenate[Records, Act, P], Decision]
    owner: Callable[..., object] | None = None


class command:  # noqa: N801  # It stands above functions, as a decorator does.
    """Declares the function below as a command."""

    def __init__(self, *, by: Sequence[str], owner: Callable[..., object] | None = None) -> None:
        """Declare who may give it, and whose thing it is about.

        Args:
            by: Who may give it.
            owner: The donor whose thing it is about, of the command's arguments; a donor acts on
                their own alone.

        """
        self._by = tuple(by)
        self._owner = owner

    def __call__(self, decide: Callable[Concatenate[Records, Act, P], Decision]) -> Command[P]:
        """Return the command that ``decide`` decides."""
        return Command(
            name=decide.__name__,
            by=self._by,
            purpose=_purpose(decide),
            decide=decide,
            owner=self._owner,
        )


def step(  # All that there is to say of a step.
    kind: type[A],
    method: Callable[Concatenate[A, Act, P], int | None],
    *,
    by: Sequence[str],
    expects: Callable[[A], Sequence[Expectation]] | None = None,
    owner: Callable[[A], object] | None = None,
    name: str | None = None,
    purpose: str | None = None,
) -> Command[Concatenate[Any, P]]:
    """Declare a command that loads one aggregate and has its ``method`` decide.

    The command's first argument is what the aggregate is known by: its id, or a fund's code.

    Args:
        kind: Of the aggregate.
        method: Decides; returns the version that recorded the same already, if one did.
        by: Who may give it.
        expects: What must hold of the tallies, given the aggregate as decided.
        owner: Whose the aggregate is; a donor acts on their own alone.
        name: What it is called, if not as the method.
        purpose: What it does, in a sentence; that of the method, if none is given.

    """

    def decide(
        records: Records, act: Act, thing: Any, /, *args: P.args, **kwargs: P.kwargs
    ) -> Decision:
        aggregate = records.get(kind, thing)
        if owner is not None and act.role == DONOR:
            check_owner(act, owner(aggregate), NotFound(kind.TOPIC, thing))
        repeat = method(aggregate, act, *args, **kwargs)
        return Decision(aggregate, () if expects is None else expects(aggregate), repeat)

    return Command(
        name=name or method.__name__,
        by=tuple(by),
        purpose=purpose or _purpose(method),
        decide=decide,
    )


def check_owner(act: Act, owner: object, hidden: NotFound) -> None:
    """Answer a donor that somebody else's thing does not exist."""
    if owner != act.own:
        raise hidden


def _purpose(decide: Callable[..., object]) -> str:
    return " ".join((decide.__doc__ or "").split("\n\n")[0].split())
