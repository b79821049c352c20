"""What is refused is not repeated, and neither the refusal nor the log tells who anybody is."""

import json

import pytest

from ledger.kernel.roles import Role
from tests.api.routes.test_bad_input import FIELDS, ROUTES, sent
from tests.wire import told

pytestmark = pytest.mark.common_server

NAME, PHONE = "密不可说", "13900001111"
SECRET = f"{NAME}{PHONE}"


@pytest.fixture(name="hushed", scope="module", autouse=True)
def _hushed(world):
    """In the end, look for all of it in the log."""
    yield
    said = world.office.server.log.read_text(encoding="utf-8")
    assert "serving" in said
    assert_hushed(said)
    assert world.office.lin.token not in said
    assert "Traceback" not in said


def assert_hushed(said):
    for secret in (NAME, PHONE, *(json.dumps(each).strip('"') for each in (NAME,))):
        assert secret not in said


def assert_refused_and_hushed(answer):
    assert 400 <= answer.status_code < 500, answer.text
    assert_hushed(answer.text)
    assert_hushed(str(answer.headers))


@pytest.mark.parametrize(("path", "field"), FIELDS)
def test_no_value_is_repeated(world, path, field):
    who, body, _ = ROUTES[path]

    for value in (f"{SECRET}\x00", [SECRET], {SECRET: SECRET}, SECRET * 100):
        assert_refused_and_hushed(sent(world, who, path, body | {field: value})())


@pytest.mark.parametrize("path", ROUTES)
def test_no_name_of_a_field_is_repeated_that_is_none_of_ours(world, path):
    who, body, _ = ROUTES[path]

    for name in (SECRET, PHONE, f"x{PHONE}", NAME, f"x-{NAME}"):
        assert_refused_and_hushed(sent(world, who, path, body | {name: 1})())


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        f'"{SECRET}"',
        f'{{"{SECRET}":1,"{SECRET}":2}}',
        f'{{"note":"{SECRET}\x00"}}',
        f'{{"note":"{SECRET}" {SECRET}}}',
        f"{PHONE * 500}",
        f"[{PHONE}]",
    ],
)
def test_no_part_of_a_text_that_cannot_be_read_is_repeated(world, content):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "hush"}
    for content_type in ("application/json", f"application/{SECRET}"):
        said = headers | {"Content-Type": content_type.encode()}
        assert_refused_and_hushed(
            world.office.lin.http.post("/v1/donations", content=content.encode(), headers=said)
        )


@pytest.mark.parametrize(
    "asked",
    [
        {"cursor": SECRET},
        {"limit": SECRET},
        {"fund": SECRET},
        {"state": SECRET},
        {"donor": SECRET},
        {"at_least": SECRET},
        {"limit": f"{SECRET}\x00"},
        {f"{SECRET}\x00": "x"},
    ],
)
def test_no_question_is_repeated(world, asked):
    assert_refused_and_hushed(world.office.sun.get("/v1/donations", **asked))


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/funds/{PHONE}",
        f"/v1/donations/{PHONE}",
        f"/v1/{PHONE}",
        f"/{PHONE}",
        f"/v1/funds/{PHONE}/balance",
        f"/v1/funds/{NAME}",
        f"/v1/funds/{NAME}%00",
        f"/v1/sales/{PHONE}",
        f"/v1//{PHONE}",
    ],
)
def test_no_path_is_repeated(world, path):
    assert_refused_and_hushed(world.office.sun.http.get(path))


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key", "Origin", "Host", "Cookie"])
def test_no_header_is_repeated(world, name):
    headers = {"Content-Type": "application/json", "Idempotency-Key": "hush"}
    for value in (f"Bearer {SECRET}", f"{SECRET} {SECRET}", SECRET):
        assert_refused_and_hushed(
            world.office.lin.http.post(
                "/v1/donations", content=b"{}", headers=headers | {name: value.encode()}
            )
        )


