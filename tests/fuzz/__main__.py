"""Fuzz what reads what others send: ``python -m tests.fuzz [TARGET …] [--minutes 10]``.

libFuzzer looks for bytes that lead to lines not yet run, beginning from ``corpus/TARGET``, where a
line is one seed as JSON (a character a byte). What it finds is kept with ``--keep``, as few and as
short as run the same lines. A broken rule ends it, with the bytes that broke it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

CORPUS = Path(__file__).parent / "corpus"
HOUSE = Path(__file__).parents[2]
BYTES_MAX = 4096
KEPT_MAX = 60
"""Seeds of a target that are kept, the shortest first."""


def main() -> None:
    """Fuzz each target for its share of the time, each in a process of its own."""
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=-1, help="at most so many, for a short look")
    parser.add_argument("--keep", action="store_true", help="write new seeds into the corpus")
    parser.add_argument("--in-this-process", action="store_true", help="one target")
    asked = parser.parse_args()
    if asked.in_this_process:
        _fuzz(asked.targets[0], asked.minutes, asked.runs, keep=asked.keep)
    targets = asked.targets or sorted(each.stem for each in CORPUS.iterdir())
    minutes = asked.minutes / len(targets)
    for name in targets:
        words = [name, "--minutes", str(minutes), "--runs", str(asked.runs), "--in-this-process"]
        ran = subprocess.run(  # noqa: S603  # Ourselves.
            [sys.executable, "-m", "tests.fuzz", *words, *(["--keep"] if asked.keep else [])],
            cwd=HOUSE,
            check=False,
        )
        if ran.returncode:
            sys.exit(f"{name} broke: see above")
    sys.stdout.write(f"{len(targets)} targets fuzzed, none broke\n")


def _fuzz(name: str, minutes: float, runs: int, *, keep: bool) -> None:
    with atheris.instrument_imports(include=["api", "ledger", "uvicorn", "json", "tests.fuzz"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # Only here it is instrumented.
    with TemporaryDirectory(prefix="leifeng-fuzz-") as folder:
        found = Path(folder) / "found"
        found.mkdir()
        seeds = _seeds(name)
        for number, seed in enumerate(seeds):
            (found / f"seed-{number}").write_bytes(seed)
        atheris.Setup(
            [
                name,
                str(found),
                f"-max_total_time={max(1, round(minutes * 60))}",
                f"-runs={runs}",
                f"-max_len={BYTES_MAX}",
                f"-artifact_prefix={HOUSE}/.fuzz-",
                "-rss_limit_mb=4096",
                "-timeout=20",
                "-print_final_stats=1",
                f"-verbosity={int(runs < 0)}",
            ],
            TARGETS[name],
        )
        try:
            atheris.Fuzz()
        finally:
            if keep:
                _keep(name, seeds, (each.read_bytes() for each in sorted(found.iterdir())))


def _seeds(name: str) -> list[bytes]:
    said = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(each).encode("latin-1") for each in said]


def _keep(name: str, seeds: Iterable[bytes], found: Iterable[bytes]) -> None:
    kept = list(dict.fromkeys([*seeds, *sorted(found, key=len)]))[:KEPT_MAX]
    text = "".join(json.dumps(each.decode("latin-1")) + "\n" for each in kept)
    (CORPUS / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
