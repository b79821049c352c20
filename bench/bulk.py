"""Gifts by the thousand, over HTTP and from a file: how much of SQLite's own speed is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from bench.books import Charity, gift_lines
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.load import ask, spell
from bench.raw import Bare, events_in
from bench.servers import ledger_server, leifeng
from ledger.feeds.feed import CHUNK_LINES
from ledger.kernel.ids import new_id

EVENTS_A_LINE = 2
"""A promise and its payment."""


def bulk(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure events a second that lines of gifts become, each line checked and durable.

    Beside inserting the very rows into a bare copy of the ledger's table of events, as many in a
    transaction. The import is a command, so its start counts.
    """
    charity = Charity(folder)
    with ledger_server(folder) as port:
        value, limit = _beside_raw(
            charity, folder / "bare-batches.db", size, lambda: _batch(charity, port, size.orders)
        )
    yield Measured(value, limit).rate(
        "batches",
        "gifts over HTTP, one batch, durable",
        unit="events/s",
        against="raw inserts of the same rows by the thousand",
    )
    value, limit = _beside_raw(
        charity, folder / "bare-import.db", size, lambda: _import(charity, folder, size.orders)
    )
    yield Measured(value, limit).rate(
        "import",
        "gifts from a file by leifeng import, with its start",
        unit="events/s",
        against="raw inserts of the same rows by the thousand",
    )


def _beside_raw(
    charity: Charity, beside: Path, size: Size, record: Callable[[], float]
) -> tuple[float, float]:
    """Return events a second that ``record`` stores, and that are inserted raw."""
    events = size.orders * EVENTS_A_LINE
    with closing(Bare(beside, like=charity.path)) as bare:

        def recorded() -> float:
            before = events_in(charity.path)
            seconds = record()
            done("events stored", expected=events, actual=events_in(charity.path) - before)
            return events / seconds

        def inserted() -> float:
            rows = bare.behind(events)
            done("rows to insert", expected=events, actual=len(rows))
            return a_second(events, lambda: bare.insert(rows, batch=CHUNK_LINES))

        recorded()  # Warms up, and leaves the bare file a turn behind, whichever goes first.
        value, limit = rates_in_turns(size.rounds, recorded, inserted)
    return value, limit


def _batch(charity: Charity, port: int, lines: int) -> float:
    """Send a batch of so many lines; return the seconds until it is answered."""
    headers = {
        "Authorization": f"Bearer {charity.token}",
        "Content-Type": "application/x-ndjson",
        "Idempotency-Key": new_id().hex,
    }
    body = b"\n".join(gift_lines(charity, lines))
    request = spell("POST", "/v1/donations:batch", body, headers)
    answers: list[bytes] = []
    rate = a_second(1, lambda: answers.append(ask(port, request, status=200)))
    done("lines", expected=lines, actual=msgspec.json.decode(answers[0])["accepted"])
    return 1 / rate


def _import(charity: Charity, folder: Path, lines: int) -> float:
    """Import a file of so many lines; return the seconds that the command takes."""
    file = folder / "gifts.ndjson"
    file.write_bytes(b"\n".join(gift_lines(charity, lines)))
    words = ("import", "donations", str(file), "--data", str(folder), "--person", "bench")
    return 1 / a_second(1, lambda: leifeng(*words))
