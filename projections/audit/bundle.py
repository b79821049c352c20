"""The auditor's bundle: a folder of plain files with all that an audit takes, and no more.

=================== ==============================================================================
``checkpoint``      the newest, a C2SP tlog-checkpoint with all its signatures
``checkpoints/``    those that were published before, by their sizes
``tile/``           the tree and its entries, as C2SP tlog-tiles has them
``events.ndjson``   the events: ``{"nid","oid","over","topic","state"}`` a line, the state in base64
``policy``          the log's keys and witnesses as it knows them (C2SP tlog-policy); not to be
                    trusted on its own word
``books/``          what the accounting manual makes of the events, for other people's tools
``manifest.json``   what this is, and the SHA-256 of each file that nothing else vouches for
=================== ==============================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import file_digest
from itertools import count
from pathlib import Path
from typing import IO, TypeVar
from uuid import UUID

import msgspec

from ledger.kernel.errors import LedgerError
from ledger.kernel.names import Position
from ledger.store.recorder import Row
from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.note import NOTE_BYTES_MAX
from ledger.transparency.tiles import ENTRY_MAX, WIDTH, Tile
from projections.audit.evidence import Claim, Evidence, Words, history
from projections.audit.findings import BookDiffers, FileDiffers, Finding
from projections.exports.plain_text import EXPORTS

CHECKPOINT = "checkpoint"
CHECKPOINTS = "checkpoints"
EVENTS = "events.ndjson"
POLICY = "policy"
MANIFEST = "manifest.json"
BALANCES = "books/balances.json"
BOOKS = {"beancount": "books/ledger.beancount", "hledger": "books/ledger.journal"}

DIGESTED = (EVENTS, POLICY, BALANCES, *BOOKS.values())
"""Files whose SHA-256 is in the manifest. The others are vouched for by the checkpoint."""

FORM = 1
"""The form of the bundle."""

LINE_BYTES_MAX = 16 * 1024 * 1024
"""Bytes of the longest line that is read as an event."""

TILE_BYTES_MAX = WIDTH * (ENTRY_MAX + 2) + 1
"""Bytes of the longest bundle of entries, and one more: what is longer is none."""

T = TypeVar("T")


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of ``events.ndjson``."""

    nid: int
    oid: UUID
    over: int
    topic: str
    state: bytes


def line(row: Row) -> Line:
    """Return the line of an event."""
    return Line(row.position, UUID(row.stream), row.version, row.topic, row.state)


def _row(line: Line) -> Row:
    return Row(Position(line.nid), str(line.oid), line.over, line.topic, line.state)


class Balances(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``books/balances.json``: figures in fen, by fund, and by account, fund and side."""

    position: Position
    funds: dict[str, dict[str, int]]
    accounts: dict[str, dict[str, dict[str, int]]]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``manifest.json``.

    Attributes:
        form: Of the bundle.
        origin: The log.
        size: Events that were signed, all of which are here.
        root: Of their tree, in hexadecimal.
        files: SHA-256 of files, in hexadecimal, by their paths.

    """

    form: int
    origin: str
    size: int
    root: str
    files: dict[str, str]


class NotABundle(LedgerError):
    """An audit's folder has a checkpoint and events in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is not a bundle: it has no {CHECKPOINT} or no {EVENTS}")


class Bundle(Evidence):
    """A bundle, read without believing it."""

    def __init__(self, folder: Path) -> None:
        if not all((folder / name).is_file() for name in (CHECKPOINT, EVENTS)):
            raise NotABundle(folder)
        self._folder = folder

    def checkpoint(self) -> bytes:
        """Return the newest checkpoint."""
        return self._note(CHECKPOINT)

    def earlier(self) -> Iterator[tuple[str, bytes]]:
        """Return the earlier checkpoints, by their sizes."""
        paths = (self._folder / CHECKPOINTS).glob("[0-9]*")
        for path in sorted(paths, key=lambda path: (len(path.name), path.name)):
            name = f"{CHECKPOINTS}/{path.name}"
            yield name, self._note(name)

    def tiles(self, tiles: Sequence[Tile]) -> Sequence[bytes]:
        """Return what is in these tiles."""
        return [self._content(tile.path) for tile in tiles]

    def entries(self, bundle: Tile) -> bytes:
        """Return what is in a bundle of entries."""
        return self._content(bundle.path)

    def rows(self) -> Iterator[Row]:
        """Return the events."""
        decode = msgspec.json.Decoder(Line).decode
        with self._opened(EVENTS) as file:
            for number in count(1):
                line = file.readline(LINE_BYTES_MAX)
                if not line:
                    return
                try:
                    yield _row(decode(line))
                except (msgspec.MsgspecError, UnicodeError) as error:
                    raise FileDiffers(f"{EVENTS}, line {number}", error) from None

    def claims(self) -> Iterable[Claim]:
        """Return the figures of funds and of accounts."""
        balances = self._read(BALANCES, Balances)
        accounts: dict[Words, int] = {
            (account, fund, side): amount
            for account, funds in balances.accounts.items()
            for fund, sides in funds.items()
            for side, amount in sides.items()
        }
        funds: dict[Words, int] = {
            (fund, figure): amount
            for fund, figures in balances.funds.items()
            for figure, amount in figures.items()
        }
        return Claim("funds", balances.position, funds), Claim(
            "accounts", balances.position, accounts
        )

    def beside(self, checkpoint: Checkpoint) -> Iterator[Finding]:
        """Examine what is here for other people's tools, once the events are known to be right."""
        try:
            yield from self._manifest(checkpoint)
            for form, path in BOOKS.items():
                yield from self._book(path, EXPORTS[form](history(self, checkpoint.size)))
        except Finding as finding:
            yield finding

    def _manifest(self, checkpoint: Checkpoint) -> Iterator[Finding]:
        stated = self._read(MANIFEST, Manifest)
        if stated != manifest(checkpoint, stated.files):
            yield FileDiffers(MANIFEST, "it is of another checkpoint, or of another form")
        for path in DIGESTED:
            if stated.files.get(path) != digest(self._folder / path):
                yield FileDiffers(path, "its SHA-256 is not that in the manifest")

    def _book(self, path: str, ought: Iterable[str]) -> Iterator[Finding]:
        line = 1
        with self._opened(path) as file:
            for text in ought:
                if file.read(len(text.encode())) != text.encode():
                    yield BookDiffers(path, line)
                    return
                line += text.count("\n")
            if file.read(1):
                yield BookDiffers(path, line)

    def _note(self, path: str) -> bytes:
        with self._opened(path) as file:
            return file.read(NOTE_BYTES_MAX + 1)

    def _content(self, path: str) -> bytes:
        """Return what is in a tile, as far as a tile goes; nothing if it is missing."""
        file = self._folder / path
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(TILE_BYTES_MAX)

    def _read(self, path: str, kind: type[T]) -> T:
        with self._opened(path) as file:
            try:
                return msgspec.json.decode(file.read(), type=kind)
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                raise FileDiffers(path, error) from None

    @contextmanager
    def _opened(self, path: str) -> Iterator[IO[bytes]]:
        try:
            file = (self._folder / path).open("rb")
        except OSError as error:
            raise FileDiffers(path, error.strerror or error) from None
        with file:
            yield file


def digest(path: Path) -> str | None:
    """Return the SHA-256 of a file in hexadecimal; nothing if there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def manifest(checkpoint: Checkpoint, files: dict[str, str]) -> Manifest:
    """Return the manifest of a bundle."""
    return Manifest(FORM, checkpoint.origin, checkpoint.size, checkpoint.root.hex(), files)
