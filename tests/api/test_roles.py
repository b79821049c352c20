"""Who may do what, written down by hand from the contract, and held to every route."""

from collections import defaultdict
from hashlib import sha256
from uuid import uuid4

import pytest

from ledger.kernel.roles import Role
from tests.golden import document
from tests.office import DAY
from tests.processes import leifeng
from tests.world import PLEDGE, filled, refused

DONOR, CLERK, APPROVER, CASHIER = Role.DONOR, Role.CLERK, Role.APPROVER, Role.CASHIER
BOOKKEEPER, TREASURER, PARTNER = Role.BOOKKEEPER, Role.TREASURER, Role.PARTNER
AUDITOR, ADMIN = Role.AUDITOR, Role.ADMIN

EVERYBODY = None
"""Also those who show no token."""

BOOKS = {BOOKKEEPER, TREASURER, AUDITOR}

MAY = {
    "POST /v1/funds": {TREASURER},
    "GET /v1/funds": EVERYBODY,
    "GET /v1/funds/{code}": EVERYBODY,
    "GET /v1/funds/{code}/balance": EVERYBODY,
    "POST /v1/funds/{code}/transfers": {TREASURER},
    "POST /v1/funds/{code}/freezing": {TREASURER},
    "POST /v1/funds/{code}/thawing": {TREASURER},
    "POST /v1/funds/{code}/closing": {TREASURER},
    "POST /v1/donors": {CLERK, DONOR},
    "GET /v1/donors/{donor_id}": {CLERK, DONOR},
    "GET /v1/donors/{donor_id}/data": {ADMIN, DONOR},
    "POST /v1/donors/{donor_id}/restriction": {ADMIN, DONOR},
    "POST /v1/donors/{donor_id}/erasure": {ADMIN, DONOR},
    "GET /v1/donors/{donor_id}/statement": {CLERK, DONOR} | BOOKS,
    "POST /v1/donations": {CLERK, DONOR},
    "POST /v1/donations:batch": {CLERK},
    "GET /v1/donations": {CLERK, CASHIER, DONOR} | BOOKS,
    "GET /v1/donations/{donation_id}": {CLERK, CASHIER, DONOR} | BOOKS,
    "POST /v1/donations/{donation_id}/payments": {CASHIER},
    "POST /v1/donations/{donation_id}/payments/confirmation": {BOOKKEEPER, TREASURER},
    "POST /v1/donations/{donation_id}/withdrawal": {CLERK, DONOR},
    "POST /v1/donations/{donation_id}/refunds": {TREASURER},
    "POST /v1/donations/{donation_id}/excess": {CLERK},
    "POST /v1/sales": {TREASURER},
    "GET /v1/sales": EVERYBODY,
    "GET /v1/sales/{sale_id}": EVERYBODY,
    "POST /v1/sales/{sale_id}/opening": {TREASURER},
    "POST /v1/sales/{sale_id}/ending": {TREASURER},
    "POST /v1/sales/{sale_id}/orders": {TREASURER, PARTNER},
    "POST /v1/sales/{sale_id}/returns": {TREASURER, PARTNER},
    "POST /v1/sales/{sale_id}/settlement": {TREASURER},
    "POST /v1/sales/{sale_id}/remittances": {CASHIER},
    "POST /v1/sales/{sale_id}/remittances/confirmation": {BOOKKEEPER, TREASURER},
    "POST /v1/disbursements": {CLERK},
    "GET /v1/disbursements": {CLERK, APPROVER, CASHIER} | BOOKS,
    "GET /v1/disbursements/{disbursement_id}": {CLERK, APPROVER, CASHIER} | BOOKS,
    "POST /v1/disbursements/{disbursement_id}/approvals": {APPROVER},
    "POST /v1/disbursements/{disbursement_id}/rejection": {APPROVER},
    "POST /v1/disbursements/{disbursement_id}/cancellation": {CLERK},
    "POST /v1/disbursements/{disbursement_id}/payment": {CASHIER},
    "POST /v1/disbursements/{disbursement_id}/payment/confirmation": {BOOKKEEPER, TREASURER},
    "POST /v1/disbursements/{disbursement_id}/bounce": {CASHIER},
    "POST /v1/disbursements/{disbursement_id}/acknowledgement": {CLERK},
    "POST /v1/disbursements/{disbursement_id}/returns": {CASHIER},
    "POST /v1/policies/approval": {TREASURER},
    "GET /v1/policies/approval": {CLERK, APPROVER, CASHIER} | BOOKS,
    "POST /v1/people/relations": {CLERK, APPROVER, CASHIER, BOOKKEEPER, TREASURER},
    "GET /v1/people/relations": {CLERK, APPROVER, CASHIER} | BOOKS,
    "GET /v1/refusals": {TREASURER, AUDITOR},
    "GET /v1/refusals/counts": {TREASURER, AUDITOR},
    "GET /v1/people": {ADMIN},
    "POST /v1/people": {ADMIN},
    "GET /v1/people/{person_id}": {ADMIN},
    "POST /v1/people/{person_id}/roles": {ADMIN},
    "POST /v1/people/{person_id}/roles/withdrawal": {ADMIN},
    "POST /v1/people/{person_id}/disabling": {ADMIN},
    "GET /v1/people/{person_id}/tokens": {ADMIN},
    "POST /v1/people/{person_id}/tokens": {ADMIN},
    "POST /v1/people/{person_id}/tokens/{token_id}/revocation": {ADMIN},
    "POST /v1/people/{person_id}/tokens/{token_id}/rotation": {ADMIN},
    "GET /v1/events": {TREASURER, AUDITOR},
    "GET /v1/audit-trail": BOOKS,
    "GET /v1/journal": BOOKS,
    "GET /v1/trial-balance": BOOKS,
    "GET /v1/donations/{donation_id}/receipt": {CLERK, CASHIER, DONOR} | BOOKS,
    "GET /v1/donations/{donation_id}/receipt.pdf": {CLERK, CASHIER, DONOR} | BOOKS,
    "GET /checkpoint": EVERYBODY,
    "GET /tile/{path}": EVERYBODY,
    "GET /v1/proofs/inclusion": EVERYBODY,
    "GET /v1/verification": EVERYBODY,
    "GET /v1/proofs/consistency": EVERYBODY,
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": EVERYBODY,
}
"""Who records something about a thing may also look at it: they would be blind otherwise."""

