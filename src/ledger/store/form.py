"""The stored form of an event: canonical JSON (RFC 8785) that any tool can read.

Names and numbers here are promises. A new shape gets a new topic, such as ``donation.pledged.2``,
and the old one an entry in ``UPCASTS``; what was written is never written again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.kernel.aggregate import ENVELOPE, FACTS, Fact
from ledger.kernel.errors import LedgerError

Stored: TypeAlias = StoredEvent
"""An event as the store keeps it: its stream, version, topic and bytes."""

Upcast = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
"""Turns the fields of a retired topic into a later topic and its fields."""

UPCASTS: Mapping[str, Upcast] = {}
"""Every retired topic, and what became of it."""

NOT_READ = (msgspec.MsgspecError, UnicodeError)
"""What is raised at a state that does not spell an event of its topic."""

_encoder = msgspec.json.Encoder(order="sorted")


class Unreadable(LedgerError):
    """What is stored is not an event that this ledger ever wrote."""


class StoredForm(Mapper[UUID]):
    """Turns events into rows and rows into events."""

    def __init__(self, upcasts: Mapping[str, Upcast] = UPCASTS) -> None:
        self._upcasts = upcasts
        self._decode = {topic: msgspec.json.Decoder(kind).decode for topic, kind in FACTS.items()}

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Write an event down."""
        fact = cast("Fact", domain_event)
        return StoredEvent(
            originator_id=fact.originator_id,
            originator_version=fact.originator_version,
            topic=fact.TOPIC,
            state=_encoder.encode(fact),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Fact:
        """Read an event back. Its own words and the row's columns must agree."""
        fact = self.read(stored_event.topic, stored_event.state)
        if (fact.originator_id, fact.originator_version) != (
            stored_event.originator_id,
            stored_event.originator_version,
        ):
            raise Unreadable(
                f"version {stored_event.originator_version} of {stored_event.originator_id}"
                " says that it belongs elsewhere"
            )
        return fact

    def read(self, topic: str, state: bytes) -> Fact:
        """Return the event that ``state`` spells."""
        try:
            decode = self._decode.get(topic)
            if decode is not None:
                return decode(state)
            return self._upcast(topic, msgspec.json.decode(state))
        except NOT_READ as error:
            raise Unreadable(f"{topic}: {error}") from None

    def _upcast(self, topic: str, fields: dict[str, Any]) -> Fact:
        while topic not in FACTS:
            if topic not in self._upcasts:
                raise Unreadable(f"no event is called {topic}")
            topic, fields = self._upcasts[topic](fields)
        return msgspec.convert(fields, FACTS[topic])


def brief(kind: type[Fact], *, named: bool) -> Callable[[bytes], Any]:
    """Return a decoder of the fields that affect the books, and no others.

    Whoever adds up a whole history waits for its reading, and near half of that is for who, when
    and by which request. Of what every fact has, only its day is read.

    Args:
        kind: The facts to read.
        named: Read the stream as well.

    """
    envelope = {"on", "originator_id"} if named else {"on"}
    fields = [
        (each.name, each.type, msgspec.field(name=each.encode_name, default=each.default))
        for each in msgspec.structs.fields(kind)
        if each.name in envelope or each.encode_name not in ENVELOPE
    ]
    brief_kind = msgspec.defstruct(kind.__name__, fields, kw_only=True, gc=False)
    return msgspec.json.Decoder(brief_kind).decode
