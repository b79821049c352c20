"""Fuzz what reads what others send: ``python -m tests.fuzz [TARGET …] [--minutes 10]``.

libFuzzer looks for bytes that lead to lines not yet run, beginning from ``corpus``, where a line is
one seed as JSON (a character a byte). What it finds is kept with ``--keep``, the shortest first. A
broken rule ends it, and the bytes that broke it are left in a file ``.fuzz-crash-…``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

CORPUS = Path(__file__).parent / "corpus"
HOUSE = Path(__file__).parents[2]

BYTES_MAX = 4096
SECONDS_MAX = 20
"""Of one input; a reader that takes longer is broken."""

KEPT_MAX = 60
"""Seeds that are kept of a target."""


def main() -> None:
    """Fuzz each target for its share of the time, each in a process of its own."""
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--runs", type=int, default=-1, help="at most so many, for a short look")
    parser.add_argument("--keep", action="store_true", help="write new seeds into the corpus")
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        sys.exit("fuzzing needs atheris, which has no wheel for this Python or platform")
    targets = asked.targets or sorted(each.stem for each in CORPUS.iterdir())
    seconds = max(1, round(asked.minutes * 60 / len(targets)))
    for name in targets:
        with TemporaryDirectory(prefix="leifeng-fuzz-") as folder:
            _fuzz(name, Path(folder), f"-max_total_time={seconds}", f"-runs={asked.runs}")
            if asked.keep:
                _keep(name, (each.read_bytes() for each in sorted(Path(folder).iterdir())))
    sys.stdout.write(f"{len(targets)} targets fuzzed, none broke\n")


def _fuzz(name: str, folder: Path, *bounds: str) -> None:
    for number, seed in enumerate(_seeds(name)):
        (folder / f"seed-{number:03}").write_bytes(seed)
    words = [f"-max_len={BYTES_MAX}", f"-timeout={SECONDS_MAX}", f"-artifact_prefix={HOUSE}/.fuzz-"]
    ran = subprocess.run(  # noqa: S603  # Ourselves.
        [sys.executable, "-m", "tests.fuzz.one", name, str(folder), *bounds, *words],
        cwd=HOUSE,
        check=False,
    )
    if ran.returncode:
        sys.exit(f"{name} broke: see above")


def _seeds(name: str) -> list[bytes]:
    said = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(each).encode("latin-1") for each in said]


def _keep(name: str, found: Iterable[bytes]) -> None:
    kept = list(dict.fromkeys([*_seeds(name), *sorted(found, key=len)]))[:KEPT_MAX]
    text = "".join(json.dumps(each.decode("latin-1")) + "\n" for each in kept)
    (CORPUS / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
