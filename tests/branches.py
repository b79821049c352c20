"""How many of the branches in ``src/ledger`` and ``projections`` the tests take, and not fewer.

``python -m tests.branches [ARGUMENT …]`` runs the quick tests, with these arguments if there are
any (``--all``: the slow ones as well). It counts in whatever process a branch is taken: in a server
and in a command that a test starts as well as in the test itself. It prints the lines and branches
that are not taken, and ends with 1 if the share of a part is below what ``branches.toml`` has for
it, and with the tests' own exit code if they fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from tests.folders import HOUSE, TESTS

LEAST = TESTS / "branches.toml"
RUN = ("-n", "2", "--dist", "loadfile", "-q")
MISSED = ("report", "--skip-covered", "--show-missing", "--precision", "1")


def main() -> None:
    """Run the tests, and hold what they take to what they took."""
    with TemporaryDirectory(prefix="branches-") as folder:
        environment = os.environ | {"COVERAGE_FILE": str(Path(folder) / "data")}
        report = Path(folder) / "report.json"

        def coverage(*words: str) -> int:
            command = [sys.executable, "-m", "coverage", *words]
            return subprocess.run(command, cwd=HOUSE, env=environment, check=False).returncode  # noqa: S603  # Ours.

        failed = coverage("run", "-m", "pytest", *RUN, *sys.argv[1:])
        for words in (("combine", "-q"), ("json", "-q", "-o", str(report)), MISSED):
            if coverage(*words):
                sys.exit("coverage could not count what was taken; what it said stands above")
        percentages = shares(msgspec.json.decode(report.read_bytes())["files"])
    least = tomllib.loads(LEAST.read_text(encoding="utf-8"))
    sys.stdout.write("".join(f"{line}\n" for line in lines(percentages, least)))
    sys.exit(failed or any(percentages[part] < least[part] for part in least))


def shares(files: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, float]:
    """Return which percentage of the branches of each part was taken.

    Args:
        files: As ``coverage json`` has them: by path, with ``num_branches`` and
            ``covered_branches`` in each ``summary``.

    """
    total: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for path, file in files.items():
        part = "ledger" if path.startswith("src") else Path(path).parts[0]
        total[part] += file["summary"]["num_branches"]
        covered[part] += file["summary"]["covered_branches"]
    return {part: 100 * covered[part] / total[part] for part in total if total[part]}


def lines(percentages: Mapping[str, float], least: Mapping[str, float]) -> list[str]:
    """Say of each part how much was taken, and whether that is too little."""
    return [
        f"{part}: {share:.2f} % of branches,"
        f" {'' if share >= least[part] else 'NOT '}at least {least[part]} %"
        for part, share in percentages.items()
    ]


if __name__ == "__main__":
    main()
