"""Money is whole fen, and half a fen is rounded up."""

import pytest

from ledger.kernel.errors import Invalid
from ledger.kernel.money import AMOUNT_MAX, fee, positive, yuan


@pytest.mark.parametrize("amount", [1, AMOUNT_MAX])
def test_an_amount_is_from_one_fen_to_ten_billion_yuan(amount):
    assert positive(amount) == amount


@pytest.mark.parametrize("amount", [0, -1, AMOUNT_MAX + 1])
def test_nothing_and_less_and_too_much_are_not_amounts(amount):
    with pytest.raises(Invalid, match=f"not {amount}"):
        positive(amount)


@pytest.mark.parametrize("amount", [1.0, "1", True, None])
def test_what_is_not_a_whole_number_is_not_money(amount):
    with pytest.raises(Invalid, match="whole number of fen"):
        positive(amount)


def test_a_refusal_names_the_field_as_the_caller_wrote_it():
    with pytest.raises(Invalid) as refusal:
        positive(0, "unit_price")

    assert refusal.value.field == "unit_price"


@pytest.mark.parametrize(
    ("base", "rate_bp", "rounded"),
    [
        (0, 150, 0),
        (19_767_200, 150, 296_508),
        (19_767_200, 60, 118_603),
        (49, 100, 0),
        (50, 100, 1),
        (51, 100, 1),
        (149, 100, 1),
        (150, 100, 2),
        (1, 10_000, 1),
        (12_345, 0, 0),
    ],
)
def test_a_fee_is_rounded_half_up_to_the_fen(base, rate_bp, rounded):
    assert fee(base, rate_bp) == rounded


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (0, "0.00"),
        (1, "0.01"),
        (-1, "-0.01"),
        (99, "0.99"),
        (100, "1.00"),
        (-12_345, "-123.45"),
        (100_000_000, "1,000,000.00"),
    ],
)
def test_a_statement_shows_yuan_exact_to_the_fen(fen, written):
    assert yuan(fen) == written
