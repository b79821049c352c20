"""Confirmations, relations and the rule of approval, as the people at their desks meet them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ledger.kernel.aggregate import BUSINESS_ZONE
from ledger.kernel.roles import Role
from tests.office import CENTRE, DAY, LAST_DAY, SETTLED_DAY
from tests.stores import on_files_first
from tests.world import ONE_SETTLED, ONE_SOLD

pytestmark = on_files_first

STATEMENT = {"statement_ref": "ST-1", "on": DAY}


def today():
    return datetime.now(UTC).astimezone(BUSINESS_ZONE).date()


@pytest.fixture(name="rich", scope="module")
def _rich(office):
    fund = office.fund()
    office.gift(fund, 1_000_000)
    return fund


def history(office, donation):
    return office.an.read(f"/v1/donations/{donation}")["history"]


# Confirmations.


def test_a_donation_shows_which_of_its_payments_were_found(office, rich):
    donation, refs = office.pledge(rich, 300), [uuid4().hex, uuid4().hex]
    for ref, amount in zip(refs, (100, 200), strict=True):
        office.pay_in(donation, amount, ref)
    assert office.an.read(f"/v1/donations/{donation}")["confirmed"] == 0

    found = STATEMENT | {"channel": "bank", "external_ref": refs[1]}
    done = office.bo.did(f"/v1/donations/{donation}/payments/confirmation", found)

    shown = office.an.read(f"/v1/donations/{donation}", at_least=done["position"])
    assert (shown["confirmed"], shown["received"]) == (200, 300)
    lines = [(each["kind"], each.get("confirmed")) for each in shown["history"]]
    assert lines == [
        ("pledge", None),
        ("payment", False),
        ("payment", True),
        ("confirmation", None),
    ]
    assert shown["history"][-1]["statement_ref"] == "ST-1"


def test_what_is_confirmed_twice_is_recorded_once(office, rich):
    donation, ref = office.pledge(rich, 100), uuid4().hex
    office.pay_in(donation, 100, ref)
    path = f"/v1/donations/{donation}/payments/confirmation"
    found = STATEMENT | {"channel": "bank", "external_ref": ref}

    first, again = office.bo.did(path, found), office.sun.did(path, found)

    assert again == first
    assert len(history(office, donation)) == 3


def test_a_disbursement_shows_when_its_payment_was_found(office, rich):
    wanted = office.paid(rich)
    assert office.an.read(f"/v1/disbursements/{wanted}")["confirmed_on"] is None

    office.sun.did(f"/v1/disbursements/{wanted}/payment/confirmation", STATEMENT)
    shown = office.an.read(f"/v1/disbursements/{wanted}")
    assert (shown["confirmed_on"], shown["state"]) == (DAY, "paid")

    office.chen.did(f"/v1/disbursements/{wanted}/bounce", {"reason": "closed", "on": DAY})
    assert office.an.read(f"/v1/disbursements/{wanted}")["confirmed_on"] is None


def test_a_sale_shows_how_much_of_what_was_remitted_was_found(office, rich):
    sold = office.open_sale(rich)
    office.sun.feed(f"/v1/sales/{sold}/orders", ONE_SOLD)
    office.sun.did(f"/v1/sales/{sold}/ending", {"on": LAST_DAY})
    office.sun.did(f"/v1/sales/{sold}/settlement", ONE_SETTLED | {"agreed_on": SETTLED_DAY})
    for ref, amount in (("RE-A", 1_000), ("RE-B", 500)):
        said = {"amount": amount, "external_ref": ref, "received_on": DAY}
        office.chen.did(f"/v1/sales/{sold}/remittances", said)

    found = STATEMENT | {"external_ref": "RE-B"}
    office.bo.did(f"/v1/sales/{sold}/remittances/confirmation", found)

    shown = office.public.read(f"/v1/sales/{sold}")
    assert (shown["remitted"], shown["confirmed"]) == (1_500, 500)


def test_a_confirmation_moves_no_money(office, rich):
    wanted, before = office.paid(rich), office.balance(rich)
    position = before["position"]
    office.bo.did(f"/v1/disbursements/{wanted}/payment/confirmation", STATEMENT)
    after = office.balance(rich)

    assert {**after, "position": position} != after
    for figure in ("received", "paid", "balance", "reserved", "available", "acknowledged"):
        assert after[figure] == office.balance(rich, known_at=after["position"] - 1)[figure]


# Relations.


def test_a_person_sees_their_own_relations_and_the_auditor_everybodys(office):
    ann = office.server.person("ann", Role.APPROVER)
    ben = office.server.person("ben", Role.APPROVER)
    said = {"relation": "work", "on": DAY}
    ann.did("/v1/people/relations", said | {"organisation": "甲公司"})
    ben.did("/v1/people/relations", said | {"party": str(uuid4())})

    (hers,), (his,) = ann.all("/v1/people/relations"), ben.all("/v1/people/relations")
    assert (hers["organisation"], hers["party"]) == ("甲公司", None)
    assert (his["organisation"], his["relation"]) == (None, "work")
    everybodys = office.an.all("/v1/people/relations", limit=1)
    assert [each for each in everybodys if each in (hers, his)] == [hers, his]
    assert office.an.all("/v1/people/relations", person=his["person"]) == [his]
    assert ann.read("/v1/people/relations", person=his["person"])["items"] == []


def test_who_is_related_is_refused_however_the_name_is_spelled(office, rich):
    dan = office.server.person("dan", Role.APPROVER)
    said = {"organisation": f" {CENTRE['name']}。", "relation": "family", "on": DAY}
    dan.did("/v1/people/relations", said)
    wanted = office.request(rich)

    refused = dan.post(f"/v1/disbursements/{wanted}/approvals", {"on": DAY})

    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/same-person")
    assert "慈善法 art. 14" in refused.json()["title"]


def test_a_person_who_is_paid_is_known_by_the_id_that_their_request_shows(office, rich):
    eve = office.server.person("eve", Role.APPROVER)
    wanted = office.request(rich, payee={"kind": "person", "name": "赵四海"})
    payee = eve.read(f"/v1/disbursements/{wanted}")["payee"]
    eve.did("/v1/people/relations", {"party": payee, "relation": "family", "on": DAY})

    assert eve.post(f"/v1/disbursements/{wanted}/approvals", {"on": DAY}).status_code == 403


# The rule of approval. These come last: they change what follows.


def test_until_a_rule_is_set_it_is_two(office):
    assert office.lin.read("/v1/policies/approval") == {
        "on": str(today()),
        "one_approval_up_to": 0,
        "three_approvals_above": None,
        "currency": "CNY",
        "rules": [],
    }


def test_a_rule_begins_on_its_day_and_every_rule_stays_readable(office):
    tomorrow = today() + timedelta(days=1)
    rule = {"one_approval_up_to": 1_000, "three_approvals_above": 9_000, "currency": "CNY"}
    later = {"effective_from": str(tomorrow), "basis": "resolution 07"}
    office.sun.did("/v1/policies/approval", rule | {"basis": "resolution 06"})
    office.sun.did("/v1/policies/approval", rule | later | {"one_approval_up_to": 0})

    shown = office.an.read("/v1/policies/approval")
    assert (shown["one_approval_up_to"], shown["three_approvals_above"]) == (1_000, 9_000)
    assert [each["basis"] for each in shown["rules"]] == ["resolution 06", "resolution 07"]
    assert office.an.read("/v1/policies/approval", on=str(tomorrow))["one_approval_up_to"] == 0
    assert office.an.read("/v1/policies/approval", on="2026-01-01")["one_approval_up_to"] == 0


@pytest.mark.parametrize(("amount", "people"), [(1_000, 1), (1_001, 2), (9_000, 2), (9_001, 3)])
def test_the_rule_says_how_many_approve_on_its_days(office, rich, amount, people):
    on = str(today())
    approvers = [office.wang, office.zhao, office.server.person("third", Role.APPROVER)]
    wanted = office.request(rich, amount)
    for number, who in enumerate(approvers[:people], start=1):
        assert office.an.read(f"/v1/disbursements/{wanted}")["approvals_needed"] is None
        office.approve(wanted, who, on=on)
        state = office.an.read(f"/v1/disbursements/{wanted}")["state"]
        assert state == ("approved" if number == people else "partly-approved")

    assert office.an.read(f"/v1/disbursements/{wanted}")["approvals_needed"] == people


def test_the_requester_is_not_the_one_who_approves_petty_money(office, rich):
    both = office.server.person("both", Role.CLERK, Role.APPROVER)
    body = {"fund": rich, "payee": CENTRE, "amount": 1, "currency": "CNY", "purpose": "aid"}
    wanted = both.did("/v1/disbursements", body | {"requested_on": DAY})["id"]

    refused = both.post(f"/v1/disbursements/{wanted}/approvals", {"on": str(today())})

    assert refused.json()["type"] == "/problems/same-person"
