"""The checker of logs that is built from others' Go packages, ``tests/go``."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parent / "go"
BUILD_S = 180


def build(folder: Path) -> Path:
    """Build the checker, where there is a Go toolchain that can have the packages."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not here, so nobody else can check the log")
    built = folder / "check"
    for step in (["mod", "download"], ["build", "-o", str(built), "."]):
        done = subprocess.run(  # noqa: S603  # The Go that is here, on our own source.
            [go, *step], cwd=SOURCE, capture_output=True, text=True, check=False, timeout=BUILD_S
        )
        if done.returncode and step == ["mod", "download"]:
            pytest.skip(f"Go cannot have the packages of others: {done.stderr.strip()}")
        assert not done.returncode, done.stderr
    return built


def write_proofs(folder: Path, inclusion: list[Any], consistency: list[Any]) -> None:
    """Write down proofs for the checker: index, size and hashes; from, to and hashes."""
    for name, proofs, keys in (
        ("inclusion", inclusion, ("index", "size")),
        ("consistency", consistency, ("from", "to")),
    ):
        records = [
            dict(zip(keys, place, strict=True)) | {"hashes": [b64encode(h).decode() for h in path]}
            for *place, path in proofs
        ]
        (folder / f"{name}.json").write_text(json.dumps(records), encoding="utf-8")


def check(checker: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Have a folder checked."""
    return subprocess.run(  # noqa: S603  # Built by us, just now.
        [checker, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
