"""The import rule, and the habits that a reader relies on.

``api -> projections -> ledger``, never back; aggregates know neither each other's books nor the
store; one door to the event-sourcing library.
"""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {
    "ledger": ROOT / "src/ledger",
    "projections": ROOT / "projections",
    "api": ROOT / "api",
}
WEB = {"fastapi", "starlette", "pydantic", "uvicorn", "typer", "rich"}
FORBIDDEN = {
    "ledger": {"projections", "api", *WEB},
    "projections": {"api", *WEB},
    "api": {"sqlite3"},
}
ROOMS = {
    "ledger": (
        "kernel",
        "transparency",
        "aggregates",
        "books",
        "store",
        "people",
        "commands",
        "feeds",
    ),
    "projections": ("kernel", "views", "exports", "replay", "log", "audit"),
}
"""The folders of each part, from the bottom up: each imports only itself and those before it."""

LINES_MAX = 400
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "service", "services", "handlers", "common"}

MODULES = [(layer, path) for layer, root in LAYERS.items() for path in sorted(root.rglob("*.py"))]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def packages(path):
    return {name.split(".")[0] for name in imported(path)}


def name_of(value):
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else value


@pytest.mark.parametrize(("layer", "path"), MODULES, ids=name_of)
def test_imports_point_inwards(layer, path):
    assert not FORBIDDEN[layer] & packages(path)


def test_the_event_sourcing_library_has_few_doors():
    users = {
        str(path.relative_to(LAYERS["ledger"]))
        for _, path in MODULES
        if "eventsourcing" in packages(path)
    }

    assert {each for each in users if not each.startswith("store/")} == {"commands/application.py"}


def test_the_register_of_people_is_the_only_sql_beside_the_store():
    users = {
        path.relative_to(LAYERS["ledger"]).parts[0]
        for layer, path in MODULES
        if layer == "ledger" and packages(path) & {"sqlite3", "sqlalchemy"}
    }

    assert users == {"store", "people"}


def test_proofs_are_bytes_in_and_bytes_out():
    names = {
        name
        for path in (LAYERS["ledger"] / "transparency").glob("*.py")
        for name in imported(path)
        if not name.startswith(("ledger.transparency", "collections", "cryptography.hazmat"))
    }

    assert names == {
        "__future__",
        "base64",
        "binascii",
        "cryptography.exceptions",
        "dataclasses",
        "hashlib",
        "ledger.kernel.errors",
        "ledger.kernel.names",
        "msgspec",
        "re",
        "typing",
        "uuid",
    }


@pytest.mark.parametrize("layer", ROOMS)
def test_a_folder_imports_only_those_below_it(layer):
    root, order = LAYERS[layer], ROOMS[layer]
    upwards = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted(root.rglob("*.py"))
        if (room := path.relative_to(root).parts[0]) in order
        for name in imported(path)
        if name.startswith(f"{layer}.")
        and order.index(name.split(".")[1].removesuffix(".py")) > order.index(room)
    ]

    assert upwards == []
    assert {path.name for path in root.iterdir() if path.is_dir()} - {"__pycache__"} == set(order)


@pytest.mark.parametrize("path", [path for _, path in MODULES], ids=name_of)
def test_a_module_is_short_and_named_after_what_it_is_about(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX
    assert path.stem not in FORBIDDEN_NAMES


def test_nobody_in_the_domain_reads_the_clock():
    readers = {
        path.name
        for layer, path in MODULES
        if layer == "ledger" and re.search(r"\b(now|today)\(\)", path.read_text(encoding="utf-8"))
    }

    assert readers == set()


def test_nothing_committed_names_a_package_registry_or_this_machine():
    tracked = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  # Whichever git is here.
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("not a git checkout, so there is no list of what is committed")
    registry = re.compile(
        "|".join(["pypi" + r"\.org", "python" + "hosted", "npm" + "js", "/wor" + "k/"])
    )
    named = [
        name
        for name in tracked.stdout.splitlines()
        if (ROOT / name).is_file()
        and registry.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
    ]

    assert named == []
