"""Given some facts, when a command runs, then these facts follow.

A fact is an event class, its business day, who said so, and its business fields. The rest of the
envelope is stamped here, so that no test mentions it and none depends on it by accident.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import asdict

from ledger.commands.command import Command
from ledger.kernel.aggregate import BUSINESS_ZONE, Act, Aggregate, Fact, project
from ledger.kernel.ids import new_id
from ledger.kernel.names import PersonId
from ledger.store.form import StoredForm

TODAY = date(2026, 4, 1)
"""The business day on which commands run, unless a test says otherwise."""

SOMEONE = PersonId("lin")
STREAM = UUID(int=0x2026_0308)
COMMAND = UUID(int=1)
SALT = "5a" * 16
NOON = time(12, tzinfo=BUSINESS_ZONE)
ENVELOPE = {"originator_id", "originator_version", "recorded_at", "role", "command", "salt"}

FORM = StoredForm()


class EventBody(NamedTuple):
    """An event without its envelope."""

    kind: type[Fact]
    fields: dict[str, Any]

    def decided(self, version: int = 1, stream: UUID = STREAM) -> Fact:
        """Return the event as a command makes it."""
        return self.kind(
            originator_id=stream,
            originator_version=version,
            recorded_at=datetime.combine(self.fields["on"], NOON).astimezone(UTC),
            role="clerk",
            command=COMMAND,
            salt=SALT,
            **self.fields,
        )

    def stamped(self, version: int = 1, stream: UUID = STREAM) -> Any:
        """Return the event as the store gives it back."""
        return FORM.to_domain_event(FORM.to_stored_event(self.decided(version, stream)))

    def stored(self) -> bytes:
        """Return the bytes that the store keeps of the event."""
        return bytes(FORM.to_stored_event(self.decided()).state)

    def golden(self) -> str:
        """Return the event's line of ``tests/golden/events.ndjson``."""
        return f'{{"topic":"{self.kind.TOPIC}","state":{self.stored().decode()}}}'

    def but(self, **other: Any) -> EventBody:
        """Return the same event with some of it said otherwise."""
        return EventBody(self.kind, {**self.fields, **other})


def fact(kind: type[Fact], /, *, on: date = TODAY, who: str = SOMEONE, **fields: Any) -> EventBody:
    """``fact(Disbursement.ApprovalGiven, who="wang", fund="F-HEAR", …)``."""
    return EventBody(kind, {"on": on, "actor": who, **fields})


def unstamped(event: Fact) -> EventBody:
    """Return what an event says, leaving out where and when it was recorded."""
    return EventBody(type(event), {k: v for k, v in asdict(event).items() if k not in ENVELOPE})


def act(who: str = SOMEONE, on: date = TODAY, role: str = "clerk") -> Act:
    """Return an act of a person at noon of a day, under a command of its own."""
    return Act(PersonId(who), role, new_id(), datetime.combine(on, NOON).astimezone(UTC))


def act_for(command: Command[Any], who: str = SOMEONE, on: date = TODAY) -> Act:
    """Return an act in the first of the roles that may give ``command``."""
    return act(who, on, command.by[0])


def replay(*facts: EventBody, stream: UUID = STREAM) -> Any:
    """Fold ``facts`` exactly as the store would."""
    return project(None, [each.stamped(at, stream) for at, each in enumerate(facts, start=1)])


def given(*facts: EventBody, stream: UUID = STREAM) -> Story:
    """Begin with what is recorded of one stream, perhaps nothing."""
    return Story(facts, replay(*facts, stream=stream))


def state(aggregate: Aggregate) -> dict[str, Any]:
    """Return what an aggregate knows and decides by."""
    return {name: value for name, value in vars(aggregate).items() if not name.startswith("_")}


@dataclass
class Story:
    """What was recorded, what was tried, and what came of it."""

    before: Sequence[EventBody]
    subject: Any
    refusal: Exception | None = None
    answer: Any = field(default=None)

    def when(self, command: Callable[[Any], object]) -> Story:
        """Try ``command`` on the aggregate; with none given yet, it makes one."""
        try:
            self.answer = command(self.subject)
        except Exception as error:  # noqa: BLE001  # Whatever it is, ``then`` will show it.
            self.refusal = error
        else:
            self.subject = self.subject or self.answer
        return self

    def then(self, *expected: EventBody) -> None:
        """Exactly this was recorded, and a replay of it leads to the very same state."""
        assert self.refusal is None, f"refused: {self.refusal!r}"

        recorded = self.subject.collect_events()
        assert [unstamped(each) for each in recorded] == list(expected)

        replayed = replay(*self.before, *expected, stream=self.subject.id)
        assert state(replayed) == state(self.subject)

    def then_repeats(self, version: int) -> None:
        """Nothing was recorded; the answer is where the same was recorded before."""
        self.then()

        assert self.answer == version

    def then_refused(self, rule: type[Exception], saying: str = "") -> None:
        """The command was refused by exactly this rule, and nothing was recorded."""
        assert type(self.refusal) is rule, f"expected {rule.__name__}, got {self.refusal!r}"
        assert saying in str(self.refusal)

        assert self.subject is None or not self.subject.collect_events(), "refused, yet recorded"
