"""JSON that two readers could read differently is read by none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.feeds.orders import read_order, read_return
from ledger.feeds.pledges import read_pledge
from ledger.kernel.lines import LineMalformed, LineRefused
from ledger.kernel.strict_json import DEPTH_MAX, fault_of
from tests.world import PLEDGE, filled, refused

pytestmark = pytest.mark.common_server

FAULTS = {
    b'{"a":1,"a":2}': "has a key twice",
    b'{"a":1,"a":1}': "has a key twice",
    b'{"a":1,"\\u0061":2}': "has a key twice",
    b'{"x":[{"a":1,"b":"\\"","a":2}]}': "has a key twice",
    b'{"":1,"":2}': "has a key twice",
    b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1): "is nested more than 16 deep",
    b'{"a":' * 200_000: "is nested more than 16 deep",
    b'\xef\xbb\xbf{"a":1}': "begins with a byte order mark",
    '{"a":1}'.encode("utf-16"): "begins with a byte order mark",
    '{"a":1}'.encode("utf-16-le"): "has a NUL, or is not in UTF-8",
    '{"a":1}'.encode("utf-32-be"): "has a NUL, or is not in UTF-8",
    b'{"a":"\0"}': "has a NUL, or is not in UTF-8",
    '{"a":"é"}'.encode("latin-1"): "is not in UTF-8",
    '{"a":"雷锋"}'.encode("gb18030"): "is not in UTF-8",
    b'{"a":"\xc0\xaf"}': "is not in UTF-8",
    b'{"a":"\xed\xa0\x80"}': "is not in UTF-8",
}
NO_NUMBERS = {
    b'{"a":NaN}': "has NaN, which is no number",
    b'{"a":-Infinity}': "has -Infinity, which is no number",
    b'{"a":1e400}': "has a number beyond all bounds",
}


@pytest.mark.parametrize(("text", "fault"), (FAULTS | NO_NUMBERS).items())
def test_a_text_is_refused_by_the_name_of_its_fault(text, fault):
    assert str(fault_of(text)) == fault


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_numbers_can_be_left_to_a_reader_that_names_their_field(text):
    assert fault_of(text, numbers=False) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"b":{"a":2}}',
        b'{"a":"\\"a\\":1,\\"a\\":2"}',
        b"[" * DEPTH_MAX + b"]" * DEPTH_MAX,
        b'{"a":"' + b"[{" * 1_000 + b'"}',
        b'{"a":"' + b'[{\\"' * 1_000 + b'"}',
        b"[" + b"{}," * 1_000 + b"{}]",
    ],
)
def test_what_everybody_reads_alike_passes(text):
    assert json.loads(text) is not None
    assert fault_of(text) is None


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), values, min_size=1, max_size=4), st.booleans())
def test_a_repeated_key_is_found_wherever_and_however_it_is_written(said, in_ascii):
    text = json.dumps(said, ensure_ascii=in_ascii).encode(errors="replace")
    name = json.dumps(next(iter(said)), ensure_ascii=not in_ascii).encode(errors="replace")

    assert fault_of(text) is None
    assert str(fault_of(text[:-1] + b"," + name + b":1}")) == "has a key twice"


ORDER = (
    b'{"order_no":"N-1","placed_at":"2026-03-08T20:12:38+08:00",'
    b'"lines":[{"sku":"L1","quantity":1,"unit_price":16800}]}'
)


def test_a_line_that_says_a_thing_twice_is_rejected():
    read_order(ORDER)
    for twice in (
        ORDER.replace(b'"N-1"', b'"N-1","order_no":"N-1"'),
        ORDER.replace(b'"quantity":1', b'"quantity":1,"quantity":1000'),
    ):
        with pytest.raises(LineMalformed, match="has a key twice"):
            read_order(twice)


@pytest.mark.parametrize("read", [read_order, read_return, read_pledge])
@pytest.mark.parametrize(("text", "fault"), (FAULTS | NO_NUMBERS).items())
def test_a_line_is_refused_and_its_fault_named(read, text, fault):
    with pytest.raises(LineRefused) as refusal:
        read(text)

    assert refusal.type is LineMalformed
    assert str(refusal.value) == fault or fault == "has a key twice"


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_body_is_refused_and_its_fault_named(world, text, fault):
    def send():
        headers = {"Content-Type": "application/json", "Idempotency-Key": "strict"}
        return world.office.lin.http.post("/v1/donations", content=text, headers=headers)

    said = refused(world, send, 422, "invalid-request")

    assert said["errors"] == [{"field": "body", "message": fault}]


def test_a_body_that_promises_twice_promises_nothing(world):
    body = json.dumps(filled(PLEDGE, world)).encode()[:-1] + b', "amount": 1000000}'

    def send():
        headers = {"Content-Type": "application/json", "Idempotency-Key": "twice"}
        return world.office.lin.http.post("/v1/donations", content=body, headers=headers)

    assert refused(world, send, 422, "invalid-request")["detail"] == "body: has a key twice"
