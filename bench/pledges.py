"""Durable pledges over HTTP: how much of the web framework's own speed is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import msgspec

from bench.books import FUNDS, HOT, IN_FLIGHT, Charity
from bench.figures import Figure, Measured, Size, a_second, done, rates_in_turns
from bench.load import ask, drive, spell
from bench.raw import events_in
from bench.servers import ledger_server, noop_server
from ledger.names import FundCode, new_id


def pledges(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure pledges a second, acknowledged after they are on disk, on 64 connections.

    Beside a no-op endpoint that validates the same bytes, sent by the same client. All pledges
    for one fund beside the same spread over a hundred shows whether a popular fund is a
    bottleneck. What the views have still to read is waited for between the turns, not in them.
    """
    charity = Charity(folder)
    level = spell("GET", f"/v1/funds/{HOT}/balance")

    def pledge(port: int, funds: Sequence[FundCode], *, amount: int, stores: bool) -> float:
        requests = _requests(charity, funds, amount)
        before = events_in(charity.path)
        rate = a_second(amount, lambda: drive(port, requests, connections=IN_FLIGHT, status=201))
        stored = events_in(charity.path) - before
        done("pledges stored", expected=amount if stores else 0, found=stored)
        ask(port, level, status=200)
        return rate

    with ledger_server(folder) as ours, noop_server() as noop:
        pledge(ours, FUNDS, amount=IN_FLIGHT * 4, stores=True)
        pledge(noop, FUNDS, amount=IN_FLIGHT * 4, stores=False)
        one, hundred, limit = rates_in_turns(
            size.rounds,
            lambda: pledge(ours, [HOT], amount=size.requests, stores=True),
            lambda: pledge(ours, FUNDS, amount=size.requests, stores=True),
            lambda: pledge(noop, [HOT], amount=size.requests, stores=False),
        )
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