FEEDS = {
    "POST /v1/donations:batch",
    "POST /v1/sales/{sale_id}/orders",
    "POST /v1/sales/{sale_id}/returns",
}
"""Routes that take any body: what is wrong with it is told line by line."""

ASKED_FOR = {
    "GET /v1/proofs/inclusion": {"position": 1},
    "GET /v1/proofs/consistency": {"from_": 1},
}
"""What must be said to be answered."""

SAYING_NOTHING = {
    "POST /v1/people/{person_id}/disabling": 404,
    "POST /v1/people/{person_id}/tokens/{token_id}/revocation": 404,
}
"""What an empty body says all of; it is asked here of nobody."""

OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
}


def test_every_route_is_in_the_table():
    assert set(OPERATIONS) == set(MAY)


@pytest.mark.parametrize("route", [each for each in MAY if "/v1/" in each])
def test_every_route_says_who_may_use_it(route):
    assert set(OPERATIONS[route]["x-roles"]) == {role.value for role in MAY[route] or ()}


@pytest.fixture(scope="module")
def people(world):
    """Return somebody of each role and of no other, and one who shows no token."""
    server = world.office.server
    server.public.read("/v1/proofs/inclusion", position=1)  # So that it is in the log.
    donor = server.person("a donor", DONOR, donor=world.donor)
    partner = server.person("a partner", PARTNER, sale=world.selling)
    others = {each: server.person(f"one {each}", each) for each in Role}
    return others | {DONOR: donor, PARTNER: partner, None: server.public}


def asked(world, person, route):
    method, path = route.split()
    places = defaultdict(
        uuid4,  # What is not named below: an empty body is refused before the thing is looked for.
        code=world.rich,
        donor_id=world.donor,
        donation_id=world.open,
        sale_id=world.selling,
        disbursement_id=world.requested,
        path="0/000.p/1",
        person_id=world.office.server.identity.users.known("lin") if method == "GET" else uuid4(),
        token_id="0" * 16,
    )
    there = path.format_map(places)
    if route in FEEDS:
        return person.feed(there, b"")
    if method == "POST":
        return person.post(there, {})
    return person.get(there, **ASKED_FOR.get(route, {}))


