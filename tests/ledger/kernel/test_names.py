"""An id that follows from a name is the same for ever; any other is new and in order of time."""

import time
from uuid import UUID

from ledger.kernel.ids import new_id
from ledger.kernel.names import (
    FundCode,
    SaleId,
    fund_stream,
    order_stream,
)
from tests.samples import GENERAL, HEAR


def test_a_funds_stream_follows_from_its_code_and_never_changes():
    assert fund_stream(FundCode("F-HEAR")) == UUID("f00f1b0d-b41b-5e91-910e-76b80709cd45")
    assert fund_stream(HEAR) != fund_stream(GENERAL)


def test_an_orders_stream_follows_from_its_sale_and_number_and_never_changes():
    sale, other = SaleId(UUID(int=1)), SaleId(UUID(int=2))

    assert order_stream(sale, "JLG-1") == UUID("259d132f-ddf8-5256-8ea7-f4fef396d6e1")
    assert order_stream(sale, "JLG-1") != order_stream(sale, "JLG-2")
    assert order_stream(sale, "JLG-1") != order_stream(other, "JLG-1")


def test_a_new_id_is_a_version_7_uuid_of_the_rfc():
    ids = [new_id() for _ in range(1000)]

    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
    assert len(set(ids)) == 1000


def test_a_new_id_says_the_millisecond_of_its_making():
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000

    assert before <= made.int >> 80 <= after
