"""Who is refused what an auditor asks about finds it counted, and nothing else."""

import json
from uuid import uuid4

import pytest

from ledger.kernel.roles import Role
from tests.office import DAY
from tests.stores import on_files_first
from tests.world import ON, PAYOUT, POLICY, TRANSFER, WHY, filled

pytestmark = on_files_first


@pytest.fixture(name="tried", scope="module")
def _tried(world):
    """Return whoever tries what he may not, and what came of each attempt by then."""
    return world.office.server.person("tries", Role.CLERK, Role.APPROVER, Role.CASHIER)


def counted(world, **filters):
    return world.office.an.all("/v1/refusals", limit=2, **filters)


def person_of(world, who):
    """Return the opaque id of somebody, from an event of theirs."""
    asked = who.did("/v1/disbursements", filled(ASKED, world))["id"]
    (event,) = world.office.an.all("/v1/events", stream=asked)
    return event["actor"]


ASKED = {
    "fund": "{rich}",
    "payee": {"kind": "person", "name": "赵四海"},
    "amount": 100,
    "currency": "CNY",
    "purpose": "aid",
    "requested_on": DAY,
}


def test_each_kind_is_counted_with_who_and_about_what(world, tried):
    me = person_of(world, tried)
    own = tried.did("/v1/disbursements", filled(ASKED, world))["id"]
    approved = world.office.request(world.rich)
    tried.did(f"/v1/disbursements/{approved}/approvals", ON)
    for _ in range(3):
        tried.post(f"/v1/disbursements/{own.upper()}/approvals", ON)
    tried.post(f"/v1/disbursements/{approved}/approvals", ON)
    tried.post(f"/v1/disbursements/{approved}/payment", PAYOUT)
    tried.post(f"/v1/disbursements/{world.too_dear}/approvals", ON)
    tried.post("/v1/policies/approval", POLICY)
    tried.get("/v1/events")

    found = {
        (each["kind"], each["rule"], each["route"], each["about"]): each["times"]
        for each in counted(world, person=me)
    }
    approvals = "POST /v1/disbursements/{disbursement_id}/approvals"
    payment = "POST /v1/disbursements/{disbursement_id}/payment"
    assert found == {
        ("same-person", "own-request", approvals, own): 3,
        ("same-person", "already-approved", approvals, approved): 1,
        ("same-person", "own-approval", payment, approved): 1,
        ("insufficient-funds", "insufficient-funds", approvals, world.too_dear): 1,
        ("role-forbidden", "role-forbidden", "POST /v1/policies/approval", ""): 1,
        ("role-forbidden", "role-forbidden", "GET /v1/events", ""): 1,
    }


def test_overspending_by_a_transfer_names_the_fund(world):
    path = f"/v1/funds/{world.poor}/transfers"
    said = filled(TRANSFER | {"to": "{rich}"}, world)
    assert world.office.sun.post(path, said).status_code == 409

    (row,) = counted(world, kind="insufficient-funds", from_="2026-01-01")[-1:]
    assert (row["route"], row["about"]) == ("POST /v1/funds/{code}/transfers", world.poor)


def test_what_nobody_asks_about_is_not_counted(world, tried):
    before = world.office.an.read("/v1/refusals/counts")
    tried.post(f"/v1/disbursements/{world.rejected}/rejection", WHY)
    tried.get(f"/v1/disbursements/{uuid4()}")
    tried.post("/v1/disbursements", {})
    world.office.public.get("/v1/events")
    world.office.server.bearer("lf_unknown").get("/v1/events")

    assert world.office.an.read("/v1/refusals/counts") == before


def test_nothing_that_was_sent_is_kept(world, tried):
    secret = "13700137000"  # noqa: S105  # A telephone number that nobody should find.
    for path in (f"/v1/donations/{secret}/refunds", f"/v1/funds/{secret}/transfers"):
        answer = tried.post(f"{path}?q={secret}", {"reason": secret}, key=f"key-{secret}")
        assert answer.status_code == 403

    assert secret not in json.dumps(counted(world))
    (row,) = counted(world, kind="role-forbidden")[-1:]
    assert row["route"] == "POST /v1/funds/{code}/transfers"


def test_no_attempt_is_an_event(world, tried):
    before = world.office.server.position()
    for _ in range(50):
        tried.get("/v1/events")

    assert world.office.server.position() == before


@pytest.mark.parametrize("by", ["kind", "rule", "person", "day"])
def test_counts_add_up_to_the_rows(world, by):
    counts = world.office.sun.read("/v1/refusals/counts", by=by)

    assert sum(counts["counts"].values()) == counts["total"]
    assert counts["total"] == sum(each["times"] for each in counted(world))


def test_a_day_that_has_not_come_has_none(world):
    assert counted(world, from_="2099-01-01") == []
    assert world.office.an.read("/v1/refusals/counts", from_="2099-01-01")["total"] == 0
