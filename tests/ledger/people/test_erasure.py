"""A person can be forgotten, and the history, its balances and its proofs stay what they were."""

import json
import re
import subprocess
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from ledger.people.tables import PERSONS
from ledger.store.backup import _program
from tests.office import DAY, Office
from tests.processes import leifeng
from tests.stores import connected, on_files_first
from tests.world import PROBLEM

pytestmark = on_files_first

ERASURE = {"basis": "consent-withdrawn", "reason": "asked-by-donor"}
RETENTION = {"basis": "statutory-retention", "until": "2056-12-31"}


class Giver:
    """Somebody who came by herself, with details that nobody else has."""

    def __init__(self, office: Office) -> None:
        self.office = office
        mark = uuid4().hex[:10]
        self.details = {
            "name": f"慈{mark}女士",
            "phone": f"139{int(mark, 16) % 10**8:08}",
            "email": f"{mark}@example.org",
        }
        self.person = office.server.person(self.details["name"], Role.DONOR)
        self.id = self.person.did("/v1/donors", self.details | {"anonymous": True})["id"]
        self.path = f"/v1/donors/{self.id}"

    @property
    def party(self) -> PartyId:
        return PartyId(self.id)

    def gave(self, amount: int = 100_00) -> str:
        """Have a promise made and kept to the fen."""
        fund = self.office.fund()
        donation = self.office.pledge(fund, amount, self.id)
        self.office.pay_in(donation, amount)
        return fund

    def erased(self) -> dict:
        return self.office.ada.did(f"{self.path}/erasure", ERASURE)

    def words(self) -> list[str]:
        return list(self.details.values())


@pytest.fixture
def mei(office):
    return Giver(office)


@pytest.fixture(name="database")
def _database(server):
    """The URL of the database that is served, or nothing if it is a folder."""
    return None if isinstance(server.people, Path) else server.people


def problem(answer, status, name):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["type"] == f"/problems/{name}"
    return answer.json()


def refused(office, ask, status, name):
    """See that a request is refused by this name, as documented, and leaves not one event."""
    before = office.server.position()
    answer = ask()
    said = problem(answer, status, name)
    assert office.server.position() == before
    path = re.sub("/donors/[^/]+", "/donors/{donor_id}", answer.request.url.path)
    documented = office.public.read("/openapi.json")["paths"][path]["post"]["responses"]
    assert name in documented[str(status)]["content"][PROBLEM]["examples"]
    return said


def seals(server, mei):
    """Return what is sealed of somebody, and their wrapped key."""
    found = []
    with connected(server.people) as register:
        for asked in ("SELECT box FROM sealed", "SELECT wrapped FROM data_keys"):
            where = f"{asked} WHERE party = '{mei.id}'"
            found += [bytes(box) for (box,) in register.execute(where).fetchall()]
    return found


# Erased.


def test_what_is_erased_is_gone_from_every_answer(office, mei):
    mei.gave()
    before = office.lin.read(mei.path)
    mei.erased()
    erased = {"state": "erased", "basis": "consent-withdrawn", "until": None}

    assert before == mei.details | {"id": mei.id, "anonymous": True}
    for person in (office.lin, mei.person):
        shown = person.read(mei.path)
        assert shown.pop("since")
        assert shown == erased | {"id": mei.id, "anonymous": True}
    data = mei.person.read(f"{mei.path}/data")
    assert erased.items() <= data.items()
    assert not {"name", "phone", "email"} & data.keys()
    assert data["statement"]["received"] == 100_00
    assert office.an.read(f"{mei.path}/statement")["received"] == 100_00


def test_what_is_erased_is_an_event_that_names_nobody(office, mei):
    receipt = mei.erased()

    (event,) = office.an.read("/v1/events", stream=mei.id, type="donor.erased.1")["items"]
    assert event["position"] == receipt["position"]
    assert event["data"] == ERASURE
    (told,) = office.an.read("/v1/audit-trail", stream=mei.id)["items"][-1:]
    assert "删除一位捐赠人的个人信息" in json.dumps(told, ensure_ascii=False)


