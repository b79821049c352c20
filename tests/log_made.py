"""A made-up history with its tree and checkpoints in memory, to be tampered with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from api.cli.demo_data.bulk import Bulk
from api.cli.demo_data.years import Years
from ledger.store.form import StoredForm
from ledger.store.recorder import Row
from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.leaf import leaf_of
from ledger.transparency.merkle import leaf_hash, root
from ledger.transparency.note import Signer
from ledger.transparency.policy import Policy
from ledger.transparency.tiles import Tile, grow, hash_reader
from projections.audit.evidence import Claim, Evidence, Words, account_figures, fund_figures
from projections.kernel.follow import silent
from projections.replay.fold import Books, take_in

SIGNER = Signer("charity.example/ledger", b"s" * 32)
STRANGER = Signer("charity.example/ledger", b"x" * 32)
TRUST = Policy((SIGNER.verifier,))


@cache
def years(events: int) -> tuple[Row, ...]:
    """Return the rows of a made-up history."""
    with TemporaryDirectory() as folder, closing(Bulk(Path(folder) / "ledger.db")) as ledger:
        Years(ledger, events=events, seed=7).live(silent)
        return tuple(
            Row(each.id, str(each.originator_id), each.originator_version, each.topic, each.state)
            for each in ledger.store.history(0, 2 * events)
        )


def tree_of(rows: Sequence[Row]) -> dict[Tile, bytes]:
    """Return the tiles of a history."""
    return dict(grow(0, [leaf_hash(leaf_of(*row).encode()) for row in rows], {}))


def signed(rows: Sequence[Row], signer: Signer = SIGNER) -> bytes:
    """Return the checkpoint of a history."""
    tiles = tree_of(rows)
    top = root(len(rows), hash_reader(len(rows), lambda nodes: [tiles[each] for each in nodes]))
    return Checkpoint(signer.verifier.name, len(rows), top).sign(signer).encode()


def figures(rows: Sequence[Row]) -> list[Claim]:
    """Return what a history adds up to."""
    books = Books()
    take_in(books, ((row.position, row.topic, row.state) for row in rows), StoredForm())
    return [
        Claim("funds", books.position, fund_figures(books)),
        Claim("accounts", books.position, account_figures(books)),
    ]


class Made(Evidence):
    """Evidence in memory. Its parts may be changed one by one."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.stored = list(rows)
        self.tree = tree_of(rows)
        self.signed = signed(rows)
        self.published: dict[str, bytes] = {}
        self.claimed = figures(rows)

    def checkpoint(self) -> bytes:
        return self.signed

    def earlier(self) -> Iterator[tuple[str, bytes]]:
        yield from self.published.items()

    def tiles(self, tiles: Sequence[Tile]) -> Sequence[bytes]:
        return [self.tree.get(each, b"") for each in tiles]

    def rows(self) -> Iterator[Row]:
        yield from self.stored

    def claims(self) -> Iterable[Claim]:
        return self.claimed

    def edit(self, position: int, old: bytes, new: bytes) -> None:
        """Change some bytes of an event."""
        row = self.stored[position - 1]
        assert old in row.state
        self.stored[position - 1] = row._replace(state=row.state.replace(old, new))

    def first(self, topic: str) -> Row:
        """Return the first event of a kind."""
        return next(row for row in self.stored if row.topic == topic)


def changed(claim: Claim, words: Words, by: int) -> Claim:
    """Return a claim with one figure changed."""
    return claim._replace(figures={**claim.figures, words: claim.figures.get(words, 0) + by})
