"""The whole audit: how much more it takes than reading every event and hashing it to its leaf."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

from api.places import Places, key_file
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.servers import leifeng
from ledger.commands import Ledger
from ledger.transparency.leaf import leaf_of
from ledger.transparency.merkle import leaf_hash
from ledger.transparency.note import Verifier
from ledger.transparency.policy import Policy
from projections.audit.examine import examine
from projections.audit.live import Live
from projections.log.log import Log
from projections.log.tables import open_log
from projections.views.opening import open_views

WITHIN = 1 / 3
"""What is asked for."""

MB = 1_000_000
AUDIT_MB = 200
"""Memory that no length of a history may exceed, as for a replay."""


def audit(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure an audit of so many made-up events, and the memory that it holds."""
    data = folder / "audited"
    leifeng("generate", "--events", str(size.many), "--data", str(data))
    yield from audited(data, size)


def audited(data: Path, size: Size) -> Iterator[Figure]:
    """Measure an audit of the ledger kept in ``data``, whose views are level."""
    places = Places.in_folder(data)
    with ExitStack() as opened:
        ledger = opened.enter_context(closing(Ledger(places.ledger, writes=False)))
        log, views = open_log(places.log), open_views(places.views)
        opened.callback(log.dispose)
        opened.callback(views.dispose)
        key = signed(
            data, ledger, Log(ledger.store, log, key_file(data), lambda: datetime.now(UTC))
        )
        events = ledger.store.last_position()
        live = Live(ledger.store, log, views)

        def whole() -> float:
            rate = a_second(events, lambda: examined.append(examine(live, Policy((key,)))))
            done(
                "events audited",
                expected=(events, []),
                actual=(examined[-1].events, examined[-1].findings),
            )
            return rate

        def hashed() -> float:
            return a_second(events, lambda: sum(_hash(row) for row in live.rows()))

        examined = []
        value, limit = rates_in_turns(min(3, size.rounds), whole, hashed)
    yield Measured(value, limit).rate(
        "audit",
        f"whole audit of {events:,} events: hashed, compared, added up",
        unit="events/s",
        against="reading the same rows and hashing each to its leaf",
        target=WITHIN,
    )
    peak = leifeng("audit", "verify", "--data", str(data)) / MB
    yield Measured(peak, AUDIT_MB).cost(
        "audit-memory",
        f"memory of leifeng audit verify, {events:,} events",
        unit="MB",
        against="what is asked for",
        target=1,
    )


def signed(data: Path, ledger: Ledger, log: Log) -> Verifier:
    """Have the log of a ledger cover all of it; return the key that it is signed with."""
    log.begin("bench.example/ledger")
    reached = log.publish().checkpoint.size
    done("events in the log", expected=ledger.store.last_position(), actual=reached)
    ring = key_file(data).read()
    assert ring is not None  # noqa: S101  # It was made just before.
    return ring.signers[-1].verifier


def _hash(row: tuple) -> int:
    return len(leaf_hash(leaf_of(*row).encode()))