def test_nothing_of_it_is_left_in_any_file_backup_export_or_log(
    office, server, mei, database, tmp_path
):
    mei.gave()
    before = json.loads(
        leifeng("replay", "--json", "--data", server.data, database=database).stdout
    )
    sealed = seals(server, mei)
    assert len(sealed) == 4

    mei.erased()

    assert seals(server, mei) == []
    office.lin.get(f"{mei.path}?at_least=0")
    saved = tmp_path / "backup"
    made = leifeng("backup", "--data", server.data, "-o", saved, database=database)
    assert made.returncode == 0, made.stderr
    for kind in ("ndjson", "hledger", "beancount"):
        there = tmp_path / f"books.{kind}"
        done = leifeng("export", kind, "--data", server.data, "-o", there, database=database)
        assert done.returncode == 0, done.stderr
    kept = [each for each in (*server.data.rglob("*"), *tmp_path.rglob("*")) if each.is_file()]
    everything = b"".join(each.read_bytes() for each in (*kept, server.log))
    if database is not None:
        everything += dumped(database)
    for word in mei.words():
        assert word.encode() not in everything
    for box in sealed:
        assert box not in everything
        assert box.hex().encode() not in everything
    after = json.loads(leifeng("replay", "--json", "--data", server.data, database=database).stdout)
    for each, then in zip(before["balances"], after["balances"], strict=True):
        assert each | {"position": then["position"]} == then


