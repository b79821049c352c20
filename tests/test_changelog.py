"""One version is stated in pyproject.toml, and what readers are told of versions follows it."""

import re
import tomllib
from importlib.metadata import version

from tests.pins import HOUSE, OURS, PYPROJECT

VERSION = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["version"]


def test_the_changelog_begins_with_this_version():
    text = (HOUSE / "CHANGELOG.md").read_text(encoding="utf-8")

    assert re.findall(r"^## (\d+\.\d+\.\d+)\b", text, re.MULTILINE)[0] == VERSION


def test_this_version_is_supported():
    policy = (HOUSE / "SECURITY.md").read_text(encoding="utf-8")

    assert f"| {VERSION.rpartition('.')[0]} | yes |" in policy


def test_what_is_installed_is_this_version():
    assert version(OURS) == VERSION
