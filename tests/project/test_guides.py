"""The guides say what was run: every command is typed here, and prints what stands below it."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from ledger.kernel.roles import Role
from tests.documents import Document
from tests.folders import HOUSE
from tests.processes import leifeng
from tests.reader import at_terminal, faults, matches, read
from tests.server import free_port, serving

README = Document(HOUSE / "README.md")
GUIDES = HOUSE / "docs/guide"
EXAMPLES = Document(GUIDES / "README.md")
PORTS = ("8000", "8001", "8100")
REPLAY_LINES_MAX = 16
"""Of the auditor's replay, with its imports: "ten lines" and their frame."""


def block(document, language):
    """Return the first example in ``language``."""
    return next(each.text for each in document.blocks if each.language == language)


def ports():
    """Return ports that nobody listens at, by those that the documents name."""
    return {
        form.format(port): form.format(other)
        for port, other in {port: free_port() for port in PORTS}.items()
        for form in ("127.0.0.1:{}", "--port {}")
    }


@pytest.fixture(name="demo", scope="module")
def _demo(tmp_path_factory):
    """The demo's folder, and what it printed."""
    folder = tmp_path_factory.mktemp("made") / "demo"
    return folder, leifeng("demo", "--data", folder, "--no-serve").stdout


@pytest.mark.parametrize("name", ["donor", "treasurer", "auditor"])
def test_a_guide_says_what_the_demo_answers(name, demo, tmp_path):
    folder, _ = demo
    shutil.copytree(folder, tmp_path / "demo-data")

    with serving(tmp_path / "demo-data") as server, at_terminal(tmp_path) as terminal:
        here = {"http://127.0.0.1:8000": server.url} | ports()
        steps = [
            step
            for document in (EXAMPLES, Document(GUIDES / f"{name}.md"))
            for step in read(document, terminal, here)
        ]

    assert steps
    assert faults(steps) == []


@pytest.mark.slow
def test_the_operators_guide_says_what_happens(postgres, postgres_url, tmp_path):
    path = f"{postgres.bin}{os.pathsep}{os.environ['PATH']}"
    here = {"./run ": "leifeng ", "postgresql://leifeng@db.example/charity": postgres_url} | ports()

    with at_terminal(tmp_path, {"PATH": path}) as terminal:
        steps = list(read(Document(GUIDES / "operator.md"), terminal, here))

    assert steps
    assert faults(steps) == []


def test_the_auditors_replay_comes_to_every_balance_that_is_served(office, years):
    assert years is not None
    auditor = office.server.person("审计所", Role.AUDITOR)
    replayed = subprocess.run(  # noqa: S603  # The guide's own program.
        [sys.executable, "-c", block(Document(GUIDES / "auditor.md"), "python")],
        env={"AUDITOR": auditor.token, "URL": office.server.url},
        capture_output=True,
        check=True,
    )

    balances = json.loads(replayed.stdout)
    served = {
        fund["code"]: office.server.public.read(f"/v1/funds/{fund['code']}/balance")["balance"]
        for fund in office.server.public.all("/v1/funds")
    }

    assert {fund: balances.get(fund, 0) for fund in served} == served
    assert any(served.values())


def test_the_auditors_replay_is_short():
    program = block(Document(GUIDES / "auditor.md"), "python")

    assert len([line for line in program.splitlines() if line.strip()]) <= REPLAY_LINES_MAX


def test_the_demo_says_what_the_readme_shows(demo):
    _, printed = demo
    lines = [line.rstrip() for line in printed.splitlines()]

    _, *shown = block(README, "console").splitlines()

    assert [line for line in shown if line.rstrip() not in lines] == []


@pytest.mark.parametrize(
    ("shown", "printed", "is_so"),
    [
        (["a …", "b"], ["a 1", "b"], True),
        (["a …", "b"], ["a 1"], False),
        (["…", "b"], ["a", "a", "b"], True),
        (["…", "b"], ["b", "c"], False),
        ([], ["c"], False),
    ],
)
def test_what_is_printed_is_held_to_what_is_shown(shown, printed, is_so):
    assert matches(shown, printed) is is_so


def test_a_command_may_fail_only_where_the_next_asks_how_it_ended(tmp_path):
    (tmp_path / "a.md").write_text("```console\n$ false\n$ echo $?\n1\n$ false\n```\n", "utf-8")
    (tmp_path / "b.md").write_text("```console\n$ echo a\nb\n```\n", "utf-8")

    with at_terminal(tmp_path) as terminal:
        once, other = (
            faults(list(read(Document(tmp_path / name), terminal, {}))) for name in ("a.md", "b.md")
        )

    assert once == ["false\nended with 1"]
    assert other == ["echo a\nshows\nb\nbut printed\na"]
