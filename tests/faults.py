"""Kills a server that is at work, again and again, and holds what is left to the oracle.

``python -m tests.faults --rounds 100 [--store postgres]`` takes some ten minutes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from api.kernel.desk import command_id
from ledger.kernel.names import PersonId
from tests.office import DAY, ITEMS, Office
from tests.oracle import SentCommand, check
from tests.server import ANSWER_S, STOP_S, TLS, Server, serving
from tests.stores import STORES, Postgres, busy, postgres_server

WORKERS = 16
"""Keep-alive connections that send, each one command after the other."""

ANSWERS_MAX = 250
"""A round's kill comes after at most so many answers, drawn by chance."""

LATER_MAX_S = 0.02
"""And at most so long after it, so that it falls anywhere between two of them."""

LINES = 40
"""Orders of one feed."""

LIFE = 10
"""Rounds after which the long run begins a new ledger: the oracle reads all of it in each."""

PLENTY = 10**9

PLEDGED = ("donation.pledged.1",)
RECEIVED = ("donation.payment-received.1",)
REQUESTED = ("disbursement.requested.1",)
APPROVED_ONCE = ("disbursement.approval-given.1",)
APPROVED = ("disbursement.approval-given.1", "disbursement.reserved.1")
ORDERED = ("sale-order.placed.1",) * LINES


@dataclass(slots=True)
class Command:
    """Something that is sent until it is answered, under one key."""

    person: str
    path: str
    body: bytes
    key: str
    topics: tuple[str, ...]
    receipt: dict[str, Any] | None = None

    @property
    def media_type(self) -> str:
        return "application/x-ndjson" if self.topics is ORDERED else "application/json"


class Unanswered(Exception):
    """The server went away before it answered."""


@dataclass
class Crew:
    """Who sends commands, and what they know of what became of them."""

    tokens: dict[str, str]
    ids: dict[str, PersonId]
    fund: str
    donor: str
    sale: str
    commands: list[Command] = field(default_factory=list)
    on_answer: Callable[[], None] = lambda: None
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def unanswered(self) -> list[Command]:
        return [each for each in self.commands if each.receipt is None]

    def sent(self) -> list[SentCommand]:
        return [
            SentCommand(
                command_id(self.ids[each.person], each.key),
                each.topics,
                each.receipt,
                in_pieces=each.topics is ORDERED,
            )
            for each in self.commands
        ]

    def command(self, person: str, path: str, body: Any, topics: tuple[str, ...]) -> Command:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        command = Command(person, f"/v1/{path}", content, f"fault-{next(self._numbers)}", topics)
        self.commands.append(command)
        return command

    async def send(self, http: httpx2.AsyncClient, command: Command) -> dict[str, Any]:
        """Send ``command``, and note the answer if there is one."""
        headers = {
            "Authorization": f"Bearer {self.tokens[command.person]}",
            "Idempotency-Key": command.key,
            "Content-Type": command.media_type,
        }
        try:
            answer = await http.post(command.path, content=command.body, headers=headers)
        except httpx2.TransportError:
            raise Unanswered from None
        assert answer.is_success, answer.text
        receipt: dict[str, Any] = answer.json()
        command.receipt = receipt
        self.on_answer()
        return receipt

    # What one of them does, over and over.

    async def give(self, http: httpx2.AsyncClient) -> None:
        """Promise, and pay twice."""
        body = {"donor": self.donor, "fund": self.fund, "amount": 300, "currency": "CNY"}
        pledge = self.command("lin", "donations", body | {"pledged_on": DAY}, PLEDGED)
        donation = (await self.send(http, pledge))["id"]
        for amount in (100, 250):
            line = {"amount": amount, "channel": "bank", "external_ref": f"{donation}-{amount}"}
            path = f"donations/{donation}/payments"
            await self.send(http, self.command("chen", path, line | {"received_on": DAY}, RECEIVED))

    async def aid(self, http: httpx2.AsyncClient) -> None:
        """Ask for aid, and have it approved by two."""
        payee = {"kind": "organisation", "name": "爱丽聋儿康复中心"}
        body = {"fund": self.fund, "payee": payee, "amount": 7, "currency": "CNY"}
        body |= {"purpose": "测听室设备", "requested_on": DAY}
        request = self.command("lin", "disbursements", body, REQUESTED)
        path = f"disbursements/{(await self.send(http, request))['id']}/approvals"
        for who, topics in (("wang", APPROVED_ONCE), ("zhao", APPROVED)):
            await self.send(http, self.command(who, path, {"on": DAY}, topics))

    async def sell(self, http: httpx2.AsyncClient) -> None:
        """Feed the orders of a few minutes."""
        at = next(self._numbers)
        line = [{"sku": "L1", "quantity": 1, "unit_price": ITEMS[0]["unit_price"]}]
        orders = [
            {"order_no": f"{at}-{n}", "placed_at": "2026-03-08T20:12:38+08:00", "lines": line}
            for n in range(LINES)
        ]
        body = "\n".join(map(json.dumps, orders)).encode()
        feed = self.command("sun", f"sales/{self.sale}/orders", body, ORDERED)
        taken = await self.send(http, feed)
        assert taken["accepted"] == LINES