def dumped(database):
    """Return all that PostgreSQL's own program says of a database, in words."""
    with psycopg.connect(database) as connection:
        program = _program("pg_dump", connection.info.server_version // 10_000)
    said = subprocess.run([program, "--dbname", database], capture_output=True, check=True)  # noqa: S603
    return said.stdout


def test_who_was_the_donor_and_nothing_else_is_no_longer_found_by_name(server, mei):
    token = mei.person.token
    assert server.identity.callers(mei.details["name"])

    mei.erased()

    assert server.identity.callers(mei.details["name"]) == []
    assert server.identity.vault.details(server.identity.caller(token).person) is None
    assert mei.person.read(mei.path)["state"] == "erased"  # Their token still opens that.


def test_but_whoever_works_here_keeps_their_name(server, mei):
    server.person(mei.details["name"], Role.CLERK)

    mei.erased()

    assert len(server.identity.callers(mei.details["name"])) == 2
    assert server.identity.vault.details(mei.party) is None


# Once.


def test_asked_again_it_is_the_same_erasure(office, mei):
    body = f"{mei.path}/erasure", ERASURE
    first = office.ada.post(*body, key=f"erase-{mei.id}")
    again = office.ada.post(*body, key=f"erase-{mei.id}")
    another = office.ada.post(*body)

    assert first.json() == again.json() == another.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert another.headers["Idempotency-Replayed"] == "true"


# Refused.


def test_who_has_an_open_promise_is_not_erased(office, mei):
    fund = office.fund()
    donation = office.pledge(fund, 100_00, mei.id)

    said = refused(
        office, lambda: office.ada.post(f"{mei.path}/erasure", ERASURE), 409, "money-is-owed"
    )

    assert donation in said["detail"]
    assert office.lin.read(mei.path)["name"] == mei.details["name"]
    office.lin.did(f"/v1/donations/{donation}/withdrawal", {"reason": "erasure"})
    mei.erased()


def test_nor_who_has_instalments_to_pay(office, mei):
    parts = [{"due_on": DAY, "amount": 40}, {"due_on": "2026-09-01", "amount": 60}]
    donation = office.pledge(office.fund(), 100, mei.id, instalments=parts, public_promise=True)
    office.pay_in(donation, 40)

    refused(office, lambda: office.ada.post(f"{mei.path}/erasure", ERASURE), 409, "money-is-owed")

    office.pay_in(donation, 60)
    mei.erased()


def test_nor_whose_money_waits_in_suspense(office, mei):
    donation = office.pledge(office.fund(), 100, mei.id)
    office.pay_in(donation, 150)

    refused(office, lambda: office.ada.post(f"{mei.path}/erasure", ERASURE), 409, "money-is-owed")

    decided = {"decision": "return", "amount": 50, "on": DAY}
    office.lin.did(f"/v1/donations/{donation}/excess", decided)
    mei.erased()


def test_nor_whose_details_have_to_be_kept(office, mei):
    office.ada.did(f"{mei.path}/restriction", RETENTION)

    refused(office, lambda: office.ada.post(f"{mei.path}/erasure", ERASURE), 409, "retention-runs")


def test_what_is_erased_cannot_be_restricted(office, mei):
    mei.erased()

    refused(
        office, lambda: office.ada.post(f"{mei.path}/restriction", RETENTION), 409, "wrong-state"
    )


# Restricted.


def test_what_is_restricted_is_shown_to_nobody_but_the_donor(office, mei):
    office.ada.did(f"{mei.path}/restriction", RETENTION)

    shown = office.lin.read(mei.path)
    assert not set(mei.words()) & {str(each) for each in shown.values()}
    assert (shown["state"], shown["until"]) == ("restricted", "2056-12-31")
    assert mei.person.read(mei.path) == shown
    own = mei.person.get(f"{mei.path}/data")
    assert own.headers["Cache-Control"] == "no-store"
    assert mei.details.items() <= own.json().items()
    assert mei.details.items() <= office.ada.read(f"{mei.path}/data").items()


@pytest.mark.parametrize("step", ["restriction", "erasure"])
def test_who_is_restricted_or_erased_promises_nothing_new(office, mei, step):
    fund = mei.gave()  # So that the server remembers them.
    office.ada.did(f"{mei.path}/{step}", RETENTION if step == "restriction" else ERASURE)
    body = {"donor": mei.id, "fund": fund, "amount": 1, "currency": "CNY", "pledged_on": DAY}

    refused(office, lambda: office.lin.post("/v1/donations", body), 409, "processing-stopped")
    refused(office, lambda: mei.person.post("/v1/donations", body), 409, "processing-stopped")
    line = json.dumps(body | {"ref": uuid4().hex}).encode()
    (rejected,) = office.lin.feed("/v1/donations:batch", line).json()["rejected"]
    assert rejected["code"] == "donor.processing-stopped"
    other = office.pledge(fund, 1)  # Others still do.
    assert other


def test_a_donor_restricts_and_erases_herself_and_nobody_else(office, mei):
    other = Giver(office)
    for step, body in (("restriction", {"basis": "donor-request"}), ("erasure", ERASURE)):
        refused(
            office, lambda s=step, b=body: mei.person.post(f"{other.path}/{s}", b), 404, "not-found"
        )
        mei.person.did(f"{mei.path}/{step}", body)

    assert mei.person.read(mei.path)["state"] == "erased"
    assert office.lin.read(other.path)["name"] == other.details["name"]


def test_what_the_law_has_kept_is_not_a_donors_to_say(office, mei):
    said = refused(
        office,
        lambda: mei.person.post(f"{mei.path}/restriction", RETENTION),
        422,
        "invalid-request",
    )

    assert [each["field"] for each in said["errors"]] == ["basis"]


# What is refused or breaks says nothing of what was sent.


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": ["{}"]},
        {"anonymous": "{}"},
        {"email": {"of": "{}"}},
        {"name": "{}\u202e"},
        {"x": "{}"},
    ],
)
def test_a_refused_body_is_not_repeated(office, server, wrong):
    secret = f"密{uuid4().hex}"
    filled = json.loads(json.dumps(wrong).replace("{}", secret))

    answer = office.lin.post("/v1/donors", {"name": secret, "anonymous": True} | filled)

    problem(answer, 422, "invalid-request")
    assert secret not in answer.text
    assert secret.encode() not in server.log.read_bytes()


def test_a_failing_statement_is_told_without_what_was_sent(server):
    sent = {"person": "p", "name_digest": "两次"}
    twice = PERSONS.insert().values([sent, sent])

    with pytest.raises(IntegrityError, match="hidden") as failed:
        _execute(server.identity.database, twice)

    assert "两次" not in str(failed.value)


def _execute(register, statement):
    with register.writing() as connection:
        connection.execute(statement)
