"""What people write into fields of forms is read as strictly as what programs send."""

from datetime import timedelta

import pytest

from api.kernel.desk import today
from api.pages.donor.giving import FIRST_WITHIN_YEARS, answers
from api.pages.kit.entrance import FIELDS_MAX, fields_of
from api.pages.kit.forms import fen, on_day
from ledger.kernel.errors import Invalid

GIVEN = {"fund": "F-HEAR", "amount": "100.00", "parts": "3", "first": "2099-01-31"}


@pytest.mark.parametrize(
    ("written", "amount"),
    [("100", 10_000), ("1,234.5", 123_450), ("¥1.05", 105), ("１２元", 1_200), (" 0.01 ", 1)],
)
def test_an_amount_is_written_as_people_write_it(written, amount):
    assert fen({"amount": written}) == amount


@pytest.mark.parametrize("written", ["", "0", "-1", "1.234", "12,34", "1e2", "١٢", "१", "9" * 12])
def test_what_is_no_amount_is_refused_by_its_field(written):
    with pytest.raises(Invalid) as refused:
        fen({"amount": written})

    assert refused.value.field == "amount"


@pytest.mark.parametrize(
    "written",
    ["", "20260320", "2026-3-20", "2026-W12-5", "2026-02-30", "2026-03-20 or so", "２０２６-03-20"],
)
def test_a_day_has_one_spelling(written):
    with pytest.raises(Invalid):
        on_day({"on": written})


@pytest.mark.parametrize("parts", ["", "0", "13", "-1", "1.0", "02", "٣", "9" * 4_400])
def test_parts_are_from_one_to_twelve(parts):
    with pytest.raises(Invalid) as refused:
        answers(GIVEN | {"parts": parts})

    assert refused.value.field == "parts"


def test_the_first_part_is_due_within_a_lifetime():
    last = today().replace(month=12, day=31, year=today().year + FIRST_WITHIN_YEARS)

    assert len(answers(GIVEN | {"first": last.isoformat(), "parts": "12"}).instalments) == 12
    for first in ((last + timedelta(days=1)).isoformat(), "9999-12-31", "2020-01-01"):
        with pytest.raises(Invalid) as refused:
            answers(GIVEN | {"first": first})
        assert refused.value.field == "first"


@pytest.mark.parametrize(
    "body",
    [
        *(b"a=1&a=2", b"a", b"a=1&", b"a=%FF", b"a=%ED%A0%80", b"\xff=1", "a=王".encode()),
        b"&".join(b"f%d=1" % number for number in range(FIELDS_MAX + 1)),
    ],
    ids=range(8),
)
def test_a_form_is_read_in_one_way_or_not_at_all(body):
    with pytest.raises(Invalid) as refused:
        fields_of(body)

    assert refused.value.field == "body"
