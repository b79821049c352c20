"""Files that may no longer be written while they are served: what cannot be kept is refused,
what can be read is shown, and when they may be written again the server goes on."""

import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep

import httpx2
import pytest

from api.kernel.desk import command_id
from ledger.kernel.names import PersonId
from tests.crowd import AMOUNT, read_until_shown
from tests.faults import PLEDGED
from tests.office import DAY, Office
from tests.oracle import SentCommand, check
from tests.server import ANSWER_S, serving
from tests.world import PROBLEM

AT_ONCE = 8
"""People at the doors, so that files are opened by those who had not opened them before."""

PLEDGES = 24

LOOK_S = 0.02

REGISTERED = ("donor.registered.1",)

VIEWS = ("funds", "trial-balance", "donations", "sales", "disbursements", "audit-trail", "events")

FILES = {
    "history": ["ledger.db", "ledger.db-wal"],
    "people": ["people.db", "people.db-wal"],
    "views": ["views.db", "views.db-wal"],
}

MAPPED = ["ledger.db-shm", "views.db-shm"]
"""Files that SQLite writes as memory."""

TURNED = FILES | {"all": [".", *(name for some in FILES.values() for name in some)]}


def change(how, paths):
    words = ["chattr", how, *map(str, paths)]
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603  # The system's own.


@contextmanager
def read_only(data, names):
    """Let nobody write these any more, not even who has opened them already."""
    paths = [data / name for name in names]
    with (data / "probe").open("wb", buffering=0) as probe:
        try:
            change("+i", [data / "probe"])
            with_effect = not _written(probe)
            change("-i", [data / "probe"])
        except (OSError, subprocess.CalledProcessError):
            with_effect = False
    if not with_effect:
        pytest.skip("open files can be made read-only by root, on a file system that minds it")
    deadline = monotonic() + ANSWER_S
    while not all(path.exists() for path in paths):  # Views that were away are opened anew.
        assert monotonic() < deadline, "a file does not come back"
        sleep(LOOK_S)
    change("+i", paths)
    try:
        yield
    finally:
        change("-i", paths)


def _written(file):
    try:
        return file.write(b"x") > 0
    except PermissionError:
        return False


@pytest.fixture(name="served", scope="module")
def _served(tmp_path_factory):
    data = tmp_path_factory.mktemp("served") / "data"
    data.mkdir()
    with serving(data, undisturbed=False) as server:
        office = Office(server)
        fund = office.fund()
        office.pledge(fund)
        office.balance(fund)
        yield office, fund, data


class Asking:
    """What is asked for under keys of its own, by several at once, as often as one likes."""

    def __init__(self, office, fund, name):
        self._office = office
        pledge = {"donor": office.donor(), "fund": fund, "amount": AMOUNT, "currency": "CNY"}
        pledge |= {"pledged_on": DAY}
        self._asked = {f"{name}-{n}": ("/v1/donations", pledge, PLEDGED) for n in range(PLEDGES)}
        donor = {"name": f"李女士 {name}", "anonymous": True}
        self._asked[f"{name}-donor"] = ("/v1/donors", donor, REGISTERED)

    def post(self):
        """Ask for everything, and return the answers by their keys; none where none came."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(self._asked, pool.map(self._post, self._asked), strict=True))

    def _post(self, key):
        path, body, _ = self._asked[key]
        try:
            return self._office.lin.post(path, body, key=key)
        except httpx2.TransportError:
            return None

    def read(self):
        """Read every view, several at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda view: self._office.an.get(f"/v1/{view}"), VIEWS * 3))

    def said(self, answers):
        """Return what the oracle is told."""
        person = self._office.server.identity.caller(self._office.lin.token).person
        return [
            SentCommand(command_id(PersonId(person), key), self._asked[key][2], answer.json())
            for key, answer in answers.items()
        ]


def documented(answer):
    said = answer.json()
    assert answer.headers["content-type"] == PROBLEM
    assert int(answer.headers["Retry-After"]) > 0
    return (answer.status_code, said["type"])


@pytest.mark.parametrize("turned", TURNED)
def test_what_turned_read_only_is_refused_and_goes_on_when_it_is_writable(served, turned):
    office, fund, data = served
    asking = Asking(office, fund, turned)
    before = office.server.position()
    asking.read()  # So that all views are level before.
    with read_only(data, TURNED[turned]):
        answers = asking.post()
        shown = asking.read()
        after = office.server.position()

    kept = [each for each in answers.values() if each.is_success]
    refused = [documented(each) for each in answers.values() if not each.is_success]
    assert after == before + len(kept)
    assert set(refused) <= {(503, "/problems/store-failed")}
    assert len(refused) == {"people": 1, "views": 0}.get(turned, PLEDGES + 1)
    away = [documented(each) for each in shown if not each.is_success]
    assert set(away) <= {(503, "/problems/views-away")}
    assert bool(away) == (turned == "views")

    again = asking.post()

    assert Counter(each.status_code for each in again.values()) == {201: PLEDGES + 1}
    assert sum("Idempotency-Replayed" in each.headers for each in again.values()) == len(kept)
    for view in VIEWS:
        read_until_shown(office, f"/v1/{view}")
    assert office.server.people_kept(f"李女士 {turned}") == 1
    last = check(data / "ledger.db", data / "views.db", asking.said(again))
    assert last == office.server.position() == before + PLEDGES + 1


def test_who_is_ended_by_a_read_only_file_in_its_memory_has_lost_nothing(tmp_path):
    """The system ends a process that writes to such memory, as with kill -9."""
    data = tmp_path / "data"
    data.mkdir()
    with serving(data, undisturbed=False) as server:
        office = Office(server)
        fund = office.fund()
        office.balance(fund)
        asking = Asking(office, fund, "mapped")
        with read_only(data, [*TURNED["all"], *MAPPED]):
            answers = asking.post()
    assert {each and documented(each) for each in answers.values()} <= {
        None,
        (503, "/problems/store-failed"),
    }

    with serving(data, undisturbed=False) as server:
        office.go_on_at(server)
        again = asking.post()
        said = asking.said(again)

    assert {each.status_code for each in again.values()} == {201}
    check(data / "ledger.db", data / "views.db", said)
