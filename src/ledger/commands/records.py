"""Records: the recorded state, as commands and views load it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import ApplicationRecorder, Mapper

from ledger.aggregates.donors import Donor
from ledger.aggregates.funds import Fund
from ledger.books.tallies import BOUNDS
from ledger.commands.known_donors import KnownDonors
from ledger.kernel.aggregate import Aggregate, Fact, project
from ledger.kernel.errors import NotFound
from ledger.kernel.names import DonorId, FundCode, Position
from ledger.kernel.terms import FundTerms
from ledger.people import erasure
from ledger.store import open_store
from ledger.store.form import StoredForm
from ledger.store.schema import EVENTS

KNOWN_MAX = 100_000
"""Funds whose fixed facts are remembered, so that a pledge reads nothing."""

TABLES = EVENTS._replace(lookups=erasure.LOOKUPS)
"""The tables of a ledger, with the indexes that its nouns look events up by."""

A = TypeVar("A", bound=Aggregate)


class Records(Application[UUID]):
    """Aggregates and events as they are stored in one ledger."""

    name = "ledger"

    def __init__(self, where: Path | str, *, writes: bool = True) -> None:
        """Open the ledger that is kept at ``where``: a file, or the URL of a database.

        Args:
            where: What ``open_store`` takes.
            writes: Commands may be recorded. A ledger that is only read can be opened beside
                the process that writes it.

        """
        self.store = open_store(where, writes=writes, schema=TABLES, bounds=BOUNDS)
        super().__init__()
        self.form = StoredForm()
        self.fund_terms = lru_cache(KNOWN_MAX)(self._fund_terms)
        self.donors = KnownDonors(self._donor, self.store.tallies)

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()
        super().close()

    def history(
        self, after: int, limit: int, *, topic: str | None = None, stream: UUID | None = None
    ) -> Iterator[tuple[Position, Fact]]:
        """Return up to ``limit`` events that follow position ``after``, all or some of them."""
        for stored in self.store.history(after, limit, topic=topic, stream=stream):
            yield Position(stored.id), self.form.to_domain_event(stored)

    def at(self, positions: Sequence[Position]) -> Iterator[tuple[Position, Fact]]:
        """Return the events at these positions, in order."""
        for stored in self.store.at(positions):
            yield Position(stored.id), self.form.to_domain_event(stored)

    def get(self, kind: type[A], name: object) -> A:
        """Return an aggregate as it stands.

        Args:
            kind: Of the aggregate.
            name: What it is known by: its id, or a fund's code.

        Raises:
            NotFound: Nothing of this kind is known by that name.

        """
        aggregate = self.find(kind, kind.stream_of(name))
        if aggregate is None:
            raise NotFound(kind.TOPIC, name)
        return aggregate

    def _fund_terms(self, code: FundCode) -> FundTerms:
        return self.get(Fund, code).terms

    def _donor(self, donor: DonorId) -> Donor:
        return self.get(Donor, donor)

    def find(self, kind: type[A], stream: UUID) -> A | None:
        """Return the aggregate of ``stream``, or None if there is none of this kind."""
        try:
            aggregate: object = self.repository.get(stream, projector_func=project)
        except AggregateNotFoundError:
            return None
        return aggregate if isinstance(aggregate, kind) else None

    # Parts.

    def construct_mapper(self) -> Mapper[UUID]:
        """Store events as canonical JSON."""
        return StoredForm()

    def construct_recorder(self) -> ApplicationRecorder:
        """Keep events, tallies and answers in one transaction."""
        return self.store