@pytest.mark.parametrize("route", MAY)
def test_each_role_comes_in_where_it_may_and_nowhere_else(world, people, route):
    before = world.office.server.position()
    allowed = MAY[route]
    for role, person in people.items():
        answer = asked(world, person, route)

        if allowed is None or role in allowed:
            expected = 422 if route.startswith("POST") and route not in FEEDS else 200
            expected = SAYING_NOTHING.get(route, expected)
            assert answer.status_code == expected, (role, answer.text)
        else:
            expected = (401, "unauthenticated") if role is None else (403, "role-forbidden")
            assert answer.status_code == expected[0], (role, answer.text)
            assert answer.json()["type"] == f"/problems/{expected[1]}"
    assert world.office.server.position() == before


# Donors.


@pytest.fixture(scope="module")
def mei(world):
    """Somebody who came by herself and gave."""
    person = world.office.server.person("mei", DONOR)
    donor = person.did("/v1/donors", {"name": "梅女士", "anonymous": True})["id"]
    body = filled(PLEDGE, world) | {"donor": donor}
    person.donor, person.pledges = donor, [person.did("/v1/donations", body)["id"] for _ in "12"]
    return person


def test_a_donor_registers_herself_and_is_known_at_once(mei):
    assert mei.read(f"/v1/donors/{mei.donor}")["name"] == "梅女士"
    assert mei.read(f"/v1/donors/{mei.donor}/statement")["pledged"] == 200


def test_a_donor_sees_her_own_and_only_her_own(world, mei):
    assert [each["id"] for each in mei.all("/v1/donations")] == mei.pledges
    assert [each["id"] for each in mei.all("/v1/donations", limit=1)] == mei.pledges
    assert mei.read("/v1/donations", donor=world.donor)["items"] == []
    assert mei.read(f"/v1/donations/{mei.pledges[0]}")["id"] == mei.pledges[0]


def test_a_cursor_of_somebody_else_opens_nothing(world, mei):
    for asked_for in ({}, {"donor": world.donor}):
        cursor = world.office.lin.read("/v1/donations", limit=1, **asked_for)["next"] or ""
        seen = mei.get("/v1/donations", cursor=cursor).json().get("items", [])

        assert {each["donor"] for each in seen} <= {mei.donor}


def test_what_is_not_hers_is_not_there_at_all(world, mei):
    nowhere = str(uuid4())
    for path in (
        "/v1/donations/{}",
        "/v1/donors/{}",
        "/v1/donors/{}/statement",
        "/v1/donors/{}/data",
    ):
        theirs = world.open if "donations" in path else world.donor
        hidden = refused(world, lambda p=path, t=theirs: mei.get(p.format(t)), 404, "not-found")
        absent = refused(world, lambda p=path: mei.get(p.format(nowhere)), 404, "not-found")

        assert str(hidden).replace(theirs, "") == str(absent).replace(nowhere, "")


def test_she_withdraws_and_pledges_for_herself_alone(world, mei):
    path, body = "/v1/donations/{}/withdrawal", {"reason": "moved away"}
    nowhere = str(uuid4())

    hidden = refused(world, lambda: mei.post(path.format(world.open), body), 404, "not-found")
    absent = refused(world, lambda: mei.post(path.format(nowhere), body), 404, "not-found")
    assert str(hidden).replace(world.open, "") == str(absent).replace(nowhere, "")
    refused(world, lambda: mei.post("/v1/donations", filled(PLEDGE, world)), 404, "not-found")
    assert mei.post(path.format(mei.pledges[1]), body).status_code == 200


def test_a_donor_who_is_nobody_yet_sees_nothing(world):
    nobody = world.office.server.person("not yet registered", DONOR)

    assert nobody.read("/v1/donations")["items"] == []
    refused(world, lambda: nobody.get(f"/v1/donors/{world.donor}"), 404, "not-found")


def test_who_is_a_donor_and_a_clerk_is_a_clerk(world, mei):
    both = world.office.server.person("both", DONOR, CLERK, donor=mei.donor)

    assert both.read(f"/v1/donations/{world.open}")["id"] == world.open
    assert len(both.all("/v1/donations")) > len(mei.pledges)


