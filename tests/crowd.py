"""People who promise and people who read, many at once, while something happens to the server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event, Semaphore
from time import monotonic

from api.kernel.desk import command_id
from ledger.kernel.names import PersonId
from tests.faults import PLEDGED
from tests.office import DAY
from tests.oracle import SentCommand
from tests.server import ANSWER_S

READERS, WRITERS = 4, 3

AMOUNT = 100
"""Fen of each promise."""


class Readers:
    """People who read a balance again and again, and keep every answer."""

    def __init__(self, office, fund, many=READERS):
        self._office = office
        self._fund = fund
        self._stop = Event()
        self._many = many
        self._pool = ThreadPoolExecutor(many)
        self.answers = []
        self.refused = []

    def __enter__(self):
        self._running = [self._pool.submit(self._read) for _ in range(self._many)]
        return self

    def __exit__(self, *_):
        self._stop.set()
        for each in self._running:
            each.result()
        self._pool.shutdown()

    def _read(self):
        while not self._stop.is_set():
            answer = self._office.public.get(f"/v1/funds/{self._fund}/balance")
            (self.answers if answer.status_code == 200 else self.refused).append(answer)


class Pledgers:
    """People who promise the same again and again, each under keys of their own."""

    def __init__(self, office, fund, many=WRITERS):
        self._office = office
        self._many = many
        body = {"donor": office.donor(), "fund": fund, "amount": AMOUNT, "currency": "CNY"}
        self._said = body | {"pledged_on": DAY}
        self._person = PersonId(office.server.identity.caller(office.lin.token).person)
        self._stop = Event()
        self._pool = ThreadPoolExecutor(many)
        self._stored = Semaphore(0)
        self.receipts = {}

    def __enter__(self):
        self._running = [self._pool.submit(self._pledge, n) for n in range(self._many)]
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pool.shutdown()
        for each in self._running:
            each.result()

    def _pledge(self, turn):
        for number in count():
            if self._stop.is_set():
                return
            key = f"{turn}-{number}"
            self.receipts[key] = self._office.lin.did("/v1/donations", self._said, key=key)
            self._stored.release()

    def wait_for(self, some):
        """Return once so many more are stored."""
        for _ in range(some):
            assert self._stored.acquire(timeout=ANSWER_S), "nothing is stored any more"

    def repeated(self):
        """Ask for each once more, under its key; return what is answered."""
        return {
            key: self._office.lin.post("/v1/donations", self._said, key=key)
            for key in self.receipts
        }

    def commands(self):
        """Return what the oracle is told."""
        return [
            SentCommand(command_id(self._person, key), PLEDGED, receipt)
            for key, receipt in self.receipts.items()
        ]


def hold_to_history(readers, pledgers, after):
    """Hold each balance that was shown to its position; ``after`` is the last one."""
    first = after["position"] - len(pledgers.receipts)
    assert after["pledged"] == len(pledgers.receipts) * AMOUNT
    for each in readers.answers:
        balance = each.json()
        assert balance["pledged"] == max(0, balance["position"] - first) * AMOUNT
    assert {each.json()["type"] for each in readers.refused} <= {"/problems/views-away"}


def read_until_shown(office, path):
    """Ask until it is shown; whatever is said before has to be the problem that is documented."""
    deadline = monotonic() + ANSWER_S
    while True:
        answer = office.an.get(path)
        if answer.status_code == 200:
            return answer.json()
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (503, "/problems/views-away"), problem
        assert int(answer.headers["Retry-After"]) > 0
        assert monotonic() < deadline
