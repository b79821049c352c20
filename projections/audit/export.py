"""Writes the auditor's bundle."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import msgspec

from ledger.names import Position
from ledger.store.copying import NotEmpty
from ledger.store.form import StoredForm
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.leaf import leaf_of
from ledger.transparency.note import parse_note
from ledger.transparency.policy import Policy
from ledger.transparency.tiles import ENTRIES, WIDTH, Tile, pack_entries, tiles_of
from projections.audit import bundle
from projections.audit.evidence import Evidence, account_figures, fund_figures, history
from projections.exports import EXPORTS
from projections.fold import Books, take_in
from projections.follow import Progress, silent

TILES_AT_ONCE = 256
"""Tiles read at a time; bounds memory."""


def export(
    evidence: Evidence, policy: Policy, folder: Path, progress: Progress = silent
) -> Checkpoint:
    """Write a bundle of ``evidence``, up to its newest checkpoint; all of it, or nothing.

    Args:
        evidence: What is kept.
        policy: Whom to believe, as the log has it.
        folder: Where to; it must not exist, or be empty.
        progress: Told now and then how far it is.

    Returns:
        The checkpoint.

    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise NotEmpty(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        checkpoint = _write(evidence, policy, beside, progress)
        beside.chmod(0o755)
        beside.replace(folder)
    except BaseException:
        rmtree(beside, ignore_errors=True)
        raise
    return checkpoint


def _write(evidence: Evidence, policy: Policy, folder: Path, progress: Progress) -> Checkpoint:
    signed = evidence.checkpoint()
    checkpoint = parse_checkpoint(parse_note(signed).text)
    _put(folder / bundle.CHECKPOINT, signed)
    _put(folder / bundle.POLICY, policy.encode())
    for _, earlier in evidence.earlier():
        size = parse_checkpoint(parse_note(earlier).text).size
        _put(folder / bundle.CHECKPOINTS / str(size), earlier)
    _write_tiles(evidence, checkpoint.size, folder)
    books = _write_events(evidence, checkpoint.size, folder, progress)
    _put(folder / bundle.BALANCES, msgspec.json.format(msgspec.json.encode(_balances(books))))
    for form, path in bundle.BOOKS.items():
        with (folder / path).open("w", encoding="utf-8") as file:
            file.writelines(EXPORTS[form](history(evidence, checkpoint.size)))
    files = {path: bundle.digest(folder / path) or "" for path in bundle.DIGESTED}
    written = msgspec.json.encode(bundle.manifest(checkpoint, files))
    _put(folder / bundle.MANIFEST, msgspec.json.format(written))
    return checkpoint


def _write_tiles(evidence: Evidence, size: int, folder: Path) -> None:
    wanted = tiles_of(size)
    while some := list(islice(wanted, TILES_AT_ONCE)):
        for tile, content in zip(some, evidence.tiles(some), strict=True):
            _put(folder / tile.path, content)


def _write_events(evidence: Evidence, size: int, folder: Path, progress: Progress) -> Books:
    """Write events and entries; return what they add up to."""
    rows, books, form = islice(evidence.rows(), size), Books(), StoredForm()
    encode = msgspec.json.Encoder().encode
    with (folder / bundle.EVENTS).open("wb") as file:
        while some := list(islice(rows, WIDTH)):
            file.writelines(encode(bundle.line(row)) + b"\n" for row in some)
            entries = Tile(ENTRIES, (some[0].position - 1) // WIDTH, len(some))
            _put(folder / entries.path, pack_entries([leaf_of(*row).encode() for row in some]))
            take_in(books, ((row.position, row.topic, row.state) for row in some), form)
            progress(books.position, Position(size))
    return books


def _balances(books: Books) -> bundle.Balances:
    said = bundle.Balances(books.position, {}, {})
    for (fund, figure), amount in fund_figures(books).items():
        said.funds.setdefault(fund, {})[figure] = amount
    for (account, fund, side), amount in sorted(account_figures(books).items()):
        said.accounts.setdefault(account, {}).setdefault(fund, {})[side] = amount
    return said


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
