"""What is installed is what is pinned, and each pin names the very files by their hashes."""

import ast
import re
import sys
from importlib.metadata import distributions, packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.pins import (
    DEVELOPED,
    HOUSE,
    OURS,
    SERVED,
    bounded,
    bounds,
    developed,
    pins,
    served,
    versions,
)

BROUGHT = {OURS, "pip", "setuptools", "wheel"}
"""Ourselves, and what a new environment has before anything is installed."""

PROGRAM = ("api", "projections", "src")
OUR_MODULES = {"api", "ledger", "projections"}


def pinned_here(name):
    """Return the version of each package that a list gives this platform and Python."""
    here = [pin for pin, _ in pins(name) if pin.marker is None or pin.marker.evaluate()]
    version = {canonicalize_name(pin.name): str(pin.specifier)[2:] for pin in here}
    assert len(version) == len(here), f"{name} pins a package twice"
    return version


def names(requirements):
    return {canonicalize_name(Requirement(each).name) for each in requirements}


def needed(requirements):
    """Return the packages that requirements lead to here, their extras' included."""
    seen, todo = set(), [Requirement(each) for each in requirements]
    while todo:
        each = todo.pop()
        key = (canonicalize_name(each.name), frozenset(each.extras))
        if key in seen or (each.marker and not each.marker.evaluate()):
            continue
        seen.add(key)
        for line in requires(each.name) or ():
            further = Requirement(line)
            extras = each.extras or {""}
            if further.marker is None or any(
                further.marker.evaluate({"extra": extra}) for extra in extras
            ):
                further.marker = None
                todo.append(further)
    return {name for name, _ in seen}


@pytest.mark.parametrize("name", [SERVED, DEVELOPED])
def test_each_pin_is_one_version_and_its_files(name):
    loose = [
        str(pin)
        for pin, hashes in pins(name)
        if not re.fullmatch(r"==[^*,]+", str(pin.specifier))
        or pin.url
        or not hashes
        or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
    ]

    assert list(pins(name))
    assert loose == []


def test_what_is_installed_is_what_is_pinned():
    installed = {canonicalize_name(each.name): each.version for each in distributions()}

    assert {name: installed[name] for name in installed.keys() - BROUGHT} == pinned_here(DEVELOPED)


def test_what_is_served_is_what_is_tried():
    tried = {str(pin): hashes for pin, hashes in pins(DEVELOPED)}

    assert [pin for pin, hashes in pins(SERVED) if tried.get(str(pin)) != hashes] == []


def test_what_is_served_is_what_a_server_needs_and_no_more():
    assert pinned_here(SERVED).keys() == needed(served())


def test_what_the_program_imports_is_asked_for():
    homes, known = packages_distributions(), names(served())
    missing = {
        f"{path.relative_to(HOUSE)}: {module}"
        for folder in PROGRAM
        for path in (HOUSE / folder).rglob("*.py")
        for module in imports(path)
        if not known & {canonicalize_name(each) for each in homes.get(module, ())}
    }

    assert missing == set()


def imports(path):
    """Yield the top module of each import of a file that is neither ours nor Python's own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=aliases):
                modules = [each.name for each in aliases]
            case ast.ImportFrom(module=str(module), level=0):
                modules = [module]
            case _:
                continue
        tops = {each.partition(".")[0] for each in modules}
        yield from tops - OUR_MODULES - sys.stdlib_module_names


def test_the_bounds_follow_from_the_pins():
    pinned = versions()
    right = {each: bounded(each, pinned) for each in developed()}

    assert {each: line for each, line in right.items() if each != line} == {}, "./run pins"


def test_whatever_is_exact_is_pinned_to_it():
    pinned = versions()
    missed = [
        each
        for each in map(Requirement, developed())
        if not any(each.specifier.contains(at) for at in pinned[canonicalize_name(each.name)])
    ]

    assert missed == []


@pytest.mark.parametrize(
    ("name", "pinned", "specifier"),
    [
        ("rich", ["15.0.0"], ">=15.0,<16"),
        ("typer", ["0.29.2"], ">=0.29,<0.30"),
        ("starlette", ["1.10.0"], ">=1.10,<1.11"),
        ("tzdata", ["2026.6"], ">=2026.6"),
        ("oidc-provider-mock", ["0.3.4", "0.4.8"], ">=0.3,<0.5"),
    ],
)
def test_bounds(name, pinned, specifier):
    assert bounds(name, [Version(each) for each in pinned]) == specifier


def test_extras_and_markers_stay():
    pinned = {"psycopg": [Version("3.3.9")], "uvloop": [Version("0.23.0")]}

    assert bounded("psycopg[binary,pool]", pinned) == "psycopg[binary,pool]>=3.3,<4"
    assert bounded("uvloop; os_name == 'nt'", pinned) == "uvloop>=0.23,<0.24; os_name == 'nt'"
    assert bounded("eventsourcing==9.5.6", pinned) == "eventsourcing==9.5.6"