@pytest.mark.parametrize(
    "message",
    [
        f"{SECRET}\r\n\r\n",
        f"GET /{SECRET} HTTP/1.1\r\n\r\n",
        f"GET http://{PHONE}/ HTTP/1.1\r\nHost: {PHONE}\r\n\r\n",
        f"{PHONE} / HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/{PHONE}\r\nHost: x\r\n\r\n",
        f"GET / HTTP/1.1\r\n{PHONE} : x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{PHONE}: a\r\n{PHONE}: b\r\n\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {PHONE}\r\n\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x{PHONE}\r\n\r\n",
    ],
)
def test_no_message_that_is_no_http_is_repeated(world, message):
    (only,) = told(world.office.server, message.encode())

    assert 400 <= only.status < 500
    assert_hushed(only.body.decode())
    assert_hushed(str(only.headers))


ORDER = {
    "order_no": "N-1",
    "placed_at": "2026-03-08T20:12:38+08:00",
    "lines": [{"sku": "L1", "quantity": 1, "unit_price": 16_800}],
}
BACK = {"order_no": "N-1", "return_no": "R-1", "returned_on": "2026-03-09", "refund": 16_800}
BACK |= {"lines": [{"sku": "L1", "quantity": 1}]}
PLEDGED = {
    "ref": "1",
    "donor": "00000000-0000-0000-0000-000000000000",
    "fund": "F-1",
    "amount": 1,
    "currency": "CNY",
    "pledged_on": "2026-03-09",
    "note": "",
    "payment": {
        "amount": 1,
        "channel": "bank",
        "external_ref": "x",
        "received_on": "2026-03-09",
    },
}
FEEDS = [
    *(("sales/{selling}/orders", ORDER, name) for name in ORDER),
    *(("sales/{selling}/returns", BACK, name) for name in BACK),
    *(("donations:batch", PLEDGED, name) for name in PLEDGED),
]


def spoilt(said, name):
    """Return ``said`` with something secret in every place of this field."""
    for value in (SECRET, PHONE, [SECRET], {SECRET: SECRET}, f"{SECRET}\x00", SECRET * 100):
        yield said | {name: value}
    if name in {"lines", "payment"}:
        part = said[name][0] if name == "lines" else said[name]
        for inner in (*part, SECRET, PHONE):
            for value in (SECRET, PHONE, [SECRET], {SECRET: SECRET}):
                worse = part | {inner: value}
                yield said | {name: [worse] if name == "lines" else worse}


@pytest.mark.parametrize(("path", "said", "name"), FEEDS)
def test_no_part_of_a_line_is_repeated(world, path, said, name):
    sale = world.selling
    feeder = world.office.server.person("feeder", Role.TREASURER, Role.CLERK, Role.CASHIER)
    before = world.office.server.position()
    lines = [json.dumps(each) for each in spoilt(said, name)]
    lines += [json.dumps(said | {each: 1}) for each in (SECRET, PHONE, f"x{PHONE}")]
    lines += [f"{SECRET}", f'{{"{SECRET}":1,"{SECRET}":2}}']

    answer = feeder.feed(f"/v1/{path}".format(selling=sale), "\n".join(lines).encode())

    assert answer.status_code == 200, answer.text
    assert len(answer.json()["rejected"]) == len(lines)
    assert_hushed(answer.text)
    assert world.office.server.position() == before


def test_no_line_names_who_ordered_in_the_number_of_the_order(world):
    before = world.office.server.position()
    lines = [json.dumps(ORDER | {"order_no": each}) for each in (PHONE, "11010519491231002X")]

    answer = world.office.sun.feed(f"/v1/sales/{world.selling}/orders", "\n".join(lines).encode())

    assert [each["code"] for each in answer.json()["rejected"]] == ["line.malformed"] * 2
    assert answer.text.count("looks like") == 2
    assert world.office.server.position() == before
