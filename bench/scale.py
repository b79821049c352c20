"""A ledger with years behind it: what stays as it was when the ledger was young, and what grows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter, sleep
from typing import NamedTuple
from uuid import UUID

import msgspec

from api.cli.demo_data.randomness import FIRST_DAY
from api.cli.demo_data.years import CODES, DAYS
from api.places import Places, key_file
from bench.audit import signed
from bench.books import IN_FLIGHT, RECORDED_AT
from bench.figures import Figure, Measured, Size, a_second, done, in_turns, quantile, rates_in_turns
from bench.load import ask, drive, spell
from bench.raw import decoders, events_in, read_and_decode
from bench.servers import ledger_process, ledger_server, leifeng, peak_memory
from ledger.aggregates.donors import Donor
from ledger.commands import Ledger
from ledger.kernel.ids import new_id
from ledger.kernel.names import Position
from ledger.kernel.roles import Role
from ledger.people.identity import Identity
from projections.exports.plain_text import EXPORTS
from projections.kernel.history import rest
from projections.log.log import Log
from projections.log.tables import open_log
from projections.replay.fold import fold

HOT = CODES[0]
BALANCE = f"/v1/funds/{HOT}/balance"

MB = 1_000_000
SERVER_MB, REPLAY_MB = 400, 200
START_S, LAG_S, LEVEL_S = 3.0, 1.0, 1.0
"""What is asked for."""

TURN = 50
"""Reads in a turn: short ones, so that a busy moment of the machine strikes all alike."""

LOOK_S = 0.05
"""Time between two looks at how far the views are."""

SLICE = 20_000
"""Events that hledger reads: enough that its start does not count, and it is slow."""

INTAKE_ROUNDS = 5
"""Times ``Size.requests`` that are sent while the views are watched."""


def scale(folder: Path, size: Size) -> Iterator[Figure]:
    """Measure reads, replay, memory, start-up and lag over so many made-up events.

    Both ledgers are made for this run by ``leifeng generate`` and go with it.
    """
    young, old = folder / "young", folder / "old"
    for data, events in ((young, size.few), (old, size.many)):
        leifeng("generate", "--events", str(events), "--data", str(data))
        _sign(data)
    yield from _reads(young, old, size)
    yield from _replay(old, size)
    yield from _memory(old, size)
    yield from _start(old, size)
    yield from _lag(old, size)


def _sign(data: Path) -> None:
    """Bring the public log level, which a server would do in its first minute."""
    places = Places.in_folder(data)
    engine = open_log(places.log)
    with closing(Ledger(places.ledger, writes=False)) as ledger:
        signed(data, ledger, Log(ledger.store, engine, key_file(data), lambda: datetime.now(UTC)))
    engine.dispose()


def _reads(young: Path, old: Path, size: Size) -> Iterator[Figure]:
    """Compare balances of the two ledgers, and of an old one now and looking back."""
    day = FIRST_DAY + timedelta(DAYS // 2)
    known = size.many // 2
    back = {
        "as-of": ("as of an earlier day", f"{BALANCE}?as_of={day}"),
        "known-at": ("as known earlier", f"{BALANCE}?known_at={known}"),
        "both": ("as known earlier of a day before", f"{BALANCE}?as_of={day}&known_at={known}"),
    }

    def waited(port: int, path: str) -> list[float]:
        requests = [spell("GET", path)] * min(TURN, size.reads)
        return drive([port], requests, connections=1, status=200)

    with ledger_server(young) as at_young, ledger_server(old) as at_old:
        for path in (BALANCE, *(path for _, path in back.values())):
            answer = msgspec.json.decode(ask(at_old, spell("GET", path), status=200))
            done("a fund with a past", expected=True, actual=answer["received"] > 0)
        few, many, *looking_back = (
            quantile(list(chain.from_iterable(turns)), 0.99)
            for turns in in_turns(
                size.rounds * max(1, size.reads // TURN),
                partial(waited, at_young, BALANCE),
                partial(waited, at_old, BALANCE),
                *(partial(waited, at_old, path) for _, path in back.values()),
            )
        )
    yield Measured(many, few).cost(
        "scale-balance-p99",
        f"balance of a fund, p99, at {size.many:,} events",
        unit="µs",
        against=f"the same at {size.few:,} events",
        target=1 / 1.2,
    )
    for (name, (when, _)), latency in zip(back.items(), looking_back, strict=True):
        yield Measured(latency, many).cost(
            f"scale-{name}-p99",
            f"the same {when}",
            unit="µs",
            against="the balance now",
            target=1 / 20,
        )


def _replay(old: Path, size: Size) -> Iterator[Figure]:
    """Compare the straight loop with reading alone, and with another program on the same books."""
    path = old / "ledger.db"
    decode = decoders()
    with closing(Ledger(path, writes=False)) as ledger:
        events = Position(events_in(path))

        def folded(until: Position) -> float:
            rate = a_second(until, lambda: reached.append(fold(ledger, until=until).position))
            done("events folded", expected=until, actual=reached[-1])
            return rate

        def read() -> float:
            return a_second(events, lambda: read_and_decode(path, decode))

        reached: list[Position] = []
        rounds = min(3, size.rounds)
        value, limit = rates_in_turns(rounds, lambda: folded(events), read)
        yield Measured(value, limit).rate(
            "scale-fold",
            f"whole-history fold to all balances, {events:,} events",
            unit="events/s",
            against="reading and decoding the same rows raw",
            target=0.5,
        )
        hledger = shutil.which("hledger")
        if hledger is None:
            sys.stderr.write("scale-hledger is left out: there is no hledger here\n")
            return
        some = Position(min(SLICE, events))
        journal = old / "some.journal"
        with journal.open("w", encoding="utf-8") as file:
            file.writelines(EXPORTS["hledger"](rest(ledger, until=some)))
        command = [hledger, "-f", str(journal), "balance", "--flat"]

        def by_hledger() -> float:
            return a_second(
                some, lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            )

        value, limit = rates_in_turns(rounds, lambda: folded(some), by_hledger)
        yield Measured(value, limit).rate(
            "scale-hledger",
            f"the same, {some:,} events",
            unit="events/s",
            against="hledger balance on the same books",
            target=10,
        )


def _memory(old: Path, size: Size) -> Iterator[Figure]:
    """Measure the most memory held, by a server that is read from and by a replay."""
    paths = (BALANCE, f"{BALANCE}?known_at={size.many // 2}", "/v1/funds")
    with ledger_process(old) as served:
        for path in paths:
            drive([served.port], [spell("GET", path)] * size.reads, connections=8, status=200)
        server = peak_memory(served.pid)
    for name, work, peak, most in (
        ("server", "memory of the server", server, SERVER_MB),
        ("replay", "memory of leifeng replay", leifeng("replay", "--data", str(old)), REPLAY_MB),
    ):
        yield Measured(peak / MB, most).cost(
            f"scale-{name}-memory",
            f"{work}, {size.many:,} events",
            unit="MB",
            against="what is asked for",
            target=1,
        )


def _start(old: Path, size: Size) -> Iterator[Figure]:
    """Measure how long it takes from starting the server to the first balance."""

    def started() -> float:
        begun = perf_counter()
        with ledger_server(old) as port:
            ask(port, spell("GET", BALANCE), status=200)
            return perf_counter() - begun

    yield Measured(median(started() for _ in range(size.rounds)), START_S).cost(
        "scale-start",
        f"start of the server to the first balance, {size.many:,} events",
        unit="s",
        against="what is asked for",
        target=1,
    )


class _Look(NamedTuple):
    at: float
    recorded: int
    in_views: int


def _lag(old: Path, size: Size) -> Iterator[Figure]:
    """Measure how old the views are while pledges come in as fast as they can, and afterwards."""
    first, *requests = _pledges(old, size.requests * INTAKE_ROUNDS + 1)
    looks: list[_Look] = []
    with ledger_server(old) as port:
        drive([port], [first], connections=1, status=201)
        begun = _level(port)  # So that whoever follows has started.
        over = Event()

        def watch() -> None:
            while not over.is_set():
                looks.append(_look(port))
                sleep(LOOK_S)

        watching = Thread(target=watch)
        watching.start()
        drive([port], requests, connections=IN_FLIGHT, status=201)
        over.set()
        watching.join()
        ended = perf_counter()
        last = _level(port)
        done("pledges in the views", expected=len(requests), actual=last.in_views - begun.in_views)
        level = last.at - ended
    lag = max(_age(look, looks) for look in looks)
    for name, work, value, most in (
        ("lag", "age of the views at full intake, at most", lag, LAG_S),
        ("level", "until the views are level after it", level, LEVEL_S),
    ):
        yield Measured(max(value, LOOK_S / 10), most).cost(
            f"scale-{name}",
            f"{work}, {size.many:,} events",
            unit="s",
            against="what is asked for",
            target=1,
        )


def _level(port: int) -> _Look:
    """Wait until the views show all that is recorded, which nobody's reading brings about."""
    while (look := _look(port)).in_views < look.recorded:
        sleep(LOOK_S / 10)
    return look


