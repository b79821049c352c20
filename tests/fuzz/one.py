"""Fuzz one target in this process, which ends with it: ``python -m tests.fuzz.one NAME WORD …``."""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    """Hand the words after the target's name to libFuzzer."""
    name, *words = sys.argv[1:]
    with atheris.instrument_imports(include=["api", "ledger", "uvicorn", "json", "tests.fuzz"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  # Only here it is instrumented.
    atheris.Setup([name, *words], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
