"""A partner's feed over HTTP: how much of SQLite's own speed is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from bench.books import HOT, Charity, order_lines
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.load import ask, spell
from bench.raw import Bare, events_in
from bench.servers import ledger_server
from ledger.feeds.feed import CHUNK_LINES
from ledger.kernel.ids import new_id


def feed(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure orders a second that a partner feeds in one request, each checked and durable.

    Beside inserting the very rows they became into a bare copy of the ledger's table of events,
    as many in a transaction as the feed has, with the same indexes and pragmas.
    """
    charity = Charity(folder)
    level = spell("GET", f"/v1/funds/{HOT}/balance")
    with (
        closing(Bare(folder / "bare.db", like=charity.path)) as bare,
        ledger_server(folder) as port,
    ):

        def fed() -> float:
            body = b"\n".join(order_lines(size.orders))
            headers = {
                "Authorization": f"Bearer {charity.token}",
                "Content-Type": "application/x-ndjson",
                "Idempotency-Key": new_id().hex,
            }
            request = spell("POST", f"/v1/sales/{charity.sale}/orders", body, headers)
            answers: list[bytes] = []
            before = events_in(charity.path)
            rate = a_second(size.orders, lambda: answers.append(ask(port, request, status=200)))
            accepted = msgspec.json.decode(answers[0])["accepted"]
            done("orders accepted", expected=size.orders, actual=accepted)
            stored = events_in(charity.path) - before
            done("orders stored", expected=size.orders, actual=stored)
            ask(port, level, status=200)
            return rate

        def inserted() -> float:
            rows = bare.behind(size.orders)
            done("rows to insert", expected=size.orders, actual=len(rows))
            return a_second(len(rows), lambda: bare.insert(rows, batch=CHUNK_LINES))

        fed()  # Warms up, and leaves the bare file a turn behind, whichever goes first.
        value, limit = rates_in_turns(size.rounds, fed, inserted)
    yield Measured(value, limit).rate(
        "feed",
        "partner's orders over HTTP, one request, durable",
        unit="orders/s",
        against="raw inserts of the same rows by the thousand",
        target=0.25,
    )
