"""What is installed is what is pinned, and each pin names the very files by their hashes."""

import re
import tomllib
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import HOUSE

OURS = "leifeng-ledger"
BROUGHT = {OURS, "pip", "setuptools"}
"""Ourselves, and what a new environment has before anything is installed."""

PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"].values()
ASKED = [Requirement(each) for each in sum(EXTRAS, PROJECT["dependencies"])]


def pins():
    """Return each pin as it is written, with its hashes."""
    text = (HOUSE / "constraints.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        said, *hashes = line.split(" --hash=")
        yield Requirement(said.strip()), [each.strip() for each in hashes]


PINS = [pytest.param(*each, id=str(each[0])) for each in pins()]


@pytest.mark.parametrize(("pin", "hashes"), PINS)
def test_a_pin_is_one_version_and_its_files(pin, hashes):
    (version,) = pin.specifier

    assert version.operator == "=="
    assert "*" not in version.version
    assert pin.url is None
    assert hashes
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)


def test_what_is_installed_is_what_is_pinned():
    here = [pin for pin, _ in pins() if pin.marker is None or pin.marker.evaluate()]
    pinned = {canonicalize_name(each.name): str(each.specifier)[2:] for each in here}
    installed = {canonicalize_name(each.name): each.version for each in distributions()}

    assert len(pinned) == len(here), "a package is pinned twice"
    assert {name: installed[name] for name in installed.keys() - BROUGHT} == pinned


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_whatever_we_ask_for_is_pinned_to_what_we_ask_for(asked):
    found = [
        pin for pin, _ in pins() if canonicalize_name(pin.name) == canonicalize_name(asked.name)
    ]

    assert found or asked.name == OURS
    assert asked.name == OURS or any(
        asked.specifier.contains(each.version) for pin in found for each in pin.specifier
    )
