"""More is asked for than can be stored: who cannot wait is told when to come again, and whoever
waits is served in turn."""

import asyncio
import json
import resource
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from api.kernel.desk import command_id
from ledger.kernel.names import PersonId
from ledger.store.committer import BATCH_EVENTS_MAX, QUEUE_MAX
from tests.faults import PLEDGED
from tests.office import DAY, Office
from tests.oracle import SentCommand, check
from tests.server import ANSWER_S, serving
from tests.stores import busy

MANY = QUEUE_MAX + BATCH_EVENTS_MAX + 100
"""Senders: so many can wait, so many be stored at once, and some are left."""

SOME = 100

KIB_EACH = 64
"""What a sender who waits may take of the server's memory at most."""

HEADS_AT_ONCE = 200
"""Connections that are opened at the same moment."""

ROOM = [f"--limit={name}={MANY + 100}" for name in ("connections", "connections_per_address")]
"""All of them may be connected, so that it is the queue which is full, and a reader comes in."""


@pytest.fixture(name="files", scope="module", autouse=True)
def _files():
    """Let us and the server have a connection for each of many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MANY + 500
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"a process may have {hard} files open here, and {needed} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory):
    data = tmp_path_factory.mktemp("served") / "data"
    data.mkdir()
    with serving(data, None, *ROOM, undisturbed=False) as server:
        yield Office(server), data


class Flood:
    """Senders with a connection each, who ask for one pledge until it is made."""

    def __init__(self, office, fund):
        self._office = office
        self._token = office.lin.token
        said = {"donor": office.donor(), "fund": fund, "amount": 100, "currency": "CNY"}
        self._body = json.dumps(said | {"pledged_on": DAY}).encode()
        self._port = int(office.server.url.rpartition(":")[2])
        self._opening = asyncio.Semaphore(HEADS_AT_ONCE)
        self.refusals = []
        self.receipts = {}
        self.refused = asyncio.Event()
        self.go_on = asyncio.Event()

    async def send(self, key):
        """Ask under ``key`` until it is done, again whenever it is time to come again."""
        while True:
            async with self._connection() as (reader, writer):  # Anew: a server lets idle ones go.
                status, headers, answer = await self._ask(reader, writer, key)
            if status == 201:
                self.receipts[key] = answer
                return
            self.refusals.append((status, answer["type"], headers.get("retry-after")))
            if answer["type"] == "/problems/overloaded":
                self.refused.set()
                await self.go_on.wait()

    @asynccontextmanager
    async def _connection(self):
        async with self._opening:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            yield reader, writer
        finally:
            writer.close()

    async def _ask(self, reader, writer, key):
        writer.write(
            f"POST /v1/donations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._token}\r\n"
            f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self._body)}\r\n\r\n".encode()
            + self._body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, json.loads(body)

    async def accepted(self, number):
        """Wait until so many are to be stored or being stored."""
        deadline = monotonic() + ANSWER_S
        while await asyncio.to_thread(self._not_stored) < number:
            assert monotonic() < deadline, "they do not arrive"

    def _not_stored(self):
        said = self._office.public.get("/metrics").text
        gauges = ("leifeng_queue ", "leifeng_storing ")
        return sum(float(line.split()[1]) for line in said.splitlines() if line.startswith(gauges))

    def asked(self):
        """Return what the oracle is told."""
        person = PersonId(self._office.server.identity.caller(self._token).person)
        return [
            SentCommand(command_id(person, key), PLEDGED, receipt)
            for key, receipt in self.receipts.items()
        ]


@pytest.mark.slow
def test_what_cannot_wait_is_refused_until_it_can_and_each_command_is_there_once(served):
    office, data = served
    fund = office.fund()
    before, memory = office.server.position(), office.server.memory_kib("VmRSS")

    async def scenario():
        flood = Flood(office, fund)
        with busy(data / "ledger.db"):
            sending = [asyncio.create_task(flood.send(f"many-{n}")) for n in range(MANY)]
            await asyncio.wait_for(flood.refused.wait(), ANSWER_S)
            reading = await asyncio.to_thread(office.public.get, f"/v1/funds/{fund}/balance")
        flood.go_on.set()
        await asyncio.gather(*sending)
        return flood, reading

    flood, reading = asyncio.run(scenario())

    assert (503, "/problems/overloaded", "1") in flood.refusals
    assert {each[0] for each in flood.refusals} == {503}
    assert {each[1] for each in flood.refusals} <= {
        "/problems/overloaded",
        "/problems/store-failed",  # Who waited for the database itself for ten seconds.
    }
    assert {each[2] for each in flood.refusals} == {"1"}
    assert reading.status_code == 200, reading.text
    assert len(flood.receipts) == MANY
    assert len({each["id"] for each in flood.receipts.values()}) == MANY
    grown = office.server.memory_kib("VmHWM") - memory
    assert grown < MANY * KIB_EACH, f"{grown} KiB"
    last = check(data / "ledger.db", data / "views.db", flood.asked())
    assert last == before + 1 + MANY  # And the donor.


def test_who_comes_once_waits_for_those_before_and_not_for_a_flood_that_goes_on(served):
    office, data = served
    fund = office.fund()

    async def scenario():
        flood = Flood(office, fund)
        flood.go_on.set()
        with busy(data / "ledger.db"):
            first = [asyncio.create_task(flood.send(f"early-{n}")) for n in range(SOME)]
            await flood.accepted(SOME)
            once = asyncio.create_task(flood.send("once"))
            await flood.accepted(SOME + 1)
            last = [asyncio.create_task(flood.send(f"late-{n}")) for n in range(SOME)]
            await flood.accepted(2 * SOME + 1)
        await asyncio.gather(*first, once, *last)
        return flood

    flood = asyncio.run(scenario())

    places = {key: receipt["position"] for key, receipt in flood.receipts.items()}
    assert flood.refusals == []
    early, late = (
        [place for key, place in places.items() if key.startswith(wave)]
        for wave in ("early", "late")
    )
    assert max(early) < places["once"] < min(late)
