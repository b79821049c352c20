"""A batch of promises over HTTP: every line answered for, none twice, whatever its length."""

import json
from uuid import UUID, uuid4

import pytest

from ledger.feeds.feed import CHUNK_LINES, NAMED_MAX
from ledger.kernel.names import pledge_stream
from ledger.kernel.roles import Role
from tests.office import DAY
from tests.stores import on_files_first
from tests.world import refused

pytestmark = on_files_first

BATCH = "/v1/donations:batch"

NOTHING = {"accepted": 0, "duplicates": 0, "rejected": [], "donations": [], "repeats": []}


@pytest.fixture(scope="module")
def fund(office):
    return office.fund()


@pytest.fixture(scope="module")
def donor(office):
    return office.donor()


@pytest.fixture(scope="module")
def he(office):
    """Somebody who is clerk and cashier at once, as in a small charity."""
    return office.server.person("he too", Role.CLERK, Role.CASHIER)


@pytest.fixture
def line(fund, donor):
    """Return what spells a line that would be taken, under a ref that nobody used."""

    def spell(**other):
        said = {"ref": uuid4().hex, "donor": donor, "fund": fund, "amount": 100}
        return said | {"currency": "CNY", "pledged_on": DAY} | other

    return spell


def payment(**other):
    said = {"amount": 100, "channel": "wechat", "external_ref": uuid4().hex, "received_on": DAY}
    return said | other


def body(*lines):
    return b"\n".join(
        each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines
    )


