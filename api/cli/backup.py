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
from ledger.errors import LedgerError
from ledger.names import Position
from ledger.store import open_store
from ledger.store.backup import Damaged, copy_file, dump, is_dump, load
from ledger.store.copying import NotEmpty
from projections.every_view import all_views
from projections.follow import Progress
from projections.rebuild import rebuild
from projections.replay import replay
from projections.views import open_views

KEPT = ("ledger.db", "people.db")
"""The files of a ledger that cannot be made again, in the order in which they are taken.

Whatever an event says of a person was in the register before the event was written.
"""

OURS_ALONE = 0o700
"""Who may look into a folder with personal data in it."""

Output = Annotated[
    Path, typer.Option("-o", "--output", help="The folder to make, or for PostgreSQL the file.")
]
Saved = Annotated[Path, typer.Argument(help="What leifeng backup made.", exists=True)]


class NoBackup(LedgerError):
    """What is restored was made by leifeng backup, for the same kind of store."""

    def __init__(self, saved: Path, wanted: str) -> None:
        super().__init__(f"{saved} is not {wanted}")


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
            for name in KEPT:
                copy_file(places.ledger.parent / name, made / name)
        else:
            dump(places.ledger, made)
    typer.echo(f"{output}: {_held(output, at_least)}")


def _held(output: Path, at_least: Position) -> str:
    if output.is_file():
        return f"{at_least:,} events or more, with the register of people"
    with closing(open_store(output / KEPT[0], writes=False)) as store:
        return f"{store.last_position():,} events, with the register of people"


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
        with progress("filling views") as told:
            position = rebuild(ledger, places.views, all_views(), progress=told)
        with progress("replaying") as told:
            differences = _replayed(ledger, places, told)
    if differences:
        raise Damaged(saved, differences[0])
    typer.echo(f"{places}: {position:,} events restored and replayed")


def _restore_files(saved: Path, data: Path) -> None:
    if not all((saved / name).is_file() for name in KEPT):
        raise NoBackup(saved, "a backup of a ledger that is kept in files")
    if data.exists() and any(data.iterdir()):
        raise NotEmpty(data)
    with _made_whole(data) as made:
        made.mkdir()
        for name in KEPT:
            copy_file(saved / name, made / name)


def _replayed(ledger: Ledger, places: Places, told: Progress) -> list[str]:
    views = open_views(places.views)
    try:
        found = replay(ledger, views, all_views(), progress=told)
    finally:
        views.dispose()
    return [str(each) for each in found.differences]
