"""Writes the auditor's bundle: into a folder, or one file after another to whoever asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import TypeVar

import msgspec

from ledger.kernel.names import Position
from ledger.store.copying import NotEmpty
from ledger.store.form import StoredForm
from ledger.store.recorder import Row
from ledger.transparency.checkpoint import parse_checkpoint
from ledger.transparency.leaf import leaf_of
from ledger.transparency.note import parse_note
from ledger.transparency.policy import Policy
from ledger.transparency.tiles import ENTRIES, WIDTH, Tile, pack_entries, tiles_of
from projections.audit import bundle
from projections.audit.evidence import Evidence, account_figures, fund_figures, history
from projections.exports.plain_text import EXPORTS
from projections.kernel.follow import Progress, silent
from projections.replay.fold import Books, take_in

TILES_AT_ONCE = 256
"""Tiles read at a time; bounds memory."""

READINGS = 2 + len(bundle.BOOKS)
"""Times that the events are read: for their lines, for the entries, and for each of the books."""

T = TypeVar("T")


class Export:
    """A bundle of some evidence, up to its newest checkpoint.

    Attributes:
        checkpoint: The newest; it is found when this is made, and what comes later is not in it.

    """

    def __init__(self, evidence: Evidence, policy: Policy, progress: Progress = silent) -> None:
        """Begin a bundle.

        Args:
            evidence: What is kept.
            policy: Whom to believe, as the log has it.
            progress: Told now and then how many events were read, of all that will be: each is
                read anew for the lines, for the entries, and for each of the books.

        """
        self._evidence = evidence
        self._policy = policy
        self._progress = progress
        self._signed = evidence.checkpoint()
        self.checkpoint = parse_checkpoint(parse_note(self._signed).text)
        self._books = Books()
        self._digests: dict[str, str] = {}
        self._read = 0

    def files(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Yield path and content of each file, once; each is to be taken whole before the next.

        Nothing is held but the figures, so a bundle can be larger than memory and disk.
        """
        yield bundle.CHECKPOINT, [self._signed]
        yield bundle.POLICY, self._digested(bundle.POLICY, [self._policy.encode()])
        for _, earlier in self._evidence.earlier():
            size = parse_checkpoint(parse_note(earlier).text).size
            yield f"{bundle.CHECKPOINTS}/{size}", [earlier]
        yield from self._tiles()
        yield bundle.EVENTS, self._digested(bundle.EVENTS, self._events())
        yield from self._entries()
        yield bundle.BALANCES, self._digested(bundle.BALANCES, [_balances(self._books)])
        for form, path in bundle.BOOKS.items():
            facts = self._reading(history(self._evidence, self.checkpoint.size))
            yield path, self._digested(path, (text.encode() for text in EXPORTS[form](facts)))
        manifest = bundle.manifest(self.checkpoint, self._digests)
        yield bundle.MANIFEST, [msgspec.json.format(msgspec.json.encode(manifest))]

    def _tiles(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        tiles = tiles_of(self.checkpoint.size)
        while some := list(islice(tiles, TILES_AT_ONCE)):
            for tile, content in zip(some, self._evidence.tiles(some), strict=True):
                yield tile.path, [content]

    def _events(self) -> Iterator[bytes]:
        """Yield the lines of the events, and add up what these come to."""
        encode, form = msgspec.json.Encoder().encode, StoredForm()
        for rows in self._rows():
            yield b"".join(encode(bundle.line(row)) + b"\n" for row in rows)
            take_in(self._books, ((row.position, row.topic, row.state) for row in rows), form)

    def _entries(self) -> Iterator[tuple[str, Iterable[bytes]]]:
        for number, rows in enumerate(self._rows()):
            entries = pack_entries([leaf_of(*row).encode() for row in rows])
            yield Tile(ENTRIES, number, len(rows)).path, [entries]

    def _rows(self) -> Iterator[list[Row]]:
        rows = self._reading(islice(self._evidence.rows(), self.checkpoint.size))
        while some := list(islice(rows, WIDTH)):
            yield some

    def _reading(self, events: Iterable[T]) -> Iterator[T]:
        """Yield ``events``, and tell how far all the readings are."""
        goal = Position(self.checkpoint.size * READINGS)
        for each in events:
            self._read += 1
            if self._read % WIDTH == 0 or self._read == goal:
                self._progress(Position(self._read), goal)
            yield each

    def _digested(self, path: str, content: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``content``, and note its digest for the manifest."""
        digest = sha256()
        for piece in content:
            digest.update(piece)
            yield piece
        self._digests[path] = digest.hexdigest()


def write(export: Export, folder: Path) -> None:
    """Write a bundle into ``folder``, which must not exist, or be empty; all of it, or nothing."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for path, content in export.files():
            file = beside / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("wb") as opened:
                opened.writelines(content)
        beside.chmod(0o755)
        beside.replace(folder)
    except BaseException:
        rmtree(beside, ignore_errors=True)
        raise


def _balances(books: Books) -> bytes:
    balances = bundle.Balances(books.position, {}, {})
    for (fund, figure), amount in fund_figures(books).items():
        balances.funds.setdefault(fund, {})[figure] = amount
    for (account, fund, side), amount in sorted(account_figures(books).items()):
        balances.accounts.setdefault(account, {}).setdefault(fund, {})[side] = amount
    return msgspec.json.format(msgspec.json.encode(balances))
