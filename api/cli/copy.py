"""leifeng copy"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from api.cli.shared import NoLedgerHere, progress
from api.places import Places
from ledger.people.copying import copy_people, digest_people, sealed_under
from ledger.store import copying, open_store
from ledger.store.copying import CopyDiffers, Digest, NotEmpty
from ledger.store.engine import is_url
from ledger.store.recorder import Store
from ledger.store.schema import EVENTS, UNFINISHED
from projections.kernel.view import TRACKING
from projections.log.copying import copy_log, digest_log
from projections.views.opening import open_views

Source = Annotated[str, typer.Option("--from", help="A data folder, or a postgresql:// URL.")]
Target = Annotated[str, typer.Option("--to", help="Another, with nothing in it.")]


def copy(source: Source, target: Target) -> None:
    """Move a ledger to another store, every event at its position, and compare the two."""
    old, new = _places(source), _places(target)
    if isinstance(old.ledger, Path) and not old.ledger.is_file():
        raise NoLedgerHere(old.ledger.parent)
    if isinstance(new.ledger, Path):
        _make_room(new.ledger.parent)
    with (
        closing(open_store(old.ledger, writes=False)) as reading,
        closing(open_store(new.ledger)) as writing,
        reading.alone(),
        writing.alone(),
    ):
        _refuse_unless_empty(writing, new)
        writing.set_version(UNFINISHED)
        digest = _copied(reading, writing)
        people = copy_people(old.people, new.people)
        if digest_people(new.people) != people:
            raise CopyDiffers("people")
        log = _copy_log(old, new)
        writing.set_version(EVENTS.version)
    typer.echo(
        f"copied {digest.events:,} events, {digest.tallies:,} tallies and {digest.answers:,}"
        f" answers, and people{log}\n"
        f"both are at position {digest.last:,} with SHA-256 {digest.history}"
    )
    key = sealed_under(new.people)
    if key is not None:
        typer.echo(f"not copied: vault key {key}; {new} is served with the key file of {old}")


def _copy_log(old: Places, new: Places) -> str:
    """Copy the public log, if there is one; return what is to be said of it."""
    if isinstance(old.log, Path) and not old.log.is_file():
        return ""
    held = copy_log(old.log, new.log)
    if digest_log(new.log) != held:
        raise CopyDiffers("log")
    return ", and the log, but not its key"


def _places(where: str) -> Places:
    return Places.at(where) if is_url(where) else Places.in_folder(Path(where))


def _make_room(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise NotEmpty(folder)
    folder.mkdir(parents=True, exist_ok=True)


def _refuse_unless_empty(writing: Store, new: Places) -> None:
    views = open_views(new.views)
    try:
        with views.connect() as connection:
            row = connection.execute(select(TRACKING).where(TRACKING.c.position > 0)).first()
    finally:
        views.dispose()
    if row is not None or not copying.is_empty(writing):
        raise NotEmpty(new)


def _copied(reading: Store, writing: Store) -> Digest:
    with progress("copying") as report:
        passed = copying.copy(reading, writing, report)
    with progress("comparing") as report:
        copying.compare(passed, copying.digest(writing, report))
    return passed