def crew_of(server: Server) -> Crew:
    """Make everybody a token, and what they work on."""
    office = Office(server)
    names = ("lin", "wang", "zhao", "chen", "sun")
    tokens = {name: str(getattr(office, name).token) for name in names}
    ids = {}
    for name, token in tokens.items():
        caller = server.identity.caller(token)
        assert caller is not None
        ids[name] = caller.person
    fund = office.fund()
    office.gift(fund, PLENTY)
    sale = office.open_sale(fund, items=[ITEMS[0] | {"consigned": PLENTY // 1_000}])
    return Crew(tokens, ids, fund, office.donor(), sale)


def work_until_killed(crew: Crew, server: Server, chance: Random) -> None:
    """Send from many connections at once, and kill the server amid it."""
    asyncio.run(_work(crew, server, chance))
    server.process.wait(STOP_S)


async def _work(crew: Crew, server: Server, chance: Random) -> None:
    left = chance.randint(1, ANSWERS_MAX)

    def answered() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            later = chance.uniform(0, LATER_MAX_S)
            asyncio.get_running_loop().call_later(later, server.process.kill)

    crew.on_answer = answered
    await asyncio.gather(*(_work_on(crew, server, turn) for turn in range(WORKERS)))


async def _work_on(crew: Crew, server: Server, turn: int) -> None:
    steps = (crew.give, crew.aid, crew.give, crew.sell)
    async with httpx2.AsyncClient(base_url=server.url, timeout=ANSWER_S, verify=TLS) as http:
        with suppress(Unanswered):
            for number in count(turn):
                await steps[number % len(steps)](http)


def retry(crew: Crew, server: Server) -> int:
    """Send what was not answered again, under the same keys; return how much that was."""
    left = crew.unanswered()
    crew.on_answer = lambda: None

    async def send_all() -> None:
        async with httpx2.AsyncClient(base_url=server.url, timeout=ANSWER_S, verify=TLS) as http:
            await asyncio.gather(*(crew.send(http, each) for each in left))

    asyncio.run(send_all())
    return len(left)


def kill_again_and_again(
    rounds: int,
    data: Path,
    database: str | None = None,
    *,
    seed: int = 0,
    report: Callable[[str], object] = lambda _: None,
) -> Crew:
    """Kill the server in each of ``rounds``, and hold what is left to the oracle each time."""
    chance, crew = Random(seed), None
    ledger, views = database or data / "ledger.db", database or data / "views.db"
    for number in range(1, rounds + 1):
        with serving(data, database, undisturbed=False) as server:
            crew = crew or crew_of(server)
            retry(crew, server)
            work_until_killed(crew, server, chance)
        with busy(ledger):  # What the killed process began is over.
            pass
        last = check(ledger, views, crew.sent())
        open_ = len(crew.unanswered())
        report(f"round {number}: {len(crew.commands)} commands, {open_} unanswered, {last} events")
    assert crew is not None
    with serving(data, database, undisturbed=False) as server:
        retry(crew, server)
    assert crew.unanswered() == []
    check(ledger, views, crew.sent())
    return crew


def main() -> None:
    """Do it at length, and say how far it is."""
    parser = ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--store", choices=STORES, default=STORES[0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with ExitStack() as stack:
        postgres = None
        if options.store == "postgres":
            postgres = stack.enter_context(postgres_server())
        for done in range(0, options.rounds, LIFE):
            say(f"a new ledger, after {done} of {options.rounds} kills")
            _one_life(min(LIFE, options.rounds - done), options.seed + done, postgres)
    say(f"{options.rounds} kills on {options.store}: everything acknowledged is there, once")


def _one_life(rounds: int, seed: int, postgres: Postgres | None) -> None:
    """Kill the server of one ledger ``rounds`` times; on files if there is no PostgreSQL."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(TemporaryDirectory(prefix="leifeng-faults-"))) / "data"
        data.mkdir()
        url = None if postgres is None else stack.enter_context(postgres.database())
        kill_again_and_again(rounds, data, url, seed=seed, report=say)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
