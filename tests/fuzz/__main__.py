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
from collections.abc import Iterable, Mapping
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
    """Fuzz each target for its share of the time."""
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
    with TemporaryDirectory(prefix="leifeng-fuzz-") as folder:
        places = {name: Path(folder) / name for name in targets}
        broke = _fuzz(places, f"-max_total_time={seconds}", f"-runs={asked.runs}")
        if asked.keep:
            for name, place in places.items():
                _keep(name, (each.read_bytes() for each in sorted(place.iterdir())))
    if broke:
        sys.exit(broke)
    sys.stdout.write(f"{len(targets)} targets fuzzed, none broke\n")


def _fuzz(places: Mapping[str, Path], *bounds: str) -> int:
    """Fuzz each target from its seeds, in a folder of its own; return how that ended."""
    for name, place in places.items():
        place.mkdir()
        for number, seed in enumerate(_seeds(name)):
            (place / f"seed-{number:03}").write_bytes(seed)
    words = [f"-max_len={BYTES_MAX}", f"-timeout={SECONDS_MAX}", f"-artifact_prefix={HOUSE}/.fuzz-"]
    ran = subprocess.run(  # noqa: S603  # Ourselves.
        [
            *(sys.executable, "-m", "tests.fuzz.one"),
            *(f"{name}={place}" for name, place in places.items()),
            *("--", *bounds, *words),
        ],
        cwd=HOUSE,
        check=False,
    )
    return ran.returncode


def _seeds(name: str) -> list[bytes]:
    said = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(each).encode("latin-1") for each in said]


def _keep(name: str, found: Iterable[bytes]) -> None:
    kept = list(dict.fromkeys([*_seeds(name), *sorted(found, key=len)]))[:KEPT_MAX]
    text = "".join(json.dumps(each.decode("latin-1")) + "\n" for each in kept)
    (CORPUS / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
