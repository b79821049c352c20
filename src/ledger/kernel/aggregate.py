"""The base that every aggregate and every event shares.

A command decides and may refuse; it then records an event. The method under ``@event`` applies
what was recorded and cannot refuse: it runs again on every replay, when the rules of the day may
be others. Aggregates and events are our own small classes, of the shape that the eventsourcing
library's repository and event store ask for; docs/decisions/aggregates.md says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from ledger.kernel.errors import Invalid
from ledger.kernel.ids import random_bytes
from ledger.kernel.names import PersonId

BUSINESS_ZONE = ZoneInfo("Asia/Shanghai")
"""Where the charity's days begin and end."""

SALT_BYTES = 16
"""Random bytes in each event, so that its published hash cannot be guessed back to its words."""

INSTANTS_MAX = 4_096
"""Instants whose day is remembered: a feed asks for the same ones again and again."""

HOUR_S = 3_600

HOURS_MAX = 24
"""Hours whose day is remembered: the clock is read in the one that it is."""

F = TypeVar("F", bound="Fact")
A = TypeVar("A", bound="Aggregate")


@lru_cache(INSTANTS_MAX)
def business_day(instant: datetime) -> date:
    """Return the day that it is in Asia/Shanghai.

    Raises:
        OverflowError: It is a day beyond the calendar.

    """
    return instant.astimezone(BUSINESS_ZONE).date()


