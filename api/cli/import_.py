"""leifeng import"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, BinaryIO, cast
from uuid import UUID

import typer

from api.cli.shared import DataFolder, existing_ledger, progress
from api.kernel.desk import own_of
from api.kernel.feeds import Lines
from api.places import Places
from ledger.commands import Ledger
from ledger.feeds.feed import Feed
from ledger.feeds.orders import OrderFeed, ReturnFeed
from ledger.feeds.pledges import PledgeFeed
from ledger.kernel.aggregate import Act
from ledger.kernel.ids import new_id
from ledger.kernel.names import SaleId
from ledger.kernel.roles import Role, RoleForbidden
from ledger.people.caller import Caller
from ledger.people.identity import Identity
from projections.kernel.follow import Progress

SHOWN_MAX = 20
"""Rejected lines that are printed."""

PIECE_BYTES = 1024 * 1024
"""What is read of a file at a time."""


class What(StrEnum):
    """The kinds of lines that a file may hold."""

    DONATIONS = "donations"
    ORDERS = "orders"
    RETURNS = "returns"


FEEDS: Mapping[What, type[Feed[Any]]] = {
    What.DONATIONS: PledgeFeed,
    What.ORDERS: OrderFeed,
    What.RETURNS: ReturnFeed,
}
"""What takes in the lines of each kind."""

File = Annotated[typer.FileBinaryRead, typer.Argument(help="One JSON object a line; - to pipe it.")]
Sale = Annotated[UUID | None, typer.Option(help="Which sale orders and returns are of.")]
Name = Annotated[str, typer.Option("--person", help="Who records it, as their token names them.")]


def import_(
    what: Annotated[What, typer.Argument(metavar="|".join(What))],
    file: File,
    data: DataFolder,
    person: Name,
    sale: Sale = None,
) -> None:
    """Record a file of donations, orders or returns straight into the ledger.

    Lines are taken as the API takes them. Those that were taken before are counted and skipped,
    so an import that was interrupted is simply run again.
    """
    if (sale is None) != (what is What.DONATIONS):
        wrong = f"is needed for {what}" if sale is None else "is not for donations"
        raise typer.BadParameter(wrong, param_hint="--sale")
    places = Places.of(data)
    with (
        existing_ledger(data, writes=True) as ledger,
        closing(Identity(places.people, places.vault_key)) as identity,
        progress(f"importing {what}, bytes") as report,
    ):
        feed = _begin(what, ledger, sale, identity.callers(person.strip()))
        for lines in _chunks(file, report):
            feed.take_in(lines)
        feed.flush()
    _tell(feed)
    raise typer.Exit(1 if feed.refused else 0)


def _begin(what: What, ledger: Ledger, sale: UUID | None, callers: Sequence[Caller]) -> Feed[Any]:
    """Begin the feed of somebody who has the tokens of ``callers``."""
    act = _act(what, sale, callers)
    if what is What.DONATIONS:
        receives = any(Role.CASHIER in each.roles for each in callers)
        return PledgeFeed(ledger, act, receives=receives)
    kind = OrderFeed if what is What.ORDERS else ReturnFeed
    return kind(ledger, act, SaleId(cast("UUID", sale)))


def _act(what: What, sale: UUID | None, callers: Sequence[Caller]) -> Act:
    by = FEEDS[what].by
    for role in by:
        for caller in callers:
            own = own_of(caller, role)
            if role in caller.roles and (role is not Role.PARTNER or own == sale):
                return Act(caller.person, role.value, new_id(), datetime.now(UTC), own=own)
    raise RoleForbidden(by, says="--person has no token as {roles} for this")


def _chunks(file: BinaryIO, report: Progress) -> Iterator[list[bytes]]:
    """Read ``file`` in chunks of lines, however long it is; a pipe does not say how long."""
    size = os.fstat(file.fileno()).st_size
    lines, read = Lines(), 0
    while piece := file.read(PIECE_BYTES):
        yield from lines.more(piece)
        read += len(piece)
        report(read, max(read, size))  # type: ignore[arg-type]  # Bytes count like positions.
    yield from lines.end()


def _tell(feed: Feed[Any]) -> None:
    typer.echo(
        f"{feed.accepted:,} lines recorded, {feed.duplicates:,} known before, "
        f"{feed.refused:,} rejected"
    )
    for each in feed.rejected[:SHOWN_MAX]:
        typer.echo(f"line {each.line}: {each.code}: {each.detail}")
    if feed.refused > SHOWN_MAX:
        typer.echo(f"and {feed.refused - SHOWN_MAX:,} more")
