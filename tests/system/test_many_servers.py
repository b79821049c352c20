"""Two web processes on one PostgreSQL database are one ledger."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from threading import Barrier

import pytest

from api.places import VAULT_KEY
from tests.office import DAY, Office
from tests.processes import leifeng
from tests.server import serving

RIVALS = 24


@pytest.fixture(name="database", scope="module")
def _database(postgres):
    with postgres.database() as url:
        yield url


@pytest.fixture(name="servers", scope="module")
def _servers(database, tmp_path_factory):
    """Two servers, started at the same moment on a database without tables."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    key = {VAULT_KEY: str(tmp_path_factory.mktemp("keys") / "vault.key")}  # One register, one key.

    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:

        def served(folder):
            return stack.enter_context(serving(folder, database, around=key))

        yield list(pool.map(served, folders))


@pytest.fixture(name="office", scope="module")
def _office(servers):
    return Office(servers[0])


@pytest.fixture(name="elsewhere", scope="module")
def _elsewhere(servers):
    """Return the same person at the other server."""
    return lambda person: servers[1].bearer(person.token)


def at_both(person, elsewhere, requests):
    """Make all ``requests``, each a path, a body and a key, at the same moment, in turn at both."""
    desks = cycle([person, elsewhere(person)])
    together = Barrier(len(requests))

    def make(request, desk):
        path, body, key = request
        together.wait()
        return desk.post(path, body, key=key)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(make, requests, desks))


def test_rival_approvals_at_both_never_overspend_a_fund(office, elsewhere):
    fund = office.fund()
    office.gift(fund, 100_00)
    requests = [office.request(fund, 10_00) for _ in range(RIVALS)]
    for each in requests:
        office.approve(each, office.wang)
    steps = [(f"/v1/disbursements/{each}/approvals", {"on": DAY}, None) for each in requests]

    answers = at_both(office.zhao, elsewhere, steps)

    problems = Counter(each.json().get("type") for each in answers)
    assert problems == {None: 10, "/problems/insufficient-funds": RIVALS - 10}
    assert office.balance(fund)["reserved"] == 100_00
    assert office.balance(fund)["available"] == 0


def test_eighty_calls_on_ten_keys_at_both_have_ten_effects(office, elsewhere):
    fund, donor = office.fund(), office.donor()
    body = {"donor": donor, "fund": fund, "amount": 12_34, "currency": "CNY", "pledged_on": DAY}
    before = office.server.position()
    keys = [f"both-{n // 2 % 10}" for n in range(80)]

    answers = at_both(office.lin, elsewhere, [("/v1/donations", body, key) for key in keys])

    assert {each.status_code for each in answers} == {201}
    assert len({(key, each.text) for key, each in zip(keys, answers, strict=True)}) == 10
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 10
    assert office.server.position() == before + 10
    assert office.balance(fund)["pledged"] == 10 * 12_34


def test_payments_on_one_promise_at_both_all_count(office, elsewhere):
    fund = office.fund()
    donation = office.pledge(fund, 100_00)
    line = {"amount": 10_00, "channel": "bank", "received_on": DAY}
    path = f"/v1/donations/{donation}/payments"
    steps = [(path, line | {"external_ref": f"BOTH-{n}"}, None) for n in range(4)]

    answers = at_both(office.chen, elsewhere, steps)

    assert sorted(each.json()["version"] for each in answers) == [2, 3, 4, 5]
    assert office.balance(fund)["received"] == 40_00


def test_what_was_written_at_one_is_read_at_either_at_once(office, servers):
    fund = office.fund()
    for n in range(1, 11):
        office.gift(fund, 1_00)
        shown = [each.public.read(f"/v1/funds/{fund}/balance") for each in servers]
        assert [each["received"] for each in shown] == [n * 1_00] * 2
        assert len({each["position"] for each in shown}) == 1


def test_a_token_made_anywhere_opens_both_doors(servers):
    for server in servers:
        token = server.person("new", "auditor").token
        assert [each.bearer(token).get("/v1/trial-balance").status_code for each in servers] == [
            200,
            200,
        ]


@pytest.mark.slow
def test_replay_finds_every_row_that_both_wrote_to_be_right(office, database, tmp_path):
    office.gift(office.fund())

    said = leifeng("replay", "--data", str(tmp_path), database=database)

    assert said.returncode == 0, said.stderr
    assert "every row served is what they add up to" in said.stdout