def day_at(unix_s: float) -> date:
    """Return the business day at a reading of the clock, in seconds since 1970.

    Days begin and end with an hour of UTC, so all readings within an hour are of one day.
    """
    return _day_of_hour(int(unix_s // HOUR_S))


@lru_cache(HOURS_MAX)
def _day_of_hour(hour: int) -> date:
    return datetime.fromtimestamp(hour * HOUR_S, BUSINESS_ZONE).date()


class Act(Struct, frozen=True):
    """Metadata of a command: the actor, their role, the command's id, and the time of recording.

    Attributes:
        actor: Opaque id of the person.
        role: The role that allowed it, such as ``treasurer``.
        command: Id of the request; all that one request records carries the same.
        at: The instant of recording, UTC. Only the doors read the clock.
        fingerprint: Keyed digest of each field of the request, for telling a repeat from a
            reuse of its key. ``None`` where the caller did not ask for repeats to be recognised.
        own: The donor whom the role donor means, or the sale that the role partner does.

    """

    actor: PersonId
    role: str
    command: UUID
    at: datetime
    fingerprint: dict[str, str] | None = None
    own: UUID | None = None

    @property
    def today(self) -> date:
        """The business day of recording."""
        return day_at(self.at.timestamp())


class Fact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Something that happened, never edited: a correction is a new fact.

    Facts hold no facts, so the collector of cycles (``gc``) has nothing to look for in them.

    Attributes:
        originator_id: The stream that it belongs to.
        originator_version: Its place in that stream, counting from 1.
        on: The business day it took effect, in Asia/Shanghai.
        recorded_at: The instant it was written down, UTC.
        actor: Who said so; an opaque id.
        role: The role that allowed them to.
        command: The request that it was part of.
        salt: 128 random bits, in hexadecimal.

    """

    TOPIC: ClassVar[str]
    """The name under which the store keeps it for ever. Classes may be renamed; topics not."""

    originator_id: UUID = field(name="stream")
    originator_version: int = field(name="version")
    on: date
    recorded_at: datetime
    actor: PersonId
    role: str
    command: UUID
    salt: str


ENVELOPE = tuple(name for name in Fact.__struct_encode_fields__)
"""Stored names of the fields that every event has."""


class Aggregate:
    """A stream of facts, and the smallest state that lets it decide."""

    TOPIC: ClassVar[str]
    """The first word of its events' topics."""

    MOVES_MONEY: ClassVar[bool] = True
    """Whether its events may make entries, so that each needs a rule in the manual of postings."""

    _appliers: ClassVar[dict[type[Fact], Callable[[Any, Any], None]]]

    def __init__(self, stream: UUID) -> None:
        self.id = stream
        self.version = 0
        self._pending: list[Fact] = []

    def __init_subclass__(cls) -> None:
        """Learn the facts of a new kind of aggregate and how it applies them."""
        cls._appliers = {}
        for member in vars(cls).values():
            if isinstance(member, type) and issubclass(member, Fact):
                _learn(member, cls)
            kind = getattr(member, "applies", None)
            if kind in cls._appliers:
                raise TypeError(f"{kind.__qualname__} is applied twice")
            if kind is not None:
                cls._appliers[kind] = member

    @classmethod
    def stream_of(cls, name: Any) -> UUID:
        """Return the stream of the aggregate that people call ``name``; mostly that is its id."""
        return name if isinstance(name, UUID) else UUID(name)

    @property
    def public_name(self) -> str:
        """What people, and receipts, call it; mostly its id."""
        return str(self.id)

    def apply(self, fact: Fact) -> None:
        """Take in one fact, recorded just now or long ago."""
        applier = self._appliers.get(type(fact))
        if applier is not None:
            applier(self, fact)
        self.version = fact.originator_version

    def collect_events(self) -> Sequence[Fact]:
        """Hand over what was decided since the last call, once."""
        pending, self._pending = self._pending, []
        return pending

    def _record(self, kind: type[Fact], act: Act, *, on: date, **fields: Any) -> None:
        """Write down that something happened on ``on``. Tomorrow's facts are not yet facts."""
        if on > act.today:
            raise Invalid("on", "{on} is in the future", on=on)
        fact = kind(
            originator_id=self.id,
            originator_version=self.version + 1,
            on=on,
            recorded_at=act.at,
            actor=act.actor,
            role=act.role,
            command=act.command,
            salt=random_bytes(SALT_BYTES).hex(),
            **fields,
        )
        self.apply(fact)
        self._pending.append(fact)

    @classmethod
    def replayed(cls, facts: Iterable[Fact]) -> Self:
        """Return the aggregate that ``facts``, all of one stream, add up to."""
        aggregate = project(None, facts)
        if not isinstance(aggregate, cls):
            raise TypeError(f"these are not the facts of a {cls.TOPIC}")
        return aggregate


FACTS: dict[str, type[Fact]] = {}
"""Every kind of event by its topic."""

_STREAMS: dict[type[Fact], type[Aggregate]] = {}


def event(kind: type[F]) -> Callable[[Callable[[A, F], None]], Callable[[A, F], None]]:
    """Say that the method below applies facts of this kind, and of no other."""

    def mark(method: Callable[[A, F], None]) -> Callable[[A, F], None]:
        if "applies" in vars(method):
            raise TypeError(f"{method.__qualname__} already applies another kind of fact")
        vars(method)["applies"] = kind
        return method

    return mark


def project(aggregate: Aggregate | None, facts: Iterable[Fact]) -> Aggregate | None:
    """Fold ``facts`` into ``aggregate``, which is begun by the first if there is none yet."""
    for fact in facts:
        if aggregate is None:
            aggregate = _STREAMS[type(fact)](fact.originator_id)
        aggregate.apply(fact)
    return aggregate


def aggregate_of(kind: type[Fact]) -> type[Aggregate]:
    """Return the aggregate that facts of this kind are of."""
    return _STREAMS[kind]


def _learn(kind: type[Fact], owner: type[Aggregate]) -> None:
    if kind.TOPIC in FACTS:
        raise TypeError(f"two kinds of event are called {kind.TOPIC}")
    if not kind.TOPIC.startswith(f"{owner.TOPIC}."):
        raise TypeError(f"{kind.TOPIC} is not an event of a {owner.TOPIC}")
    FACTS[kind.TOPIC] = kind
    _STREAMS[kind] = owner