def _age(look: _Look, looks: list[_Look]) -> float:
    """Return for how long there had been something that the views did not show."""
    unseen = (each.at for each in looks if each.recorded > look.in_views)
    return max(0.0, look.at - next(unseen, look.at))


def _look(port: int) -> _Look:
    metrics = ask(port, spell("GET", "/metrics"), status=200).decode()
    recorded = int(float(re.findall(r"^leifeng_position (\S+)", metrics, re.MULTILINE)[0]))
    lags = re.findall(r"^leifeng_view_lag\S* (\S+)", metrics, re.MULTILINE)
    return _Look(perf_counter(), recorded, recorded - int(max(map(float, lags))))


def _pledges(old: Path, amount: int) -> list[bytes]:
    with closing(Ledger(old / "ledger.db", writes=False)) as ledger:
        donor = next(
            fact.originator_id for _, fact in ledger.history(0, 1, topic=Donor.Registered.TOPIC)
        )
    with closing(Identity(old / "people.db")) as identity:
        token = identity.create_token("bench", [Role.CLERK], at=RECORDED_AT)
    return [_pledge(token, donor) for _ in range(amount)]


def _pledge(token: str, donor: UUID) -> bytes:
    body = {"donor": donor, "fund": HOT, "amount": 100_00, "currency": "CNY"}
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": new_id().hex,
    }
    content = msgspec.json.encode(body | {"pledged_on": FIRST_DAY})
    return spell("POST", "/v1/donations", content, headers)
