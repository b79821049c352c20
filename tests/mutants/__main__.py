"""``python -m tests.mutants [--seed N] [--count N] [--jobs N]``

Ends with 1 if fewer than 95 of a hundred are caught.
"""

from __future__ import annotations

import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from tests.folders import HOUSE
from tests.mutants.changes import Change, changes
from tests.mutants.trial import Copy, Failing, Stage

LEDGER = HOUSE / "src/ledger"

MONEY = (
    "aggregates/disbursements",
    "aggregates/donations",
    "aggregates/sales",
    "aggregates/funds.py",
    "aggregates/policies.py",
    "books",
    "kernel/confirmations.py",
    "kernel/money.py",
    "kernel/payments.py",
    "kernel/terms.py",
)
"""Modules and folders of ``src/ledger`` that say what happens to money."""

IN_MEMORY = (
    "ledger/kernel/test_money.py",
    "ledger/books/test_movements.py",
    "ledger/books/test_postings.py",
    "ledger/books/test_tallies.py",
    "ledger/aggregates/test_donations.py",
    "ledger/aggregates/test_disbursements.py",
    "ledger/aggregates/test_sales.py",
    "ledger/aggregates/test_orders.py",
    "ledger/aggregates/test_funds.py",
    "ledger/aggregates/test_confirmations.py",
    "ledger/aggregates/test_steps.py",
    "projections/replay/test_fold.py",
    "ledger/kernel/test_duties.py",
    "ledger/store/test_golden.py",
)
"""Tests that say the rules and start nothing, in the order in which they are run."""

WHOLE = (
    "ledger/commands/test_application.py",
    "ledger/aggregates/test_policies.py",
    "ledger/feeds",
    "api/test_nothing_repeated.py",
    "ledger/books/test_never_overspent.py",
    "projections/views/test_statements.py",
    "system/test_tv_sale.py",
)
"""Tests of the same rules in a whole ledger, which only a change that passes the others meets."""

LEAST = 95
"""Of a hundred, how many have to be caught."""

EXPLANATIONS = Path(__file__).with_name("explained.toml")


def modules() -> list[Path]:
    """Return the modules of money."""
    places = [LEDGER / name for name in MONEY]
    return [each for place in places for each in (sorted(place.rglob("*.py")) or [place])]


def stages() -> dict[str, Stage]:
    """Return the tests, first those that need no server."""
    return {
        "in memory": Stage([Path("tests", name) for name in IN_MEMORY], ("--noconftest",)),
        "whole": Stage([Path("tests", name) for name in WHOLE], ("-k", "not postgres")),
    }


def explanations() -> Mapping[tuple[str, str, str], str]:
    """Return why a change makes no difference, by the change."""
    entries = tomllib.loads(EXPLANATIONS.read_text(encoding="utf-8"))["change"]
    return {(each["place"], each["before"], each["after"]): each["why"] for each in entries}


def every_change() -> list[Change]:
    """Return all that can be changed in the modules of money."""
    return [change for path in modules() for change in changes(path)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Try the changes and print those that no test notices."""
    parser = ArgumentParser(prog="mutants", description="Small mistakes that a test must notice.")
    parser.add_argument("--seed", type=int, default=1, help="which changes (default: 1)")
    parser.add_argument("--count", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (default: 2)")
    options = parser.parse_args(arguments)
    sample = sorted(every_change(), key=lambda each: each.rank(options.seed))[: options.count]
    with TemporaryDirectory(prefix="mutants-") as folder:
        try:
            results = list(_tried(sample, Path(folder), options.jobs))
        except Failing as error:
            sys.exit(f"the tests fail on the unchanged tree:\n{error}")
    sys.exit(_report(results))


def _tried(sample: Sequence[Change], folder: Path, jobs: int) -> Iterator[tuple[Change, str]]:
    """Yield each change and what caught it, with a line about each as it is known."""
    copies: SimpleQueue[Copy] = SimpleQueue()

    def tried(change: Change) -> str:
        copy = copies.get()
        try:
            return copy.caught(change)
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(jobs) as pool:
        trees = [Copy(HOUSE, folder / str(number), stages()) for number in range(jobs)]
        trees[0].measure()
        for copy in trees:
            copy.limits = trees[0].limits
            copies.put(copy)
        for number, (change, by) in enumerate(zip(sample, pool.map(tried, sample), strict=True), 1):
            where = f"{change.path.relative_to(LEDGER)} {change.place}"
            sys.stderr.write(f"{number:4} {where}: {by or 'NOT CAUGHT'}\n")
            yield change, by


def _report(results: Sequence[tuple[Change, str]]) -> int:
    """Print what was not caught; return the exit code."""
    reasons = explanations()
    survivors = [change for change, by in results if not by]
    for change in survivors:
        sys.stdout.write(f"{change.diff()}\nexplained: {reasons.get(change.key, 'not yet')}\n\n")
    caught = len(results) - len(survivors)
    known = sum(change.key in reasons for change in survivors)
    sys.stdout.write(
        f"{caught} of {len(results)} caught; {known} of the other {len(survivors)} explained\n"
    )
    return int(caught * 100 < LEAST * len(results))


if __name__ == "__main__":
    main()
