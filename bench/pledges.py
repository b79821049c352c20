"""Durable pledges over HTTP: how much of the web framework's own speed is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.books import FUNDS, HOT, IN_FLIGHT, Charity
from bench.figures import (
    Figure,
    Measured,
    Size,
    a_second,
    done,
    in_turns,
    rates_in_turns,
    typical,
)
from bench.load import ask, drive, spell
from bench.raw import Bare, events_in
from bench.servers import ledger_process, noop_server, postgres, there_is_postgres
from ledger.kernel.ids import new_id
from ledger.kernel.names import FundCode

PROCESSES = 2
"""Web processes on one PostgreSQL database."""

P99 = 0.99

LEVEL = spell("GET", f"/v1/funds/{HOT}/balance")
"""Waits until the views are level, between the turns and not in them."""


def pledges(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure pledges a second, acknowledged after they are on disk, on 64 connections.

    Beside a no-op endpoint that validates the same bytes, sent by the same client, with as many
    processes. PostgreSQL is left out where its wheel is not installed.
    """
    yield from _on_sqlite(folder / "sqlite", size)
    if there_is_postgres():
        yield from _on_postgres(folder / "postgres", size)


class _Intake(NamedTuple):
    """Servers that take pledges in, and where these are kept, if they are."""

    charity: Charity
    ports: Sequence[int]
    kept_in: Path | str | None

    def rate(self, funds: Sequence[FundCode], amount: int) -> float:
        """Return how many a second are acknowledged."""
        requests = _requests(self.charity, funds, amount)
        before = self._kept()
        rate = a_second(amount, lambda: self._send(requests))
        self._have_kept(before, amount)
        return rate

    def latencies(self, amount: int, *, rate: float) -> list[float]:
        """Return how long each is waited for, in µs, if so many a second come whatever happens."""
        requests = _requests(self.charity, [HOT], amount)
        before = self._kept()
        latencies = self._send(requests, rate)
        self._have_kept(before, amount)
        return latencies

    def _send(self, requests: Sequence[bytes], rate: float | None = None) -> list[float]:
        return drive(self.ports, requests, connections=IN_FLIGHT, status=201, rate=rate)

    def _kept(self) -> int:
        return 0 if self.kept_in is None else events_in(self.kept_in)

    def _have_kept(self, before: int, amount: int) -> None:
        if self.kept_in is not None:
            done("pledges stored", expected=amount, actual=self._kept() - before)
            ask(self.ports[0], LEVEL, status=200)


def _on_sqlite(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure one server; all pledges for one fund beside the same spread over a hundred as well.

    That shows whether a popular fund is a bottleneck.
    """
    folder.mkdir()
    charity = Charity(folder)
    with ledger_process(folder) as served, noop_server() as port:
        ours = _Intake(charity, [served.port], charity.path)
        noop = _Intake(charity, [port], None)
        ours.rate(FUNDS, IN_FLIGHT * 4)
        noop.rate(FUNDS, IN_FLIGHT * 4)
        one, hundred, limit = rates_in_turns(
            size.rounds,
            lambda: ours.rate([HOT], size.requests),
            lambda: ours.rate(FUNDS, size.requests),
            lambda: noop.rate([HOT], size.requests),
        )
        waited, bare, idle = _waited_for(ours, noop, size, rate=one / 2)
    yield Measured(one, limit).rate(
        "pledges",
        "durable pledges over HTTP, 64 connections, one fund",
        unit="pledges/s",
        against="no-op endpoint, same body",
        target=0.6,
    )
    yield Measured(one, hundred).rate(
        "pledges-hot-fund",
        "the same, all on one fund",
        unit="pledges/s",
        against="the same on a hundred funds",
        target=0.9,
    )
    yield Measured(waited, bare).cost(
        "pledges-p99",
        "the same at half that rate, p99 with waiting",
        unit="µs",
        against="bare commit of one row to SQLite, p99",
        target=0.2,
    )
    yield Measured(waited, idle).cost(
        "pledges-p99-noop",
        "the same",
        unit="µs",
        against="no-op endpoint, same body, same rate, p99",
    )


def _waited_for(
    ours: _Intake, noop: _Intake, size: Size, *, rate: float
) -> tuple[float, float, float]:
    """Return what all but one in a hundred wait at most, in µs; so of bare commits, and a no-op."""
    with closing(Bare(ours.charity.path.with_name("bare.db"), like=ours.charity.path)) as bare:

        def committed() -> list[float]:
            rows = bare.behind(size.requests)
            done("rows to insert", expected=size.requests, actual=len(rows))
            return bare.commit_each(rows)

        ours.latencies(size.requests, rate=rate)  # Leaves the bare file a turn behind.
        waited, took, idle = in_turns(
            size.rounds,
            lambda: ours.latencies(size.requests, rate=rate),
            committed,
            lambda: noop.latencies(size.requests, rate=rate),
        )
    return typical(waited, P99), typical(took, P99), typical(idle, P99)


def _on_postgres(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure two servers on one database, beside two that do nothing."""
    folder.mkdir()
    with ExitStack() as stack:
        url = stack.enter_context(postgres(folder / "data"))
        charity = Charity(folder, url)
        served = [stack.enter_context(ledger_process(folder, url)) for _ in range(PROCESSES)]
        idle = [stack.enter_context(noop_server()) for _ in range(PROCESSES)]
        ours = _Intake(charity, [each.port for each in served], url)
        noop = _Intake(charity, idle, None)
        ours.rate(FUNDS, IN_FLIGHT * 4)
        noop.rate(FUNDS, IN_FLIGHT * 4)
        value, limit = rates_in_turns(
            size.rounds,
            lambda: ours.rate([HOT], size.requests),
            lambda: noop.rate([HOT], size.requests),
        )
    yield Measured(value, limit).rate(
        "pledges-postgres",
        "durable pledges over HTTP, two processes on PostgreSQL, 64 connections",
        unit="pledges/s",
        against="no-op endpoint, same body, two processes",
        target=0.5,
    )


def _requests(charity: Charity, funds: Sequence[FundCode], amount: int) -> list[bytes]:
    requests = []
    for fund in islice(cycle(funds), amount):
        headers = {
            "Authorization": f"Bearer {charity.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": new_id().hex,
        }
        body = msgspec.json.encode(charity.pledge(fund))
        requests.append(spell("POST", "/v1/donations", body, headers))
    return requests