# Partners.


def test_a_partner_feeds_its_own_sale_and_sees_its_total(world, people):
    partner = people[PARTNER]

    assert partner.feed(f"/v1/sales/{world.selling}/orders", b"").status_code == 200
    assert partner.read(f"/v1/sales/{world.selling}")["id"] == world.selling


@pytest.mark.parametrize("what", ["orders", "returns"])
def test_another_sale_is_not_there_for_a_partner(world, people, what):
    def fed(sale):
        return lambda: people[PARTNER].feed(f"/v1/sales/{sale}/{what}", b"")

    nowhere = str(uuid4())
    hidden = refused(world, fed(world.ended), 404, "not-found")
    absent = refused(world, fed(nowhere), 404, "not-found")

    assert str(hidden).replace(world.ended, "") == str(absent).replace(nowhere, "")


def test_a_treasurer_who_is_also_a_partner_is_a_treasurer(world):
    both = world.office.server.person("tv", PARTNER, TREASURER, sale=world.selling)

    assert both.feed(f"/v1/sales/{world.ended}/orders", b"").status_code == 200


# What is personal.

PERSONAL = ("张三丰", "13700137000", "zhang@example.org", "赵四海", "钱签收")


def test_nobody_but_a_clerk_sees_who_somebody_is(world, people):
    office = world.office
    donor = office.donor("张三丰", phone="13700137000", email="zhang@example.org")
    donation = office.pledge(world.rich, 100, donor)
    payee = {"kind": "person", "name": "赵四海"}
    aid = office.request(world.rich, 100, payee=payee)
    office.approve(aid)
    office.pay_out(aid)
    office.lin.did(f"/v1/disbursements/{aid}/acknowledgement", {"by": "钱签收", "on": DAY})

    seen = ""
    for role in (TREASURER, AUDITOR, BOOKKEEPER, CASHIER, APPROVER, None):
        for path in (
            "/v1/events?limit=1000",
            "/v1/audit-trail?limit=1000",
            "/v1/journal?limit=1000",
            f"/v1/donations/{donation}",
            f"/v1/disbursements/{aid}",
            "/v1/disbursements?limit=1000",
            f"/v1/donors/{donor}",
            f"/v1/donors/{donor}/statement",
            f"/v1/funds/{world.rich}/balance",
            "/metrics",
        ):
            seen += people[role].get(path).text

    assert aid in seen
    assert not [each for each in PERSONAL if each in seen]
    assert office.lin.read(f"/v1/donors/{donor}")["phone"] == "13700137000"
    stored = (office.server.data / "ledger.db").read_bytes()
    stored += (office.server.data / "ledger.db-wal").read_bytes()
    assert not [each for each in PERSONAL if each.encode() in stored]


# Tokens.


def test_only_the_hash_of_a_token_is_kept(world):
    token = world.office.lin.token
    files = sorted(each for each in world.office.server.data.rglob("*") if each.is_file())
    stored = b"".join(each.read_bytes() for each in files)

    assert "people.db" in {each.name for each in files}
    assert sha256(token.encode()).hexdigest().encode() in stored
    assert token.encode() not in stored
    assert token.removeprefix("lf_").encode() not in stored
    assert token.encode() not in world.office.server.log.read_bytes()


def test_a_token_made_while_the_server_runs_works_at_once(world):
    server = world.office.server
    made = leifeng(
        *("token", "create", "--data", str(server.data), "--person", "lin"),
        *("--role", "clerk", "--role", "cashier"),
    ).stdout.strip()

    person = server.bearer(made)

    assert person.read("/v1/donations")["items"]
    assert asked(world, person, "POST /v1/donations/{donation_id}/payments").status_code == 422
    refused(world, lambda: person.get("/v1/events"), 403, "role-forbidden")


def test_the_same_name_is_the_same_person(world):
    disbursement = world.office.request(world.rich, 1)
    made = leifeng(
        *("token", "create", "--data", str(world.office.server.data), "--person", "lin"),
        *("--role", "approver"),
    ).stdout.strip()
    lin = world.office.server.bearer(made)
    path = f"/v1/disbursements/{disbursement}/approvals"

    refused(world, lambda: lin.post(path, {"on": DAY}), 403, "same-person")
