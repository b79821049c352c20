"""Evidence from the databases of a ledger, which may be served meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, Engine

from ledger.books.movements import COLUMNS
from ledger.store.recorder import Row, Store
from ledger.transparency.tiles import Tile
from projections.audit.evidence import Claim, Evidence, Words
from projections.audit.findings import Finding
from projections.kernel.view import as_of_now
from projections.log import tables
from projections.log.tables import Published
from projections.views.fund_balances import FundBalances, fund_balance, fund_rows
from projections.views.journal import Journal, account_turnovers

PAGE = 4_096
"""Events read at a time; bounds memory, not correctness."""


class NotSignedYet(Finding):
    """What was recorded is signed."""

    def __init__(self) -> None:
        super().__init__("no checkpoint was published yet; the first leifeng serve does that")


class Live(Evidence):
    """The evidence in the databases: stored events, published checkpoints, served figures."""

    def __init__(self, store: Store, log: Engine, views: Engine) -> None:
        self._store = store
        self._log = log
        self._views = views

    def checkpoint(self) -> bytes:
        """Return the newest checkpoint."""
        return self._newest().note

    def earlier(self) -> Iterator[tuple[str, bytes]]:
        """Return the checkpoints of this log that were published before."""
        newest = self._newest().checkpoint
        with self._log.connect() as connection:
            for each in tables.checkpoints(connection, newest.origin):
                if each.checkpoint.size < newest.size:
                    yield f"the checkpoint of {each.checkpoint.size}", each.note

    def tiles(self, tiles: Sequence[Tile]) -> Sequence[bytes]:
        """Return what is in these tiles."""
        with self._log.connect() as connection:
            return tables.tiles_reader(connection)(tiles)

    def rows(self) -> Iterator[Row]:
        """Return the events, in order, to the newest."""
        after = 0
        while page := list(self._store.rows(after, PAGE)):
            yield from page
            after = page[-1].position

    def claims(self) -> Iterable[Claim]:
        """Return what funds and accounts have, as it is served."""
        with as_of_now(self._views) as connection:
            return [_funds(connection), _accounts(connection)]

    def _newest(self) -> Published:
        with self._log.connect() as connection:
            name = tables.origin(connection)
            published = None if name is None else tables.newest(connection, name)
        if published is None:
            raise NotSignedYet
        return published


def _funds(connection: Connection) -> Claim:
    reached = FundBalances().reached(connection)
    figures: dict[Words, int] = {}
    for row in fund_rows(connection):
        balance = fund_balance(connection, row["fund"], reached)
        figures |= {(row["fund"], name): getattr(balance, name) for name in COLUMNS}
    return Claim("funds", reached, figures)


def _accounts(connection: Connection) -> Claim:
    figures: dict[Words, int] = {}
    for account, fund, debit, credit in account_turnovers(connection):
        figures |= {(account, fund, "debit"): debit, (account, fund, "credit"): credit}
    return Claim("accounts", Journal().reached(connection), figures)
