"""What the API promised stays as it was agreed, until somebody changes it on purpose."""

import json
from difflib import unified_diff

import pytest

from tests.golden import FILES, HERE

SHOWN = 60
"""Lines of a difference that are shown; ``git diff`` shows the rest."""


@pytest.mark.parametrize("name", FILES)
def test_the_contract_changes_on_purpose_alone(name):
    agreed, now = (HERE / name).read_text(encoding="utf-8"), FILES[name]()

    if agreed != now:
        lines = [
            *unified_diff(agreed.splitlines(), now.splitlines(), "agreed", "now", n=2, lineterm="")
        ]
        pytest.fail(
            f"tests/golden/{name} is not what the program says now.\n"
            "If others are to see this change, run `python -m tests.golden --accept`, commit the"
            " file and tell them in CHANGELOG.md.\n" + "\n".join(lines[:SHOWN]),
            pytrace=False,
        )


def test_no_schema_is_named_after_a_module():
    schemas = json.loads(FILES["openapi.json"]())["components"]["schemas"]

    assert [name for name in schemas if "__" in name] == []
