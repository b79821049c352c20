"""Reading a balance over HTTP: how long one waits, now and for an earlier day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from bench.books import DAYS, FIRST_DAY, HOT, Charity, live
from bench.figures import Figure, Measured, Size, done, in_turns, typical
from bench.load import ask, drive, spell
from bench.servers import ledger_server, noop_server

QUANTILES = {"p50": 0.50, "p99": 0.99}


def reads(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure how long a balance takes on one quiet connection, in the middle and at the worst.

    Of the fund with the longest history: now, as of a day in the middle of it, and as known at an
    event in the middle of it. Beside a no-op endpoint on the same kind of connection.
    """
    charity = Charity(folder)
    live(charity, size.history)
    balance = f"/v1/funds/{HOT}/balance"
    day = FIRST_DAY + timedelta(DAYS // 2)
    places = {
        "balance": ("balance of a fund", balance),
        "as-of": ("balance as of an earlier day", f"{balance}?as_of={day}"),
        "known-at": ("balance as known earlier", f"{balance}?known_at={size.history // 2}"),
    }

    def waited(port: int, path: str) -> list[float]:
        request = spell("GET", path)
        return drive([port], [request] * size.reads, connections=1, status=200)

    with ledger_server(folder) as ours, noop_server() as noop:
        for _, path in places.values():
            answer = msgspec.json.decode(ask(ours, spell("GET", path), status=200))
            done("fund shown", expected=HOT, actual=answer["fund"])
            done("a fund with a past", expected=True, actual=answer["received"] > 0)
        waited(noop, balance)
        *turns, limit = in_turns(
            size.rounds,
            *(lambda path=path: waited(ours, path) for _, path in places.values()),
            lambda: waited(noop, balance),
        )
    for (name, (work, _)), latencies in zip(places.items(), turns, strict=True):
        for quantity, share in QUANTILES.items():
            yield Measured(typical(latencies, share), typical(limit, share)).latency(
                f"{name}-{quantity}", f"{work}, {quantity}", against="no-op endpoint"
            )
