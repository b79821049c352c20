"""Feeds and streams of any length, with a bounded part of them in memory."""

import hashlib
import json

import pytest

from tests.api.routes.test_history import NDJSON
from tests.office import FIRST_DAY, ITEMS

LINES = 60_000

GROWTH_MAX_KIB = 24 * 1024
"""What the server may grow by, at its highest, while it takes in or hands out a long stream: some
chunks. The feed below is 8 MiB and the history 40 MiB; as objects, each is many times that."""

WARMED_UP = 8_000
"""Lines after which caches, threads and buffers have their size."""

COOKER = ITEMS[0] | {"consigned": 1_000_000}


def order(number, **other):
    said = {
        "order_no": f"S-{number:06}",
        "placed_at": f"{FIRST_DAY}T20:12:38+08:00",
        "lines": [{"sku": "L1", "quantity": 1, "unit_price": 16_800}],
    }
    return json.dumps(said | other).encode() + b"\n"


def orders(first, last):
    """Yield lines a few at a time, as they come over a wire, cut anywhere."""
    rest = b""
    for number in range(first, last):
        rest += order(number)
        if len(rest) > 20_000:
            yield rest[:20_000]
            rest = rest[20_000:]
    yield rest


class Growth:
    """How far the server's memory rose above what it was, at its highest."""

    def __init__(self, server):
        self._server = server
        self._before = server.memory_kib("VmRSS")

    def kib(self):
        return self._server.memory_kib("VmHWM") - self._before


@pytest.fixture(scope="module")
def sale(office):
    """Return a sale with a long feed taken in, and how much the server grew by."""
    sale = office.open_sale(office.fund("F-LONG"), items=[COOKER])
    path = f"/v1/sales/{sale}/orders"
    assert office.sun.feed(path, orders(0, WARMED_UP)).json()["accepted"] == WARMED_UP
    growth = Growth(office.server)
    taken = office.sun.feed(path, orders(WARMED_UP, LINES), key="long").json()
    return sale, taken, growth.kib()


def test_a_long_feed_is_taken_in_whole(office, sale):
    found, taken, _ = sale

    assert (taken["accepted"], taken["duplicates"], taken["rejected"]) == (LINES - WARMED_UP, 0, [])
    shown = office.public.read(f"/v1/sales/{found}", at_least=taken["position"])
    assert (shown["orders"], shown["gross"]) == (LINES, LINES * 16_800)


def test_a_long_feed_holds_a_bounded_part_in_memory(sale):
    _, _, growth = sale

    assert growth < GROWTH_MAX_KIB


def test_a_long_feed_sent_again_is_answered_alike_within_the_same_bound(office, sale):
    found, taken, _ = sale
    growth, position = Growth(office.server), office.server.position()

    again = office.sun.feed(f"/v1/sales/{found}/orders", orders(WARMED_UP, LINES), key="long")

    assert again.json() == taken
    assert again.headers["Idempotency-Replayed"] == "true"
    assert office.server.position() == position
    assert growth.kib() < GROWTH_MAX_KIB


@pytest.mark.usefixtures("sale")
def test_the_whole_history_is_handed_out_within_the_same_bound(office):
    growth, digest, count, last = Growth(office.server), hashlib.sha256(), 0, 0
    with office.an.http.stream("GET", "/v1/events", headers=NDJSON) as answer:
        for line in answer.iter_lines():
            event = json.loads(line)
            assert event["position"] == last + 1
            last, count = event["position"], count + 1
            digest.update(event["id"].encode())

    assert count == office.server.position() > LINES
    assert growth.kib() < GROWTH_MAX_KIB


@pytest.mark.usefixtures("sale")
def test_a_reader_who_leaves_in_the_middle_does_no_harm(office):
    with office.an.http.stream("GET", "/v1/events", headers=NDJSON) as answer:
        assert json.loads(next(answer.iter_lines()))["position"] == 1

    assert office.public.get("/healthz").status_code == 200


# Lines that are not as they should be.


@pytest.fixture
def fed(office):
    """Return what feeds lines to a sale of its own."""
    sale = office.open_sale(office.fund())

    def feed(*lines, what="orders"):
        answer = office.sun.feed(f"/v1/sales/{sale}/{what}", b"".join(lines))
        assert answer.status_code == 200, answer.text
        taken = answer.json()
        taken["codes"] = [(each["line"], each["code"]) for each in taken["rejected"]]
        return taken

    return feed


@pytest.mark.parametrize("length", [64 * 1024 + 1, 200_000, 5_000_000])
def test_a_line_without_end_is_malformed_and_the_next_ones_stand(fed, length):
    endless = order(2, order_no="X" * length)

    taken = fed(order(1), endless, order(3))

    assert (taken["accepted"], taken["codes"]) == (2, [(2, "line.malformed")])


def test_a_line_without_end_may_be_the_last(fed):
    taken = fed(order(1), b"[" * 1_000_000)

    assert (taken["accepted"], taken["codes"]) == (1, [(2, "line.malformed")])


