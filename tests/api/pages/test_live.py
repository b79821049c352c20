"""A sale's total as people see it change: soon, right at every moment, and no burden to anybody."""

import json
import re
import socket
from contextlib import contextmanager
from itertools import count

import pytest

from tests.office import ITEMS
from tests.stores import on_files_first

pytestmark = on_files_first

_orders = count(1)


def order(price_of="L1", quantity=1):
    """Return a line of a feed, which was never sent before."""
    price = next(item["unit_price"] for item in ITEMS if item["sku"] == price_of)
    line = {"sku": price_of, "quantity": quantity, "unit_price": price}
    return {
        "order_no": f"LIVE-{next(_orders)}",
        "placed_at": "2026-03-08T20:12:38+08:00",
        "lines": [line],
    }


def back(placed):
    """Return the line that brings all of an order back."""
    (line,) = placed["lines"]
    return {
        "order_no": placed["order_no"],
        "return_no": f"R-{placed['order_no']}",
        "returned_on": "2026-03-12",
        "lines": [{"sku": line["sku"], "quantity": line["quantity"]}],
        "refund": line["quantity"] * line["unit_price"],
    }


def feed(office, sale, what, *lines):
    body = "\n".join(json.dumps(each) for each in lines).encode()
    answer = office.sun.feed(f"/v1/sales/{sale}/{what}", body).json()
    assert answer["accepted"] == len(lines), answer
    return answer["position"]


class Message:
    """What was pushed: as of which event, and its figures in fen."""

    def __init__(self, text):
        self.text = text
        self.position = int(re.search(r"^id: (\d+)$", text, re.MULTILINE).group(1))
        cells = re.findall(r'<th scope="row">(?:<a[^>]*>)?([^<]+).*?value="(-?\d+)"', text)
        self.figures = {name: int(fen) for name, fen in cells}


class Listener:
    """Somebody who looks on, by a connection of their own."""

    def __init__(self, answer):
        self._lines = answer.iter_lines()

    def next(self):
        """Wait for the next message; a heartbeat is none."""
        lines = []
        for line in self._lines:
            if line:
                lines.append(line)
            elif any(each.startswith("id:") for each in lines):
                return Message("\n".join(lines))
            else:
                lines = []
        return None

    def until(self, position):
        """Return all messages to the first that is as of ``position`` or later."""
        found = [self.next()]
        while found[-1].position < position:
            found.append(self.next())
        return found


@contextmanager
def listening(person, sale, seen=None, face="page"):
    headers = {} if seen is None else {"Last-Event-ID": str(seen).encode()}
    path = f"/sales/{sale}/live?face={face}&lang=en"
    with person.http.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        yield Listener(answer)


@pytest.fixture
def sale(office):
    return office.open_sale(office.fund())


def replayed(office, sale, until):
    """Add up a sale from its events alone, as an auditor would."""
    gross = refunds = 0
    for event in office.an.all("/v1/events", limit=1000):
        said = event["data"]
        if event["position"] <= until and said.get("sale") == sale:
            gross += said.get("amount", 0) if event["type"].startswith("sale-order.placed") else 0
            refunds += said.get("refund", 0)
    return {"Gross": gross, "Refunds for returned goods": -refunds, "Net": gross - refunds}


def held_to_replay(office, sale, messages):
    for each in messages:
        wanted = replayed(office, sale, each.position)
        assert {name: each.figures[name] for name in wanted} == wanted


def test_whoever_comes_is_told_the_total_of_now(office, sale):
    position = feed(office, sale, "orders", order(), order("L2", 2))
    with listening(office.public, sale) as listener:
        found = listener.until(position)

    held_to_replay(office, sale, found)
    assert found[-1].figures["Gross"] == 16_800 + 2 * 8_800


def test_each_order_is_pushed_and_is_what_replay_says(office, sale):
    with listening(office.public, sale) as listener:
        found = [listener.next()]
        for _ in range(3):
            found += listener.until(feed(office, sale, "orders", order()))
        found += listener.until(feed(office, sale, "orders", *(order() for _ in range(20))))

    assert found[-1].figures["Gross"] == 23 * 16_800
    held_to_replay(office, sale, found)


def test_a_net_that_goes_down_says_why(office, sale):
    first, second = order("L4"), order("L4")
    with listening(office.public, sale) as listener:
        listener.until(feed(office, sale, "orders", first, second))
        found = listener.until(feed(office, sale, "returns", back(second)))

    assert "Goods worth 198.00 yuan came back" in found[-1].text
    assert f"by event {found[-1].position}" in found[-1].text
    assert found[-1].figures["Net"] == 19_800
    held_to_replay(office, sale, found)


def test_whoever_comes_again_is_told_only_what_they_missed(office, sale):
    with listening(office.public, sale) as listener:
        seen = listener.until(feed(office, sale, "orders", order()))[-1].position
        with listening(office.public, sale, seen=seen) as again:
            later = feed(office, sale, "orders", order())
            assert [each.position >= later for each in again.until(later)] == [True]
        with listening(office.public, sale, seen=seen) as late:
            assert late.next().position >= later


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 20, "²"])
def test_a_last_event_that_is_none_of_ours_is_as_good_as_none(office, sale, seen):
    with listening(office.public, sale, seen=seen) as listener:
        assert listener.next().figures["Gross"] == 0


def test_a_sale_that_is_not_there_cannot_be_listened_to(office):
    answer = office.public.get("/sales/00000000-0000-0000-0000-000000000000/live")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_a_listener_who_does_not_read_holds_up_nobody(office, sale):
    host, port = office.server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        path = f"/sales/{sale}/live?lang=en"
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        with listening(office.public, sale) as listener:
            for _ in range(5):
                found = listener.until(feed(office, sale, "orders", order("L2")))
                held_to_replay(office, sale, found)
