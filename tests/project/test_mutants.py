"""The mutants are those that they say they are, and what is said of them holds."""

from pathlib import Path

import pytest

from tests.folders import HOUSE
from tests.mutants.__main__ import every_change, explanations, modules, stages
from tests.mutants.changes import changes
from tests.mutants.trial import Copy, Failing, Stage

MODULE = '''"""Says 1 < 2, which is no condition."""

def share(amount: int = 0, *, of: str = "fund", all_of_it: bool = False) -> int:
    """Return 1."""
    # 冬 stands here for what is more than a byte.
    if amount <= 100 and not all_of_it:
        raise Refused("冬", of, "is a sentence")
    left.amount -= amount * 2
    note(f"{amount + 1}")
    return -amount
'''

CHANGED = [
    ("amount: int = 0", "amount: int = 1"),
    ('of: str = "fund"', "of: str = 'fund_'"),
    ("all_of_it: bool = False", "all_of_it: bool = True"),
    (
        "if amount <= 100 and not all_of_it:",
        "if not (amount <= 100 and not all_of_it):",
    ),
    ("amount <= 100 and not", "amount <= 100 or not"),
    ("amount <= 100 ", "amount < 100 "),
    ("<= 100 ", "<= 101 "),
    ("and not all_of_it", "and all_of_it"),
    ('raise Refused("冬", of, "is a sentence")', "pass"),
    ("left.amount -= amount * 2", "left.amount += amount * 2"),
    ("left.amount -= amount * 2", "pass"),
    ("amount * 2", "amount // 2"),
    ("* 2", "* 3"),
    ('note(f"{amount + 1}")', "pass"),
    ("return -amount", "return None"),
    ("return -amount", "return amount"),
]


def test_what_is_done_is_changed_and_what_only_describes_is_not(tmp_path):
    module = tmp_path / "share.py"
    module.write_text(MODULE, encoding="utf-8")

    sources = [each.source for each in changes(module)]

    assert sorted(sources) == sorted(MODULE.replace(old, new, 1) for old, new in CHANGED)


def test_a_diff_shows_the_line_in_its_place(tmp_path):
    module = tmp_path / "share.py"
    module.write_text("def half(amount):\n    return amount // 2\n", encoding="utf-8")

    *_, halved = changes(module)

    assert halved.key == ("half", "return amount // 2", "return amount // 3")
    assert "-    return amount // 2\n+    return amount // 3" in halved.diff()


def test_which_are_drawn_does_not_hang_on_where_a_module_lies(tmp_path):
    drawn = []
    for name in ("share.py", "moved.py"):
        (tmp_path / name).write_text(MODULE, encoding="utf-8")
        ranked = sorted(changes(tmp_path / name), key=lambda each: each.rank(1))
        drawn.append([each.source for each in ranked])

    assert drawn[0] == drawn[1]
    assert drawn[0] != [each.source for each in changes(tmp_path / "share.py")]


@pytest.fixture
def tree(tmp_path):
    """A tree with one module and a test of it that notices little."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text("[tool.pytest.ini_options]\n", encoding="utf-8")
    (tree / "share.py").write_text(
        "def share(amount):\n    while amount >= 10:\n        amount -= 10\n    return amount\n",
        encoding="utf-8",
    )
    (tree / "test_share.py").write_text(
        "from share import share\n\ndef test_it():\n    assert share(25) == 5\n", encoding="utf-8"
    )
    return tree


def test_a_change_is_caught_by_a_test_or_because_it_never_ends_or_not_at_all(tree, tmp_path):
    copy = Copy(tree, tmp_path / "copy", {"all": Stage([Path("test_share.py")])})
    by_text = {each.after: each for each in changes(tree / "share.py")}

    copy.measure(patience=2)

    assert copy.caught(by_text["return None"]) == "test_share.py::test_it"
    assert copy.caught(by_text["while amount > 10:"]) == ""
    assert copy.caught(by_text["pass"]) == "time"


def test_tests_that_fail_by_themselves_catch_nothing(tree, tmp_path):
    (tree / "test_share.py").write_text("def test_it():\n    assert False\n", encoding="utf-8")
    copy = Copy(tree, tmp_path / "copy", {"all": Stage([Path("test_share.py")])})

    with pytest.raises(Failing, match=r"FAILED test_share.py::test_it"):
        copy.measure()


def test_every_module_and_test_is_there():
    assert [str(each) for each in modules() if not each.is_file()] == []
    assert [
        str(each)
        for stage in stages().values()
        for each in stage.tests
        if not (HOUSE / each).exists()
    ] == []


def test_what_is_explained_can_still_be_made_and_has_a_reason():
    can_be_made = {each.key for each in every_change()}

    assert explanations().keys() - can_be_made == set()
    assert all(explanations().values())
