"""Fuzz targets one after the other: ``python -m tests.fuzz.one NAME=FOLDER … -- WORD …``.

Reading our modules takes seconds while each line is noted, so it is done once; each target is then
fuzzed in a process that begins as this one is, for libFuzzer ends with its process.
"""

from __future__ import annotations

import os
import sys

import atheris


def main() -> None:
    """Hand the words after the targets to libFuzzer, for each of them."""
    marked = sys.argv.index("--")
    targets, words = sys.argv[1:marked], sys.argv[marked + 1 :]
    with atheris.instrument_imports(include=["api", "ledger", "uvicorn", "json", "tests.fuzz"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # Only here it is instrumented.
    for each in targets:
        name, _, folder = each.partition("=")
        child = os.fork()
        if not child:
            atheris.Setup([name, folder, *words], TARGETS[name])
            atheris.Fuzz()
        _, status = os.waitpid(child, 0)
        if status:
            sys.exit(f"{name} broke: see above")


if __name__ == "__main__":
    main()
