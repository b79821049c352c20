"""How the share of branches is reckoned, and what ``./run coverage`` holds it to."""

import tomllib

from tests.branches import LEAST, lines, shares


def file(taken, there):
    return {"summary": {"covered_branches": taken, "num_branches": there}}


def test_a_part_is_the_branches_of_all_its_files():
    files = {
        "src/ledger/books/tallies.py": file(1, 4),
        "src/ledger/kernel/money.py": file(2, 2),
        "src/ledger/__init__.py": file(0, 0),
        "projections/views/sales.py": file(1, 3),
    }

    assert shares(files) == {"ledger": 50.0, "projections": 100 / 3}


def test_what_is_below_its_least_is_named():
    assert lines(
        {"ledger": 50.0, "projections": 100 / 3}, {"ledger": 50.0, "projections": 33.4}
    ) == [
        "ledger: 50.00 % of branches, at least 50.0 %",
        "projections: 33.33 % of branches, NOT at least 33.4 %",
    ]


def test_both_parts_have_a_least():
    assert tomllib.loads(LEAST.read_text(encoding="utf-8")).keys() == {"ledger", "projections"}
