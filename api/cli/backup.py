"""leifeng backup and leifeng restore"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from api.cli.shared import DataFolder, existing_ledger, progress
from api.places import Places
from ledger.commands import Ledger
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import PartyId, Position
from ledger.people.copying import sealed_under
from ledger.people.database import PeopleDatabase
from ledger.people.erasure import erase, erased
from ledger.people.keys import KeyFile
from ledger.store import open_store
from ledger.store.backup import Damaged, copy_file, dump, is_dump, load
from ledger.store.copying import NotEmpty
from projections.kernel.follow import Progress
from projections.replay.rebuild import rebuild
from projections.replay.replay import replay
from projections.views.every import all_views
from projections.views.opening import open_views

KEPT = ("ledger.db", "people.db")
"""The files of a ledger that cannot be made again, in the order in which they are taken.

Whatever an event says of a person was in the register before the event was written.
"""

LOG = "log.db"
"""The public log, if there is one. It is taken first, so that it has no event that is not saved.

Its secret key is not taken: a backup may be in many hands. It is kept apart, with what it signed.
"""

_ALSO = "with the register of people and the log, without the log's key"

OURS_ALONE = 0o700
"""Who may look into a folder with personal data in it."""

Output = Annotated[
    Path, typer.Option("-o", "--output", help="The folder to make, or for PostgreSQL the file.")
]
Saved = Annotated[Path, typer.Argument(help="What leifeng backup made.", exists=True)]


class NoBackup(LedgerError):
    """What is restored was made by leifeng backup, for the same kind of store."""

    def __init__(self, saved: Path, kind: str) -> None:
        super().__init__(f"{saved} is not {kind}")


def backup(data: DataFolder, output: Output) -> None:
    """Copy a ledger as it is at this moment, while it may be written."""
    places = Places.of(data)
    with existing_ledger(data) as ledger:
        at_least = ledger.store.last_position()
    if output.exists() and (output.is_file() or any(output.iterdir())):
        raise NotEmpty(output)
    with _made_whole(output) as made:
        if isinstance(places.ledger, Path):
            made.mkdir(mode=OURS_ALONE)
            _copy_files(places.ledger.parent, made)
        else:
            dump(places.ledger, made)
    typer.echo(f"{output}: {_held(output, at_least)}")
    key = sealed_under(places.people)
    if key is not None:
        typer.echo(
            f"not in it: vault key {key}, in {places.vault_key}; keep a copy of that file apart,"
            " for without it nobody's details can be read again"
        )


def _held(output: Path, at_least: Position) -> str:
    if output.is_file():
        return f"{at_least:,} events or more, {_ALSO}"
    with closing(open_store(output / KEPT[0], writes=False)) as store:
        return f"{store.last_position():,} events, {_ALSO}"


@contextmanager
def _made_whole(output: Path) -> Iterator[Path]:
    """Give a place to make something at, which stands at ``output`` when all of it is there."""
    output.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(dir=output.parent, prefix=f".{output.name}-"))
    try:
        yield folder / output.name
        os.replace(folder / output.name, output)  # noqa: PTH105  # Path.replace says no more.
    finally:
        shutil.rmtree(folder)


def restore(saved: Saved, data: DataFolder) -> None:
    """Put a backup where nothing is, fill the views from it, and recompute every balance."""
    places = Places.of(data)
    if isinstance(places.ledger, Path):
        _restore_files(saved, data)
    else:
        if not is_dump(saved):
            raise NoBackup(saved, "a backup of a ledger on PostgreSQL")
        load(saved, places.ledger)
    with closing(Ledger(places.ledger)) as ledger:
        erased = _erase_again(ledger, places)
        with progress("filling views") as report:
            position = rebuild(ledger, places.views, all_views(), progress=report)
        with progress("replaying") as report:
            differences = _replayed(ledger, places, report)
    if differences:
        raise Damaged(saved, differences[0])
    typer.echo(f"{places}: {position:,} events restored and replayed")
    if erased:
        typer.echo(f"erased again what was kept of {erased:,} people, as the history says")
    typer.echo(_key_told(places))


def _erase_again(ledger: Ledger, places: Places) -> int:
    """Take those out of a register who were erased after it was saved; that needs no key."""
    with closing(PeopleDatabase(places.people)) as database:
        database.prepare(upgrade=True)
        return erase(database, [PartyId(str(each)) for each in erased(ledger.store)])


def _key_told(places: Places) -> str:
    """Say whether the key is there that the register is sealed under."""
    key = sealed_under(places.people)
    if key is None:
        return "nobody's details are sealed yet; the first start does it"
    if key in dict(KeyFile(places.vault_key).read()):
        return f"details are sealed under vault key {key}, which is in {places.vault_key}"
    return (
        f"details are sealed under vault key {key}, which is not in {places.vault_key}:"
        " put that file there before it is served"
    )


def _restore_files(saved: Path, data: Path) -> None:
    if not all((saved / name).is_file() for name in KEPT):
        raise NoBackup(saved, "a backup of a ledger that is kept in files")
    if data.exists() and any(data.iterdir()):
        raise NotEmpty(data)
    with _made_whole(data) as made:
        made.mkdir()
        _copy_files(saved, made)


def _copy_files(source: Path, target: Path) -> None:
    for name in (LOG, *KEPT) if (source / LOG).is_file() else KEPT:
        copy_file(source / name, target / name)


def _replayed(ledger: Ledger, places: Places, report: Progress) -> list[str]:
    views = open_views(places.views)
    try:
        replayed = replay(ledger, views, all_views(), progress=report)
    finally:
        views.dispose()
    return [str(each) for each in replayed.differences]
