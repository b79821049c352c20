"""The project's documents, read as a reader and a browser read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.folders import HOUSE

_FENCED = re.compile(
    r"^```(?P<language>\w*)[ ]*(?P<name>\S*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"(src|api|projections|tests|bench|docs|\.ci)/\S*|[\w-]+\.(md|toml|txt)")
_LABEL = re.compile(r"\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Block:
    """A fenced example: its language, the name of the file it is saved as, and its text."""

    language: str
    name: str
    text: str


@dataclass(frozen=True)
class Document:
    """A Markdown file of the project."""

    path: Path

    @cached_property
    def text(self) -> str:
        """What the file contains."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its fenced examples."""
        return _FENCED.sub("", self.text)

    @property
    def blocks(self) -> list[Block]:
        """The fenced examples, in their order."""
        return [Block(**match.groupdict()) for match in _FENCED.finditer(self.text)]

    @property
    def links(self) -> list[str]:
        """Where its links and pictures lead, without those to the web."""
        return [link for link in _LINK.findall(self.prose) if "://" not in link]

    @property
    def places(self) -> list[str]:
        """The files and folders of the project that its prose names, from the project's folder."""
        return [code for code in _CODE.findall(self.prose) if _PLACE.fullmatch(code)]

    @property
    def anchors(self) -> set[str]:
        """The fragments by which its headings are linked to, as GitHub makes them."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}


def documents() -> list[Document]:
    """Return every document that the project has."""
    return [Document(path) for path in sorted([*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")])]


def _anchor(heading: str) -> str:
    words = _LABEL.sub(r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