def fed(person, *lines, key=None):
    answer = person.feed(BATCH, body(*lines), key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_good_lines_stand_and_each_answers_with_its_id(office, fund, line):
    before = office.balance(fund)["pledged"]

    said = fed(office.lin, line(), b"?", line(fund="F-NONE"), b"", line(amount=50))

    assert (said["accepted"], said["duplicates"]) == (2, 0)
    assert [(each["line"], each["code"]) for each in said["rejected"]] == [
        (2, "line.malformed"),
        (3, "fund.unknown"),
    ]
    assert [each["line"] for each in said["donations"]] == [1, 5]
    shown = office.lin.read(f"/v1/donations/{said['donations'][1]['id']}")
    assert (shown["amount"], shown["state"]) == (50, "pledged")
    assert said["position"] == shown["position"] == office.server.position()
    assert office.balance(fund)["pledged"] == before + 150


def test_a_line_with_its_payment_is_money_received(office, he, fund, line):
    before = office.balance(fund)["received"]

    said = fed(he, line(payment=payment(amount=40)))

    shown = office.lin.read(f"/v1/donations/{said['donations'][0]['id']}")
    assert (shown["state"], shown["received"], shown["open"]) == ("partially-settled", 40, 60)
    assert office.balance(fund)["received"] == before + 40


def test_every_fault_of_a_line_goes_by_its_code(office, he, line):
    closed = office.fund()
    office.sun.did(f"/v1/funds/{closed}/closing", {"reason": "done", "on": DAY})
    counted, taken = payment(), line()
    fed(he, taken, line(payment=counted))
    bad = {
        "line.malformed": line(ref="a b"),
        "amount.invalid": line(amount=1.5),
        "donor.unknown": line(donor=str(uuid4())),
        "fund.unknown": line(fund="F-NONE"),
        "fund.closed": line(fund=closed),
        "pledge.conflict": taken | {"amount": 101},
        "payment.counted": line(payment=counted),
        "date.invalid": line(pledged_on="2062-01-01"),
    }
    before = office.server.position()

    said = fed(he, *bad.values())

    assert [each["code"] for each in said["rejected"]] == list(bad)
    assert {name: said[name] for name in ("accepted", "duplicates")} == {
        "accepted": 0,
        "duplicates": 0,
    }
    assert office.server.position() == said["position"] == before


def test_a_clerk_who_is_no_cashier_records_no_payment(office, line):
    said = fed(office.lin, line(payment=payment()), line())

    assert [(each["line"], each["code"]) for each in said["rejected"]] == [(1, "role.forbidden")]
    assert [each["line"] for each in said["donations"]] == [2]


@pytest.mark.parametrize("who", ["chen", "sun", "wang", "bo", "an"])
def test_who_is_no_clerk_may_not(world, who, line):
    asked = lambda: world.person(who).feed(BATCH, body(line()))  # noqa: E731  # Asked for later.

    refused(world, asked, 403, "role-forbidden")


def test_a_donor_promises_one_by_one(world, office, donor, line):
    mei = office.server.person("a donor herself", Role.DONOR, donor=donor)

    refused(world, lambda: mei.feed(BATCH, body(line())), 403, "role-forbidden")


def test_a_batch_names_itself(world, office, line):
    asked = lambda: office.lin.http.post(BATCH, content=body(line()))  # noqa: E731  # Same.

    refused(world, asked, 400, "idempotency-key-required")


# Again.


def test_the_same_batch_under_the_same_key_is_answered_as_the_first_time(office, line):
    lines, key = body(line(), b"?", line()), "batch-1"
    first = office.lin.feed(BATCH, lines, key=key)
    before = office.server.position()

    again = office.lin.feed(BATCH, lines, key=key)

    assert again.json() == first.json()
    assert first.json()["accepted"] == 2
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert office.server.position() == before


def test_another_batch_under_the_same_key_is_refused(world, office, line):
    fed(office.lin, line(), key="batch-2")

    asked = lambda: office.lin.feed(BATCH, body(line()), key="batch-2")  # noqa: E731  # Same.
    said = refused(world, asked, 422, "idempotency-mismatch")

    assert said["fields"] == ["body"]


def test_the_same_lines_under_another_key_are_repeats_that_say_what_they_were(office, line):
    lines = [line(), line()]
    first = fed(office.lin, *lines)
    before = office.server.position()

    again = fed(office.lin, *reversed(lines))

    assert again == NOTHING | {
        "duplicates": 2,
        "repeats": [
            {"line": 1, "id": first["donations"][1]["id"]},
            {"line": 2, "id": first["donations"][0]["id"]},
        ],
        "position": before,
    }


def test_an_id_follows_from_person_and_ref_so_anybody_else_may_use_the_ref(office, he, line):
    same = line()

    mine, theirs = (fed(who, same)["donations"][0]["id"] for who in (office.lin, he))

    assert mine != theirs
    person = office.server.identity.caller(office.lin.token).person
    assert UUID(mine) == pledge_stream(person, same["ref"])


def test_a_batch_of_nothing_is_answered(office):
    for nothing in (b"", b"\n\n", b" \r\n"):
        said = office.lin.feed(BATCH, nothing).json()

        assert said == NOTHING | {"position": office.server.position()}


# Length.


PADDING = b" " * 6_000 + b"\n"
"""Makes the long batch 120 MB, twice what the server may grow by."""


def numbered(line, count):
    """Return the lines of a batch, made as they are sent."""
    first = line()
    for number in range(count):
        yield json.dumps(first | {"ref": f"{first['ref'][:8]}-{number}"}).encode() + PADDING


def test_a_long_batch_takes_no_more_memory_than_a_short_one(office, fund, line):
    fed(office.lin, *(line() for _ in range(CHUNK_LINES)))
    memory, before = office.server.memory_kib("VmHWM"), office.balance(fund)["pledged"]
    count = 20 * CHUNK_LINES

    answer = office.lin.feed(BATCH, numbered(line, count))

    said = answer.json()
    assert (said["accepted"], len(said["donations"])) == (count, NAMED_MAX)
    assert [each["line"] for each in said["donations"]] == list(range(1, NAMED_MAX + 1))
    assert office.balance(fund)["pledged"] == before + 100 * count
    assert office.server.memory_kib("VmHWM") < memory + 60 * 1024


def test_a_line_without_end_is_one_rejected_line(office):
    endless = (b"x" * 65_536 for _ in range(200))

    answer = office.lin.feed(BATCH, endless)

    assert [(each["line"], each["code"]) for each in answer.json()["rejected"]] == [
        (1, "line.malformed")
    ]
