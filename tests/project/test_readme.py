"""The README says what was run: its replay is run here, and its demo is the demo's own words."""

import json
import re
import subprocess
import sys

from ledger.kernel.roles import Role
from tests.folders import HOUSE
from tests.processes import leifeng

README = (HOUSE / "README.md").read_text(encoding="utf-8")
LINES_MAX = 16
"""Of the replay, with its imports: "ten lines" and their frame."""


def block(language):
    """Return the first example in ``language``."""
    found: str = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)[0]
    return found


def test_the_auditors_replay_comes_to_every_balance_that_is_served(office, years):
    assert years is not None
    auditor = office.server.person("审计所", Role.AUDITOR)
    replayed = subprocess.run(  # noqa: S603  # The README's own program.
        [sys.executable, "-c", block("python")],
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
    assert len([line for line in block("python").splitlines() if line.strip()]) <= LINES_MAX


def test_the_demo_says_what_the_readme_shows(tmp_path):
    said = leifeng("demo", "--data", tmp_path / "demo", "--no-serve").stdout
    lines = [line.rstrip() for line in said.splitlines()]

    _, *shown = block("console").splitlines()

    assert [line for line in shown if line.rstrip() not in lines] == []
