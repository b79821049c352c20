"""``python -m tests.pins`` writes the bounds in pyproject.toml that follow from what is pinned.

A bound admits what was tried and what its author promises to keep like it: from the minor version
that is pinned to before the next major one, or, while the major version is 0, the next minor one.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

OURS = "leifeng-ledger"
HOUSE = Path(__file__).parent.parent
PYPROJECT = HOUSE / "pyproject.toml"

SERVED = "constraints.txt"
"""What a server needs, and what installs it."""

DEVELOPED = "constraints-dev.txt"
"""The same, and what tests, checks and measures it."""

INSIDES = {"fastapi", "httptools", "starlette", "uvicorn"}
"""We subclass what these keep to themselves, so their next minor version may break us."""

CALENDAR = 1900
"""A version that begins with a year promises nothing by it, and has no upper bound."""


def pins(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each pin of a list and the hashes of its files; all else in it is a comment."""
    text = (HOUSE / name).read_text(encoding="utf-8").replace("\\\n", " ")
    for line in filter(None, (each.partition("#")[0] for each in text.splitlines())):
        pin, *hashes = line.split(" --hash=")
        yield Requirement(pin.strip()), [each.strip() for each in hashes]


def versions() -> dict[str, list[Version]]:
    """Return the pinned versions of each package; there are several where markers differ."""
    pinned: dict[str, list[Version]] = {}
    for pin, _ in pins(DEVELOPED):
        pinned.setdefault(canonicalize_name(pin.name), []).extend(
            Version(each.version) for each in pin.specifier
        )
    return pinned


def bounds(name: str, pinned: list[Version]) -> str:
    """Return the specifier that follows from the pinned versions of a package."""
    low, high = min(pinned), max(pinned)
    lower = f">={low.major}.{low.minor}"
    if high.major >= CALENDAR:
        return lower
    if high.major == 0 or name in INSIDES:
        return f"{lower},<{high.major}.{high.minor + 1}"
    return f"{lower},<{high.major + 1}"


def bounded(requirement: str, pinned: Mapping[str, list[Version]]) -> str:
    """Return a requirement with its bounds; one that is exact stays so.

    Raises:
        KeyError: The package is not pinned.

    """
    parsed = Requirement(requirement)
    if any(each.operator == "==" for each in parsed.specifier):
        return requirement
    name = canonicalize_name(parsed.name)
    package, semicolon, marker = requirement.partition(";")
    with_extras = re.split("[<>]", package, maxsplit=1)[0]
    return with_extras + bounds(name, pinned[name]) + semicolon + marker


def served() -> list[str]:
    """Return the requirements of a server with all its extras, and of what installs it."""
    project, groups = _tables()
    extras = chain.from_iterable(project["optional-dependencies"].values())
    return [*project["dependencies"], *extras, *groups["build"]]


def developed() -> list[str]:
    """Return every requirement, those of development included."""
    _, groups = _tables()
    return served() + [each for each in groups["dev"] if isinstance(each, str)]


def _tables():
    document = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    return document["project"], document["dependency-groups"]


def main() -> None:
    """Write each requirement's bounds into pyproject.toml."""
    text, pinned = PYPROJECT.read_text(encoding="utf-8"), versions()
    for each in developed():
        text = text.replace(f'"{each}"', f'"{bounded(each, pinned)}"')
    PYPROJECT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
