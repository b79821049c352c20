"""A short look by the fuzzer at all that reads what others send; `./run fuzz` looks longer."""

import subprocess
import sys

import pytest

from tests.fuzz.targets import TARGETS
from tests.processes import ENVIRONMENT, HOUSE, TASK_S

RUNS = 500


def test_every_target_has_seeds():
    there = {each.stem for each in (HOUSE / "tests" / "fuzz" / "corpus").iterdir()}

    assert there == TARGETS.keys()


@pytest.mark.slow
def test_nothing_that_is_sent_breaks_a_reader():
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or platform")

    ran = subprocess.run(  # noqa: S603  # Our own command.
        [sys.executable, "-m", "tests.fuzz", "--runs", str(RUNS), "--minutes", "1"],
        cwd=HOUSE,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=TASK_S,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{len(TARGETS)} targets fuzzed, none broke" in ran.stdout
