"""Documents keep their promises: links lead somewhere, decisions have a status."""

import re

import pytest

from ledger.people import tables as people
from projections.log import tables as log
from tests.documents import Document, documents
from tests.folders import HOUSE

DECISIONS = HOUSE / "docs/decisions"
README_LINES_MAX = 120
STATUS = re.compile(r"20\d\d-\d\d-\d\d · (stands|replaced by \[[^\]]+\]\([^)]+\))")


def test_every_link_leads_to_a_file_and_a_heading():
    broken = [
        f"{document.path.relative_to(HOUSE)}: {link}"
        for document in documents()
        for link in document.links
        if not leads_somewhere(document, link)
    ]

    assert broken == []


def leads_somewhere(document, link):
    file, _, fragment = link.partition("#")
    target = document.path.parent / file if file else document.path
    return target.exists() and (not fragment or fragment in Document(target).anchors)


def test_a_broken_link_is_noticed(tmp_path):
    (tmp_path / "a.md").write_text("# One `b`, two\n", encoding="utf-8")
    document = Document(tmp_path / "a.md")

    assert leads_somewhere(document, "#one-b-two")
    assert not leads_somewhere(document, "#one-b")
    assert not leads_somewhere(document, "b.md")


def test_every_file_and_folder_that_is_named_exists():
    missing = [
        f"{document.path.relative_to(HOUSE)}: {place}"
        for document in documents()
        for place in document.places
        if not (HOUSE / place).exists()
    ]

    assert missing == []


@pytest.mark.parametrize(
    ("prose", "places"),
    [
        ("a file `api/app.py` and a folder `tests/golden/`", ["api/app.py", "tests/golden/"]),
        ("`CHANGELOG.md`", ["CHANGELOG.md"]),
        ("an address `/api/x`, a command `leifeng serve`", []),
        ("a placeholder `src/ledger/NOUN.py`", ["src/ledger/NOUN.py"]),
    ],
)
def test_what_is_named_in_prose_is_looked_for(prose, places, tmp_path):
    (tmp_path / "a.md").write_text(prose, encoding="utf-8")

    assert Document(tmp_path / "a.md").places == places


def test_the_architecture_lists_every_table_beside_the_views():
    kept = {table.name for table in [*people.METADATA.tables.values(), *log.ALL]}
    listed = Document(HOUSE / "docs/ARCHITECTURE.md").text.partition("## State outside")[2]

    assert {"sealed", "tiles"} < kept
    assert sorted(name for name in kept if f"`{name}`" not in listed) == []


def test_the_readme_is_short():
    lines = Document(HOUSE / "README.md").text.splitlines()

    assert len(lines) <= README_LINES_MAX


@pytest.fixture(name="topics")
def _topics():
    """The documents of decisions, by topic."""
    return [Document(path) for path in DECISIONS.glob("*.md") if path.name != "README.md"]


def test_every_decision_has_a_date_and_a_status(topics):
    decisions = [
        (title, re.split(r"\n\n", body.lstrip("\n"))[0])
        for topic in topics
        for title, body in re.findall(
            r"^## (.*?)\n(.*?)(?=^## |\Z)", topic.text, re.MULTILINE | re.DOTALL
        )
    ]

    assert decisions
    assert [title for title, status in decisions if not STATUS.fullmatch(status)] == []


def test_the_index_of_decisions_names_every_topic(topics):
    index = Document(DECISIONS / "README.md")

    assert sorted(index.links) == sorted(topic.path.name for topic in topics)
