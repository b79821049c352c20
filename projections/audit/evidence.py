"""The evidence of an audit, whichever way it is stored: in a folder of files or in databases."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from ledger.store.form import StoredForm
from ledger.store.recorder import Row
from ledger.transparency.tiles import Tile
from projections.replay.fold import Books

Words = tuple[str, ...]
"""What names a figure: a fund and a figure of it, or an account, a fund and a side."""


class Claim(NamedTuple):
    """Figures that are shown to people, and the event that they are as good as.

    Attributes:
        what: They are figures of: ``funds`` or ``accounts``.
        position: The event.
        figures: In fen, each by the words that name it.

    """

    what: str
    position: Position
    figures: Mapping[Words, int]


class Evidence(ABC):
    """A history, the signatures over it, and the figures published from it."""

    @abstractmethod
    def checkpoint(self) -> bytes:
        """Return the newest checkpoint."""

    @abstractmethod
    def earlier(self) -> Iterator[tuple[str, bytes]]:
        """Return the checkpoints that were published before, each with what to call it."""

    @abstractmethod
    def tiles(self, tiles: Sequence[Tile]) -> Sequence[bytes]:
        """Return what is in these tiles; nothing for one that is missing."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Return the events, in order; there may be more than were signed."""

    @abstractmethod
    def claims(self) -> Iterable[Claim]:
        """Return the figures that are shown."""

    def entries(self, bundle: Tile) -> bytes | None:
        """Return what is in a bundle of entries; ``None`` where no bundles are kept."""
        del bundle
        return None


def history(evidence: Evidence, until: int) -> Iterator[tuple[Position, Fact]]:
    """Return the first ``until`` events, read."""
    form = StoredForm()
    for row in islice(evidence.rows(), until):
        yield row.position, form.read(row.topic, row.state)


def fund_figures(books: Books) -> dict[Words, int]:
    """Return what each fund has, by fund and figure; without those that are nothing."""
    return {
        (fund, name): value
        for fund, figures in books.balances().items()
        for name in figures.__struct_fields__
        if (value := getattr(figures, name))
    }


def account_figures(books: Books) -> dict[Words, int]:
    """Return the debits and credits of each account and fund, without those that are nothing."""
    figures: dict[Words, int] = {}
    for (account, fund, _), sides in books.accounts.items():
        for side, amount in zip(("debit", "credit"), sides, strict=True):
            if amount:
                key = (account, fund, side)
                figures[key] = figures.get(key, 0) + amount
    return figures


FIGURES = {"funds": fund_figures, "accounts": account_figures}
"""What the events come to, by what a claim may be of."""