def test_many_endless_lines_are_not_kept(office, fed):
    """160 MB of them: it is chunks that are held, also where a chunk is of a few lines."""
    growth = Growth(office.server)

    taken = fed(*(b"x" * 65_000 + b"\n" for _ in range(2_500)), order(1))

    assert taken["accepted"] == 1
    assert len(taken["codes"]) == 2_500
    assert growth.kib() < 4 * GROWTH_MAX_KIB


def test_blank_lines_are_skipped_but_counted(fed):
    taken = fed(b"\n", order(1), b"\r\n \t\n", b"{}\n", order(2).rstrip(b"\n"))

    assert (taken["accepted"], taken["codes"]) == (2, [(5, "line.malformed")])


def test_lines_may_end_as_on_windows_and_the_last_not_at_all(fed):
    taken = fed(order(1).replace(b"\n", b"\r\n"), order(2).replace(b"\n", b"\r\n"), order(3)[:-1])

    assert (taken["accepted"], taken["codes"]) == (3, [])


@pytest.mark.parametrize(
    "line",
    [
        b'{"order_no": "\xff"}',
        b"\xff\xfe{}",
        b"null",
        b"[]",
        b"5",
        b'"S-1"',
        b"{",
        b"\x00",
        b"[" * 10_000,
        b'{"order_no": ' + b"[" * 30_000 + b"}",
        order(9, colour="red")[:-1],
        order(9, order_no="")[:-1],
        order(9, order_no="a\x00b")[:-1],
        order(9, order_no="\ud800")[:-1],
        order(9, order_no="13800138000" * 50)[:-1],
        order(9, placed_at="2026-03-08T20:12:38")[:-1],
        order(9, placed_at="2026-03-08")[:-1],
        order(9, placed_at="2999-01-01T00:00:00Z")[:-1],
        order(9, placed_at="0001-01-01T00:00:00+14:00")[:-1],
        order(9, placed_at="9999-12-31T23:59:59-12:00")[:-1],
        order(9, lines=[])[:-1],
        order(9, lines={})[:-1],
        order(9, lines=None)[:-1],
    ],
    ids=lambda line: repr(line[:40]),
)
def test_a_line_that_cannot_be_read_spoils_itself_alone(fed, line):
    taken = fed(order(1), line + b"\n", order(2))

    assert (taken["accepted"], taken["codes"]) == (2, [(2, "line.malformed")])
    assert len(taken["rejected"][0]["detail"]) <= 1_000


def lines_with(**other):
    return [{"sku": "L1", "quantity": 1, "unit_price": 16_800} | other]


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"unit_price": 16_800.0}, "amount.invalid"),
        ({"unit_price": "16800"}, "amount.invalid"),
        ({"unit_price": True}, "amount.invalid"),
        ({"unit_price": 0}, "amount.invalid"),
        ({"unit_price": -16_800}, "amount.invalid"),
        ({"unit_price": 10**30}, "price.mismatch"),
        ({"unit_price": 16_801}, "price.mismatch"),
        ({"quantity": 0}, "quantity.invalid"),
        ({"quantity": -1}, "quantity.invalid"),
        ({"quantity": 1.5}, "quantity.invalid"),
        ({"quantity": "1"}, "quantity.invalid"),
        ({"quantity": 10**30}, "quantity.invalid"),
        ({"sku": "L9"}, "sku.unknown"),
        ({"sku": ""}, "sku.unknown"),
        ({"quantity": 501}, "oversold"),
    ],
)
def test_a_figure_that_is_wrong_has_a_code_of_its_own(fed, other, code):
    taken = fed(order(1), order(2, lines=lines_with(**other)), order(3))

    assert (taken["accepted"], taken["codes"]) == (2, [(2, code)])


def back(number, return_no="R-1", quantity=1, **other):
    said = {
        "order_no": f"S-{number:06}",
        "return_no": return_no,
        "returned_on": "2026-03-15",
        "lines": [{"sku": "L1", "quantity": quantity}],
        "refund": 16_800 * quantity,
    }
    return json.dumps(said | other).encode() + b"\n"


def test_what_comes_back_is_held_to_what_was_sold(fed):
    fed(order(1), order(2))

    taken = fed(
        back(1),
        back(1),
        back(1, "R-1", 1, refund=1),
        back(2, quantity=2),
        back(2, refund=16_799),
        back(3),
        back(2, "R-2", lines=[{"sku": "L2", "quantity": 1}]),
        back(2, "R-3"),
        back(2, "R-4"),
        what="returns",
    )

    assert (taken["accepted"], taken["duplicates"]) == (2, 1)
    assert taken["codes"] == [
        (3, "order.conflict"),
        (4, "return.exceeds-sold"),
        (5, "price.mismatch"),
        (6, "order.unknown"),
        (7, "sku.unknown"),
        (9, "return.exceeds-sold"),
    ]


def test_after_so_many_rejected_lines_the_rest_is_only_refused(fed):
    taken = fed(b"{}\n" * 10_500, order(1))

    assert taken["accepted"] == 1
    assert len(taken["rejected"]) == 10_000
