"""The import rule, and the habits that a reader relies on.

``api -> projections -> ledger``, never back; aggregates know neither each other's books nor the
store; one door to the event-sourcing library.
"""

import ast
import re
import subprocess
from graphlib import TopologicalSorter

import pytest

from tests.folders import HOUSE

LAYERS = {
    "ledger": HOUSE / "src/ledger",
    "projections": HOUSE / "projections",
    "api": HOUSE / "api",
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
    "api": ("processes", "kernel", "gate", "sso", "routes", "pages", "cli"),
    "api.pages": ("kit", "public", "donor", "desk", "audit", "account"),
}
"""The folders of each part, from the bottom up: each imports only itself and those before it."""

LINES_MAX = 400
AGGREGATE_LINES_MAX = 330
FORBIDDEN_NAMES = {"utils", "helpers", "manager", "service", "services", "handlers", "common"}

PARTICIPLES = {"said", "found", "told", "wanted", "asked", "shown"}
NAMED_BY_NOUNS = ("api", "bench", "projections", "src/ledger")
"""The folders whose data is named by nouns: fields, body, row, text, match."""
PUBLISHED = {
    "src/ledger/aggregates/donations/rules.py": {"wanted"},
    "src/ledger/aggregates/funds.py": {"wanted"},
    "src/ledger/kernel/payments.py": {"wanted"},
    "src/ledger/store/leaves.py": {"found"},
}
"""Facts of problem documents, which keep the names by which programs read them."""

MODULES = [(layer, path) for layer, root in LAYERS.items() for path in sorted(root.rglob("*.py"))]


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def packages(path):
    return {name.split(".")[0] for name in imported(path)}


def test_imports_point_inwards():
    outwards = {
        str(path.relative_to(HOUSE)): names
        for layer, path in MODULES
        if (names := FORBIDDEN[layer] & packages(path))
    }

    assert outwards == {}


def test_the_event_sourcing_library_has_few_doors():
    users = {
        str(path.relative_to(LAYERS["ledger"]))
        for _, path in MODULES
        if "eventsourcing" in packages(path)
    }

    assert {each for each in users if not each.startswith("store/")} == {
        "commands/application.py",
        "commands/records.py",
    }


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


@pytest.mark.parametrize("house", ROOMS)
def test_a_folder_imports_only_those_below_it(house):
    layer, _, inner = house.partition(".")
    root, order = LAYERS[layer] / inner, ROOMS[house]
    upwards = [
        f"{path.relative_to(HOUSE)} imports {name}"
        for path in sorted(root.rglob("*.py"))
        if (room := path.relative_to(root).parts[0]) in order
        for name in imported(path)
        if (other := name.removeprefix(f"{house}.").split(".")[0]) in order
        and name.startswith(f"{house}.")
        and order.index(other) > order.index(room)
    ]

    assert upwards == []
    assert {path.name for path in root.iterdir() if path.is_dir()} - {"__pycache__"} == set(order)


def imports_of(path):
    """Return the modules of ours that a module imports, also those it imports for types alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield node.module
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_module_knows_one_that_knows_it():
    names = {}
    for layer, path in MODULES:
        inner = path.relative_to(LAYERS[layer]).with_suffix("").parts
        names[".".join((layer, *inner)).removesuffix(".__init__")] = path

    graph = {
        name: {each for each in imports_of(path) if each in names} - {name}
        for name, path in names.items()
        if path.name != "__init__.py"
    }

    TopologicalSorter(graph).prepare()  # Names the circle, if there is one.


def test_a_module_is_short():
    long = {
        str(path.relative_to(HOUSE)): lines
        for _, path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines()))
        > (AGGREGATE_LINES_MAX if "aggregates" in path.parts else LINES_MAX)
    }

    assert long == {}


def test_a_module_is_named_after_what_it_is_about():
    assert {path.stem for _, path in MODULES} & FORBIDDEN_NAMES == set()


def data_names(path):
    """Yield what a module calls its variables, parameters and attributes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name


@pytest.mark.parametrize("folder", NAMED_BY_NOUNS)
def test_data_is_named_by_a_noun(folder):
    """``query``, not ``asked``: a participle says what was done with a thing, not what it is."""
    participles = {
        (name, word)
        for path in sorted((HOUSE / folder).rglob("*.py"))
        if (name := str(path.relative_to(HOUSE)))
        for word in PARTICIPLES & set(data_names(path)) - PUBLISHED.get(name, set())
    }

    assert participles == set()


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
        cwd=HOUSE,
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
        if (HOUSE / name).is_file()
        and registry.search((HOUSE / name).read_text(encoding="utf-8", errors="replace"))
    ]

    assert named == []
